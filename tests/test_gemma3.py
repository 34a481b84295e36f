"""Gemma 3 end to end: conversations with pictures and crops, as transformers answers them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import make_model, make_processor, save, write_gemma3
from tokenizers import AddedToken, Tokenizer
from transformers import Gemma3Processor

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import GEMMA3
from gemma_vision.requests.request import Request, Turn
from gemma_vision.requests.tasks import Task
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.local_engine import LocalEngine

STEPS = 24


def picture(seed: int, size: tuple[int, int]) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(values)


LONG, SQUARE, TALL = picture(1, (800, 300)), picture(2, (60, 60)), picture(3, (280, 900))
REQUESTS = {
    "one picture": Request(SQUARE, Task.caption),
    "cropped": Request(LONG, Task.ask, "what is it?", pan_and_scan=True),
    "two pictures": Request((LONG, TALL), Task.free, "a cat ; a dog", pan_and_scan=True),
    "a conversation": Request(
        TALL,
        Task.chat,
        "and a dog",
        pan_and_scan=True,
        turns=(Turn("user", "what is it", (SQUARE, LONG)), Turn("model", "a cat")),
    ),
}


@pytest.fixture(scope="module")
def theirs():
    return make_model("gemma3")


@pytest.fixture(scope="module")
def engine(theirs, tmp_path_factory) -> LocalEngine:
    engine = LocalEngine.load(save(theirs, tmp_path_factory.mktemp("gemma3")), "cpu")
    engine._stop_ids = frozenset()
    return engine


@pytest.fixture(scope="module")
def processor(theirs, engine: LocalEngine) -> Gemma3Processor:
    return make_processor(engine.checkpoint.folder, theirs.config)


def to_prompt(request: Request) -> Prompt:
    images = tuple(image for image in request.images if isinstance(image, Image.Image))
    text = GEMMA3.write_prompt(request)
    return Prompt(images, text, STEPS, pan_and_scan=request.pan_and_scan)


@torch.no_grad()
def ask_theirs(theirs, processor: Gemma3Processor, prompts: list[Prompt]) -> list[list[int]]:
    inputs = processor(
        images=[list(prompt.images) for prompt in prompts],
        text=["<bos>" + prompt.text for prompt in prompts],
        padding=True,
        add_special_tokens=False,
        do_pan_and_scan=prompts[0].pan_and_scan,
        return_tensors="pt",
    )
    made = theirs.generate(**inputs, do_sample=False, max_new_tokens=STEPS, eos_token_id=None)
    return made[:, inputs["input_ids"].shape[1] :].tolist()


def ask_ours(engine: LocalEngine, prompts: list[Prompt]) -> list[list[int]]:
    answers: list[list[int]] = [[] for _ in prompts]
    for chunks in engine.stream(prompts):
        for answer, chunk in zip(answers, chunks, strict=True):
            answer.extend(chunk.token_ids if chunk else ())
    return answers


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_from_picture_to_tokens_as_transformers_does(theirs, engine, processor, request_) -> None:
    prompts = [to_prompt(request_)]
    expected = ask_theirs(theirs, processor, prompts)
    assert ask_ours(engine, prompts) == expected


def test_a_padded_batch_with_crops_as_transformers_does(theirs, engine, processor) -> None:
    prompts = [to_prompt(request) for request in REQUESTS.values() if request.pan_and_scan]
    expected = ask_theirs(theirs, processor, prompts)
    assert ask_ours(engine, prompts) == expected


@pytest.fixture
def fresh(engine: LocalEngine) -> LocalEngine:
    engine.cache.clear()
    engine.prefixes.clear()
    for counted in (engine.cache, engine.prefixes):
        counted.hits = counted.misses = 0
    return engine


def test_the_next_question_goes_on_behind_the_picture(fresh: LocalEngine, monkeypatch) -> None:
    """Neither the tower nor the picture's part of the decoder runs again, and nothing changes."""
    asked = [
        to_prompt(Request(LONG, Task.ask, text, pan_and_scan=True)) for text in ("a", "a dog?")
    ]
    expected = [ask_ours(fresh, [asked[1]])[0]]
    assert (fresh.prefixes.hits, fresh.prefixes.misses) == (0, 1)
    fresh.prefixes.clear()
    ask_ours(fresh, [asked[0]])
    read: list[int] = []
    text = fresh.checkpoint.model.text
    hook = text.register_forward_pre_hook(lambda module, args: read.append(args[0].shape[1]))
    assert ask_ours(fresh, [asked[1]]) == expected
    hook.remove()
    assert (fresh.prefixes.hits, fresh.prefixes.misses) == (1, 2)
    assert read[0] < 25  # the question and its marks; the picture and its crops are 80 and more
    assert ask_ours(fresh, [asked[1]]) == expected  # what was kept is left as it was


