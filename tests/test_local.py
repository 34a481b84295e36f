"""The local engine streams what transformers generates, batch, cache and cancelling included."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TOKENS, make_model, make_processor, save

import gemma_vision
from gemma_vision.runtime.engine import Chunk, Engine, Prompt
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.weights.checkpoint import open_checkpoint
from postprocess.errors import UserError

FAMILIES = ("paligemma", "paligemma2")
STEPS = 24  # greedy tokens that have to agree


def picture(seed: int = 0, size: tuple[int, int] = (50, 40)) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)


def prompt(text: str = "detect cat", *seeds: int, **options) -> Prompt:
    options = {"max_tokens": 12} | options
    return Prompt(tuple(picture(seed) for seed in seeds or (0,)), text, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save(make_model("paligemma"), tmp_path_factory.mktemp("paligemma"))


@pytest.fixture
def engine(folder: Path) -> LocalEngine:
    return LocalEngine.load(folder, "cpu")


def finished(engine: Engine, prompts: Sequence[Prompt]) -> list[list[Chunk]]:
    """The chunks of every prompt."""
    answers: list[list[Chunk]] = [[] for _ in prompts]
    for chunks in engine.stream(prompts):
        for answer, chunk in zip(answers, chunks, strict=True):
            if chunk is not None:
                answer.append(chunk)
    return answers


def ids_of(answer: Sequence[Chunk]) -> list[int]:
    return [token for chunk in answer for token in chunk.token_ids]


def text_of(answer: Sequence[Chunk]) -> str:
    return "".join(chunk.text for chunk in answer)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # of the processor
@pytest.mark.parametrize("family", FAMILIES)
def test_from_picture_to_tokens_as_transformers_does(family: str, tmp_path: Path) -> None:
    """Processor, generate and decode on their side; two, one and two pictures in a batch."""
    theirs = make_model(family)
    folder = save(theirs, tmp_path)
    asked = [("detect cat ; dog", 1, 2), ("caption en", 3), ("what?", 4, 5)]
    prompts = [prompt(*one, max_tokens=STEPS) for one in asked]
    processor = make_processor(folder, theirs.config)
    inputs = processor(
        images=[list(one.images) for one in prompts],
        text=["<image>" * len(one.images) + one.text for one in prompts],
        padding=True,
        return_tensors="pt",
    )
    inputs.pop("labels")
    made = theirs.generate(**inputs, do_sample=False, max_new_tokens=STEPS, eos_token_id=None)
    expected = made[:, inputs["input_ids"].shape[1] :].tolist()
    engine = LocalEngine.load(folder, "cpu")
    engine._stop_ids = frozenset()
    answers = finished(engine, prompts)
    assert [ids_of(answer) for answer in answers] == expected
    spelled = processor.batch_decode(expected, skip_special_tokens=True)
    assert [text_of(answer) for answer in answers] == spelled


@pytest.mark.parametrize("text", ["detect cat", "detect cat\n", "detect cat\n\n"])
@pytest.mark.parametrize("seeds", [(0,), (1, 2)], ids=["one picture", "two pictures"])
def test_bos_and_newline_come_once_behind_the_pictures(engine, text: str, seeds) -> None:
    ids = engine.ids(prompt(text, *seeds))
    tokenizer = engine.checkpoint.tokenizer
    num_soft = len(seeds) * TOKENS
    assert ids[:num_soft] == [engine.checkpoint.config.image_token_id] * num_soft
    pieces = [tokenizer.id_to_token(token) for token in ids[num_soft:]]
    assert (pieces[0], pieces[-1]) == ("<bos>", "\n")
    assert pieces.count("<bos>") == pieces.count("\n") == 1
    assert "".join(pieces[1:-1]).replace("\u2581", " ") == "detect cat"


def test_it_is_an_engine(engine: LocalEngine) -> None:
    assert isinstance(engine, Engine)
    assert engine.ready()


def test_a_batch_gives_each_row_what_it_gets_alone(engine: LocalEngine) -> None:
    prompts = [prompt("detect cat", 1), prompt("a", 2, 3, max_tokens=4), prompt("caption en", 4)]
    together = [ids_of(answer) for answer in finished(engine, prompts)]
    alone = [ids_of(finished(engine, [one])[0]) for one in prompts]
    assert together == alone
    assert [len(ids) for ids in together] == [12, 4, 12]


def test_rows_end_at_different_times(engine: LocalEngine) -> None:
    steps = list(engine.stream([prompt(max_tokens=2), prompt(max_tokens=5)]))
    assert [step[0] is None for step in steps] == [False, False, True, True, True]
    assert [step[1].finish for step in steps if step[1]] == [None, None, None, None, "length"]


def test_a_stop_token_ends_an_answer_and_is_not_part_of_it(engine: LocalEngine) -> None:
    (whole,) = finished(engine, [prompt(max_tokens=12)])
    ids = ids_of(whole)
    last = ids[-1]
    engine._stop_ids = frozenset({last})
    (cut,) = finished(engine, [prompt(max_tokens=12)])
    assert ids_of(cut) == ids[: ids.index(last)]
    assert cut[-1].finish == "stop"
    assert cut[-1].token_ids == cut[-1].scores == ()


def test_every_token_has_a_score_and_only_the_end_a_finish(engine: LocalEngine) -> None:
    (answer,) = finished(engine, [prompt()])
    assert all(len(chunk.token_ids) == len(chunk.scores) == 1 for chunk in answer)
    assert all(0 <= score <= 1 for chunk in answer for score in chunk.scores)
    assert [chunk.finish for chunk in answer] == [None] * 11 + ["length"]


def test_times_are_told(engine: LocalEngine) -> None:
    (answer,) = finished(engine, [prompt()])
    assert answer[-1].timing.keys() == {"encode", "prefill", "decode"}
    assert all(seconds > 0 for seconds in answer[-1].timing.values())


def test_a_seed_repeats_its_answer_and_another_seed_does_not(engine: LocalEngine) -> None:
    warm = [prompt(temperature=2.0, seed=seed, max_tokens=30) for seed in (1, 1, 2)]
    first, again, other = (ids_of(answer) for answer in finished(engine, warm))
    assert first == again != other
    assert ids_of(finished(engine, warm[:1])[0]) == first


def test_a_picture_seen_before_is_not_looked_at_again(engine: LocalEngine, monkeypatch) -> None:
    looked: list[int] = []
    encode = engine.checkpoint.model.encode
    monkeypatch.setattr(
        engine.checkpoint.model,
        "encode",
        lambda pixels: looked.append(len(pixels)) or encode(pixels),
    )
    before = [ids_of(answer) for answer in finished(engine, [prompt("detect cat", 1, 2)])]
    assert (engine.cache.hits, engine.cache.misses) == (0, 2)
    finished(engine, [prompt("caption en", 2), prompt("detect dog", 1)])
    assert (engine.cache.hits, engine.cache.misses) == (2, 2)
    after = [ids_of(answer) for answer in finished(engine, [prompt("detect cat", 1, 2)])]
    assert before == after
    assert looked == [2]


def test_one_picture_under_several_prompts_is_looked_at_once(engine: LocalEngine) -> None:
    finished(engine, [prompt("detect cat", 7), prompt("detect dog", 7), prompt("a", 7, 7)])
    assert (engine.cache.hits, engine.cache.misses) == (3, 1)


def test_nothing_is_kept_of_a_picture_that_only_passes(engine: LocalEngine) -> None:
    kept = prompt("detect cat", 7)
    passing = replace(prompt("detect cat", 8), is_passing=True)
    first, second = finished(engine, [kept, passing])
    before = engine.cache_status()
    assert before["pictures"]["kept"] == before["pictures"]["misses"] == 1
    assert ids_of(finished(engine, [passing])[0]) == ids_of(second)
    assert ids_of(finished(engine, [replace(kept, is_passing=True)])[0]) == ids_of(first)
    assert engine.cache_status() == before


def test_the_cache_keeps_to_its_bytes(folder: Path) -> None:
    size = TOKENS * 32 * 4  # one picture of this model, in float32
    engine = LocalEngine(open_checkpoint(folder, "cpu"), cache_bytes=2 * size)
    for seed in (1, 2, 3):
        finished(engine, [prompt("a", seed, max_tokens=1)])
    assert (len(engine.cache), engine.cache.num_bytes) == (2, 2 * size)
    finished(engine, [prompt("a", 1, max_tokens=1)])  # the oldest had to go
    assert engine.cache.misses == 4


def test_a_cache_of_no_bytes_works(folder: Path) -> None:
    engine = LocalEngine(open_checkpoint(folder, "cpu"), cache_bytes=0)
    assert len(ids_of(finished(engine, [prompt("a", 1, 1)])[0])) == 12
    assert len(engine.cache) == 0


def test_a_prompt_without_pictures_is_answered(engine: LocalEngine) -> None:
    mixed = [Prompt((), "caption en", max_tokens=3), prompt(max_tokens=3)]
    assert [len(ids_of(answer)) for answer in finished(engine, mixed)] == [3, 3]
    assert list(engine.stream([])) == []


def test_closing_the_stream_ends_the_work(engine: LocalEngine, monkeypatch) -> None:
    steps: list[int] = []
    step = engine.checkpoint.model.step_rows
    monkeypatch.setattr(
        engine.checkpoint.model, "step_rows", lambda *args: steps.append(1) or step(*args)
    )
    stream = engine.stream([prompt(max_tokens=100)])
    next(stream)
    next(stream)
    stream.close()
    assert list(stream) == []
    assert len(steps) == 1  # the first token comes from the prefill
    del stream
    gc.collect()
    assert len(ids_of(finished(engine, [prompt()])[0])) == 12


def test_streams_take_turns(engine: LocalEngine) -> None:
    """Two open streams in one thread neither wait for each other nor mix."""
    alone = [finished(engine, [prompt("detect cat", seed)])[0] for seed in (1, 2)]
    streams = [engine.stream([prompt("detect cat", seed)]) for seed in (1, 2)]
    mixed: list[list[int]] = [[], []]
    for pair in zip(*streams, strict=True):
        for ids, (chunk,) in zip(mixed, pair, strict=True):
            ids.extend(chunk.token_ids)
    assert mixed == [ids_of(answer) for answer in alone]


def test_threads_do_not_run_the_model_at_once(engine: LocalEngine, monkeypatch) -> None:
    inside, most = 0, 0
    step = engine.checkpoint.model.step_rows

    def counted(*args) -> torch.Tensor:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        logits = step(*args)
        inside -= 1
        return logits

    monkeypatch.setattr(engine.checkpoint.model, "step_rows", counted)
    answers: dict[int, list[int]] = {}

    def work(seed: int) -> None:
        answers[seed] = ids_of(finished(engine, [prompt("detect cat", seed)])[0])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 1
    assert answers == {s: ids_of(finished(engine, [prompt("detect cat", s)])[0]) for s in range(4)}


@pytest.mark.parametrize("asked, expected", [(None, 1), (3, 3)])
def test_small_models_use_one_thread_and_leave_torch_as_it_was(folder, asked, expected) -> None:
    engine = LocalEngine(open_checkpoint(folder, "cpu"), threads=asked)
    counts: list[int] = []
    hook = engine.checkpoint.model.vision.register_forward_pre_hook(
        lambda module, args: counts.append(torch.get_num_threads())
    )
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        stream = engine.stream([prompt()])
        next(stream)
        assert torch.get_num_threads() == 2  # between the steps too
    finally:
        torch.set_num_threads(before)
        hook.remove()
    assert counts == [expected]


def test_gradients_are_off_inside_and_untouched_outside(engine: LocalEngine) -> None:
    stream: Iterator[list[Chunk | None]] = engine.stream([prompt()])
    next(stream)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    stream.close()


@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy])
def test_a_model_that_is_copied_says_what_to_do(copied) -> None:
    with pytest.raises(UserError, match=r"call gemma_vision.load\(\) there, once") as caught:
        copied(gemma_vision.load())
    assert caught.value.code == "E_COPY"
