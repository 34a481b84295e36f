"""Exact decoding says what plain greedy decoding says; strict decoding says whole records alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import make_model, save

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.options import DECODINGS
from gemma_vision.requests.prompts import GEMMA3, PALIGEMMA
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.grammar import Grammar, GrammarError
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.compositor import compose
from gemma_vision.synthetic.poses import sample_scene
from postprocess import Parser

FAMILIES = ("paligemma", "paligemma2", "gemma3")
TIE = 2e-6  # of a logit: what the order of sums may change
SEED = 900_777


def noise(seed: int, side: int = 40) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (side, side + 9, 3), np.uint8)
    return Image.fromarray(values)


def follow(engine: LocalEngine, prompt: Prompt) -> list[Chunk]:
    return [chunk for (chunk,) in engine.stream([prompt]) if chunk]


def ids_of(chunks: Sequence[Chunk]) -> list[int]:
    return [token for chunk in chunks for token in chunk.token_ids]


def scores_of(chunks: Sequence[Chunk]) -> list[float]:
    return [score for chunk in chunks for score in chunk.scores]


def text_of(chunks: Sequence[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def talkative(engine: LocalEngine, seed: int) -> LocalEngine:
    """Weights disturbed so that records, words and ends come in every order."""
    model, state = engine.checkpoint.model, torch.random.manual_seed(seed)
    tokenizer = engine.checkpoint.tokenizer
    with torch.no_grad():
        spread = 0.3 * torch.randn(model.head.shape, generator=state) * model.head.std()
        for form in ("<loc0000>", "\u2581cat", "\u2581", "<seg000>"):
            first = tokenizer.token_to_id(form) or 0
            spread[first : first + (1024 if "loc" in form else 1)] *= 3
        model.head.add_(spread)
    return engine


@pytest.fixture(scope="module")
def embedded() -> LocalEngine:
    return LocalEngine.load("tiny", "cpu")


@pytest.fixture(params=[True, False], ids=["at once", "at the end of a record"])
def verified(request: pytest.FixtureRequest) -> bool:
    """Whether every token is verified as it comes, or those of a record together."""
    return bool(request.param)


def scenes(count: int) -> Iterator[tuple[Image.Image, tuple[str, ...]]]:
    names, rng = load_atlas().names, np.random.default_rng(SEED)
    for _ in range(count):
        scene = compose(sample_scene(rng, size=(320, 240)))
        there = dict.fromkeys(names[thing.name] for thing in scene.things)
        yield Image.fromarray(scene.pixels), tuple(there) or ("cat", "dog")


def assert_alike(engine: LocalEngine, prompt: Prompt, grammar: Grammar) -> tuple[int, int]:
    """Exact and plain answers are the same. How many chunks each of them took."""
    plain = follow(engine, prompt)
    exact = follow(engine, replace(prompt, grammar=grammar, is_verified=True))
    assert ids_of(exact) == ids_of(plain)
    assert (text_of(exact), exact[-1].finish) == (text_of(plain), plain[-1].finish)
    assert scores_of(exact) == pytest.approx(scores_of(plain), abs=2e-4)
    return len(exact), len(plain)


def is_cut_by_a_tie(engine: LocalEngine, prompt: Prompt, grammar: Grammar) -> bool:
    """Whether the answers part where two tokens are the likeliest, as far as float32 can tell."""
    exact = ids_of(follow(engine, replace(prompt, grammar=grammar, is_verified=True)))
    plain = ids_of(follow(engine, prompt))
    parts = [at for at, (a, b) in enumerate(zip(exact, plain, strict=False)) if a != b]
    if not parts:
        return False
    batch, _ = engine.watch(prompt)
    for _ in range(parts[0]):
        batch.advance()
    assert batch.logits is not None
    first, second = batch.logits[0].topk(2).values.tolist()
    return bool(first - second < TIE * first)


@pytest.mark.parametrize("task", [Task.detect, Task.segment])
def test_exact_is_exact_on_scenes(embedded: LocalEngine, task: Task, verified: bool) -> None:
    embedded._scheduler.batch.is_small = verified
    steps = np.zeros(2, int)
    for image, names in scenes(12):
        prompt = Prompt((image,), f"{task} {' ; '.join(names)}", 100)
        steps += assert_alike(embedded, prompt, Grammar(names, task is Task.segment))
    assert steps[0] < (0.8 if task is Task.detect else 0.95) * steps[1]


@pytest.mark.slow
@pytest.mark.parametrize("task", [Task.detect, Task.segment])
def test_exact_is_exact_on_two_hundred_scenes(
    embedded: LocalEngine, task: Task, verified: bool
) -> None:
    embedded._scheduler.batch.is_small = verified
    num_ties = 0
    for image, names in scenes(200):
        prompt = Prompt((image,), f"{task} {' ; '.join(names)}", 128)
        grammar = Grammar(names, task is Task.segment)
        if is_cut_by_a_tie(embedded, prompt, grammar):
            num_ties += 1
        else:
            assert_alike(embedded, prompt, grammar)
    assert num_ties <= 2


@pytest.mark.parametrize("seed", range(2))
def test_what_the_whole_vocabulary_says_otherwise_is_taken_back(seed: int, verified: bool) -> None:
    """Names that were not asked for, records cut short, words between them, ends anywhere."""
    engine = talkative(LocalEngine.load("tiny", "cpu"), seed)
    engine._scheduler.batch.is_small = verified
    said = set()
    for image, _ in scenes(4):
        for has_masks in (False, True):
            for names in (("cat",), ("dog", "house", "ball", "car")):
                prompt = Prompt((image,), f"detect {' ; '.join(names)}", 70)
                assert_alike(engine, prompt, Grammar(names, has_masks))
                said.add(text_of(follow(engine, prompt)))
    assert len(said) > 2


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(3))
def test_exact_is_exact_with_random_weights(
    family: str, seed: int, verified: bool, tmp_path: Path
) -> None:
    engine = LocalEngine.load(save(make_model(family, seed), tmp_path), "cpu")
    engine._scheduler.batch.is_small = verified
    text = "detect cat" if family != "gemma3" else "<start_of_image>detect cat"
    for has_masks in (False, True):
        for limit in (1, 2, 7, 40):
            prompt = Prompt((noise(seed),), text, limit)
            assert_alike(engine, prompt, Grammar(("cat", "a dog"), has_masks))


def test_drawn_answers_are_drawn_from_every_word(embedded: LocalEngine) -> None:
    prompt = Prompt((noise(1),), "detect cat", 40, temperature=1.5, seed=5)
    exact = follow(embedded, replace(prompt, grammar=Grammar(("cat",)), is_verified=True))
    assert ids_of(exact) == ids_of(follow(embedded, prompt))


@pytest.mark.parametrize("is_small", [True, False], ids=["small", "large vocabulary"])
@pytest.mark.parametrize("family", ["paligemma", "paligemma2"])
def test_strict_answers_parse_at_every_length(family: str, is_small: bool, tmp_path: Path) -> None:
    """Random weights, greedy and drawn, boxes and masks, every limit from 1 to 64."""
    engine = LocalEngine.load(save(make_model(family), tmp_path), "cpu")
    engine._scheduler.batch.is_small = is_small
    choose = random.Random(SEED)
    names = ("cat", "dog", "a dog", "cat dog", "what is it")
    prompts = []
    for limit in range(1, 65):
        asked = tuple(choose.sample(names, choose.randint(1, 3)))
        grammar = Grammar(asked, has_masks=choose.random() < 0.5)
        heat = choose.choice([0.0, 1.0, 2.0])
        prompts.append(Prompt((noise(limit % 5),), "detect cat", limit, heat, limit, grammar))
    assert count_records(engine, prompts) > 20


@pytest.mark.slow
@pytest.mark.parametrize("is_small", [True, False], ids=["small", "large vocabulary"])
def test_strict_answers_of_five_hundred_prompts_parse(is_small: bool, tmp_path: Path) -> None:
    engine = LocalEngine.load(save(make_model(), tmp_path), "cpu")
    engine._scheduler.batch.is_small = is_small
    prompts = [
        Prompt((noise(i % 9),), "detect a", i % 64 + 1, (i % 3) * 0.9, i, Grammar(names, masks))
        for i, (names, masks) in enumerate(
            (("cat", "dog")[: i % 2 + 1], i % 5 == 0) for i in range(500)
        )
    ]
    assert count_records(engine, prompts) > 200


def count_records(engine: LocalEngine, prompts: Sequence[Prompt]) -> int:
    """The records of every answer; each has to be whole and read without a notice."""
    texts, ends, counts = [""] * len(prompts), [""] * len(prompts), [0] * len(prompts)
    for chunks in engine.stream(prompts):
        for i, chunk in enumerate(chunks):
            if chunk:
                texts[i] += chunk.text
                ends[i] = chunk.finish or ends[i]
                counts[i] += len(chunk.token_ids)
    total = 0
    for prompt, text, end, count in zip(prompts, texts, ends, counts, strict=True):
        assert prompt.grammar is not None
        parser = Parser()
        mentions = parser.feed(text) + parser.close()
        odd = {notice.code for notice in parser.notices}
        assert odd <= {"inverted_box", "repeat", "full_frame"}, text
        assert parser.plain.strip(" ;") == "" and not text.endswith("; "), text
        assert {mention.label for mention in mentions} <= set(prompt.grammar.names)
        assert end in ("stop", "length") and count <= prompt.max_tokens
        assert all(len(one.codes) == 16 * prompt.grammar.has_masks for one in mentions)
        total += len(mentions)
    return total


@pytest.mark.parametrize("decoding", DECODINGS)
def test_the_pipeline_decodes_as_it_is_asked(embedded: LocalEngine, decoding: str) -> None:
    pipeline = Pipeline(embedded, PALIGEMMA)
    (image, names), *_ = scenes(1)
    embedded._scheduler.batch.is_small = True
    answer = pipeline.run(Request(image, "detect", " ; ".join(names), decoding=decoding))
    assert answer.request is not None and answer.request.decoding == decoding
    assert {mention.label for mention in answer.mentions} <= set(names)


@pytest.mark.parametrize(
    "notes, expected", [({}, "exact"), ({"decoding": "strict"}, "strict")], ids=["none", "strict"]
)
def test_what_is_left_open_is_the_checkpoints_choice(
    embedded: LocalEngine, notes: dict[str, str], expected: str
) -> None:
    pipeline = Pipeline(embedded, PALIGEMMA, card=notes)
    assert pipeline.interpret(Request(noise(0), "detect", "cat")).decoding == expected
    asked = Request(noise(0), "detect", "cat", decoding="free")
    assert pipeline.interpret(asked).decoding == "free"


def test_strict_needs_position_tokens_and_exact_does_not(tmp_path: Path) -> None:
    engine = LocalEngine.load(save(make_model("gemma3"), tmp_path), "cpu")
    prompt = Prompt((noise(0),), "<start_of_image>a", 3, grammar=Grammar(("cat",)))
    with pytest.raises(GrammarError, match="<loc0000>") as caught:
        follow(engine, prompt)
    assert caught.value.code == "E_DECODING"
    assert len(ids_of(follow(engine, replace(prompt, is_verified=True)))) == 3
    assert GEMMA3.name == engine.checkpoint.family.name