def test_nothing_is_kept_behind_a_picture_that_only_passes(fresh: LocalEngine) -> None:
    prompts = [to_prompt(Request(SQUARE, Task.ask, "a"))]
    passing = [replace(prompts[0], is_passing=True)]
    assert ask_ours(fresh, passing) == ask_ours(fresh, prompts)
    before = fresh.cache_status()
    assert (len(fresh.cache), len(fresh.prefixes)) == (1, 1)
    ask_ours(fresh, passing)
    assert fresh.cache_status() == before


def test_what_is_kept_belongs_to_its_picture(fresh: LocalEngine) -> None:
    ask_ours(fresh, [to_prompt(Request(SQUARE, Task.ask, "a"))])
    ask_ours(fresh, [to_prompt(Request(picture(9, (60, 60)), Task.ask, "a"))])
    assert (fresh.prefixes.hits, fresh.prefixes.misses) == (0, 2)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((("what was it", SQUARE), ("a cat", LONG)), id="other words before it"),
        pytest.param((("what is it", TALL), ("a cat", LONG)), id="another picture before it"),
        pytest.param((("what is it", SQUARE), ("a dog", LONG)), id="another answer before it"),
    ],
)
def test_what_is_kept_belongs_to_all_that_came_before(fresh: LocalEngine, other) -> None:
    """The last picture and the question are the same, and so is the number of pictures."""

    def asked(first: tuple[str, Image.Image], second: tuple[str, Image.Image]) -> Prompt:
        turns = (Turn("user", first[0], (first[1],)), Turn("model", second[0]))
        return to_prompt(Request(second[1], Task.chat, "and now", turns=turns))

    plain, changed = asked(("what is it", SQUARE), ("a cat", LONG)), asked(*other)
    ask_ours(fresh, [plain])
    after = ask_ours(fresh, [changed])
    assert (fresh.prefixes.hits, fresh.prefixes.misses) == (0, 2)
    fresh.prefixes.clear()
    assert ask_ours(fresh, [changed]) == after


@torch.no_grad()
def test_reading_on_gives_the_logits_of_reading_at_once(fresh: LocalEngine) -> None:
    model, prefiller = fresh.checkpoint.model, fresh._prefiller
    prompt = to_prompt(REQUESTS["a conversation"])
    resumed, _, _ = prefiller.prefill([prompt])
    monolith = [prefiller._ids(prompt.text, [[4], [4] * 4, [4] * 4])]
    groups = [view for views in prefiller.views(prompt) for view in views]
    ids, is_real = prefiller._pad(monolith)
    whole, _ = model.prefill(ids, is_real, prefiller.image_encoder.encode([groups]))
    assert (resumed - whole).abs().max() < 1e-5


def test_crops_are_looked_at_and_kept_like_pictures(fresh: LocalEngine) -> None:
    ask_ours(fresh, [to_prompt(REQUESTS["cropped"])])
    assert fresh.cache.misses == 4  # 800 x 300 and three crops
    fresh.prefixes.clear()
    ask_ours(fresh, [to_prompt(REQUESTS["cropped"])])
    assert (fresh.cache.hits, fresh.cache.misses) == (4, 4)


def test_an_answer_tells_the_crops_that_were_looked_at(fresh: LocalEngine) -> None:
    request = Request((LONG, SQUARE), Task.free, "a", pan_and_scan=True, max_tokens=1)
    answer = Pipeline(fresh, GEMMA3).run(request)
    boxes = ((0, 0, 267, 300), (267, 0, 534, 300), (534, 0, 800, 300))
    assert answer.crops == (boxes, ())
    assert answer.to_dict()["crops"] == [[list(box) for box in boxes], []]
    assert fresh.cache.misses == 5  # each whole, and the crops that are told


def test_crops_are_off_unless_asked_for(fresh: LocalEngine) -> None:
    ask_ours(fresh, [Prompt((LONG,), GEMMA3.write_prompt(REQUESTS["one picture"]), 1)])
    assert fresh.cache.misses == 1
    answer = Pipeline(fresh, GEMMA3).run(Request(LONG, Task.caption, max_tokens=1))
    assert answer.crops == ((),)
    assert "crops" not in answer.to_dict()


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_bos_comes_once_and_no_newline_closes_the_prompt(engine: LocalEngine, request_) -> None:
    prompt, tokenizer = to_prompt(request_), engine.checkpoint.tokenizer
    pieces = [tokenizer.id_to_token(token) for token in engine.ids(prompt)]
    assert (pieces[0], pieces.count("<bos>")) == ("<bos>", 1)
    assert pieces[-1] == "\n"  # of "<start_of_turn>model", with nothing behind it
    assert pieces.count("<start_of_turn>") == len(request_.turns) + 2
    views = sum(1 + len(boxes) for boxes in prompt.crops)
    assert (
        pieces.count("<image_soft_token>")
        == engine.checkpoint.config.vision.num_soft_tokens * views
    )


def test_newlines_around_a_picture_are_read_as_one_text(engine: LocalEngine) -> None:
    """The published tokenizer has a token for three newlines, here of "user" and of the picture."""
    tokenizer = Tokenizer.from_str(engine.checkpoint.tokenizer.to_str())
    tokenizer.add_tokens([AddedToken("\n" * count, normalized=False) for count in (2, 3)])
    merging = LocalEngine(replace(engine.checkpoint, tokenizer=tokenizer))
    before = {}
    for name in ("one picture", "cropped"):
        pieces = [tokenizer.id_to_token(one) for one in merging.ids(to_prompt(REQUESTS[name]))]
        before[name] = pieces[pieces.index("<start_of_image>") - 1]
    assert before == {"one picture": "\n\n\n", "cropped": "\n\n"}


def test_the_end_of_a_turn_ends_the_answer(theirs, tmp_path: Path) -> None:
    engine = LocalEngine.load(save(theirs, tmp_path), "cpu")
    tokenizer = engine.checkpoint.tokenizer
    stops = {tokenizer.token_to_id(mark) for mark in ("<eos>", "<end_of_turn>")}
    assert stops <= set(engine._stop_ids)


@pytest.mark.slow
def test_the_published_shape_from_picture_to_tokens_as_transformers_does(tmp_path: Path) -> None:
    """896 pixels, 256 soft tokens a view, a window of 1024 that five views are longer than."""
    from transformers import Gemma3ForConditionalGeneration

    write_gemma3(tmp_path)
    theirs = Gemma3ForConditionalGeneration.from_pretrained(tmp_path).eval()
    engine = LocalEngine.load(tmp_path, "cpu")
    engine._stop_ids = frozenset()
    request = Request(picture(5, (2100, 500)), Task.ask, "what is it?", pan_and_scan=True)
    expected = ask_theirs(theirs, make_processor(tmp_path, theirs.config), [to_prompt(request)])
    assert ask_ours(engine, [to_prompt(request)]) == expected
