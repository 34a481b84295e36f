"""Requests join and leave one batch, and each gets what it would have got alone."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tiny_models import make_model, save

from gemma_vision.runtime import scheduler
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.grammar import Grammar
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.runtime.scheduler import EngineBusyError, Sleeper

WORDS = ("detect cat ; dog", "segment a dog", "caption en", "what is it", "a")
Stream = Iterator[list[Chunk | None]]


def picture(seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8)
    return Image.fromarray(values)


def make_prompts(count: int, seed: int, mark: str = "") -> list[Prompt]:
    """Boxes, masks and words, greedy and drawn, short and long, one picture, two or none."""
    choose, prompts = random.Random(seed), []
    for index in range(count):
        text = choose.choice(WORDS)
        images = tuple(picture(choose.randrange(6)) for _ in range(choose.choice((0, 1, 1, 1, 2))))
        is_verified, heat = choose.random() < 0.6, choose.choice((0.0, 0.0, 0.0, 1.5))
        grammar = Grammar(("cat", "dog", "a dog"), "segment" in text) if not mark else None
        if choose.random() < 0.4:
            grammar = None
        limit = choose.randint(1, 40)
        marked = mark * len(images) + text
        prompts.append(Prompt(images, marked, limit, heat, index, grammar, is_verified))
    return prompts


def follow(stream: Stream) -> list[int]:
    return [token for (chunk,) in stream if chunk for token in chunk.token_ids]


def mix(engine: LocalEngine, prompts: Sequence[Prompt], seed: int) -> tuple[list[list[int]], int]:
    """Streams opened and followed at random moments; how many were open at most."""
    choose, most = random.Random(seed), 0
    answers: list[list[int]] = [[] for _ in prompts]
    waiting = list(range(len(prompts)))
    running: dict[int, Stream] = {}
    while waiting or running:
        if waiting and (not running or choose.random() < 0.3):
            index = waiting.pop(0)
            running[index] = engine.stream([prompts[index]])
        index = choose.choice(list(running))
        for (chunk,) in [next(running[index], [None])]:
            if chunk is None:
                del running[index]
            else:
                answers[index] += chunk.token_ids
        most = max(most, len(engine._scheduler.batch.rows))
    return answers, most


@pytest.mark.parametrize(
    "family, mark, count",
    [
        pytest.param("paligemma", "", 100, id="paligemma"),
        pytest.param("paligemma2", "", 40, id="paligemma2"),
        pytest.param("gemma3", "<start_of_image>", 40, id="gemma3"),
    ],
)
def test_mixed_requests_that_join_at_random_moments(
    family: str, mark: str, count: int, tmp_path: Path
) -> None:
    engine = LocalEngine.load(save(make_model(family), tmp_path), "cpu")
    prompts = make_prompts(count, 3, mark)
    alone = [follow(engine.stream([prompt])) for prompt in prompts]
    answers, most = mix(engine, prompts, 4)
    assert answers == alone
    assert most >= 6
    assert len({tuple(ids) for ids in alone}) > 3


def test_threads_share_one_batch(tmp_path: Path) -> None:
    engine = LocalEngine.load(save(make_model(), tmp_path), "cpu")
    prompts = make_prompts(24, 9)
    alone = [follow(engine.stream([prompt])) for prompt in prompts]
    answers: dict[int, list[int]] = {}

    def work(index: int) -> None:
        answers[index] = follow(engine.stream([prompts[index]]))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answers[index] for index in range(len(prompts))] == alone


def tokens_of(chunks: Sequence[Chunk]) -> list[int]:
    return [token for chunk in chunks for token in chunk.token_ids]


def test_whole_answers_are_those_of_streams_in_one_batch_with_them(tmp_path: Path) -> None:
    engine = LocalEngine.load(save(make_model(), tmp_path), "cpu")
    prompts = make_prompts(24, 9)
    alone = [follow(engine.stream([prompt])) for prompt in prompts]
    answers: dict[int, list[int]] = {}

    def work(index: int) -> None:
        if index % 3:
            (chunks,) = engine.complete([prompts[index]], threading.Event())
            answers[index] = tokens_of(chunks)
        else:
            answers[index] = follow(engine.stream([prompts[index]]))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answers[index] for index in range(len(prompts))] == alone
    assert engine._scheduler._sleepers == [] and engine._scheduler.batch.rows == []


def test_who_waits_for_whole_answers_sleeps_through_the_steps_of_others(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler, woken = engine._scheduler, [0]
    may_step = scheduler._may_step

    def counted(own: Sleeper) -> bool:
        wait = own.bell.wait

        def waited(*arguments: float) -> bool:
            woken[0] += 1
            return wait(*arguments)

        monkeypatch.setattr(own.bell, "wait", waited)
        return may_step(own)

    monkeypatch.setattr(scheduler, "_may_step", counted)
    work = partial(engine.complete, [Prompt((), "a", 60)], threading.Event())
    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert woken[0] < 12 * 5  # of 60 steps each


def test_a_whole_answer_that_is_called_off_ends_within_a_step(engine: LocalEngine) -> None:
    overs = [threading.Event() for _ in range(3)]
    done: dict[int, int] = {}

    def work(index: int) -> None:
        (chunks,) = engine.complete([Prompt((), "a", 200)], overs[index])
        done[index] = len(tokens_of(chunks))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    while len(engine._scheduler.batch.rows) < 3:
        threads[0].join(0.001)
    overs[0].set()
    overs[1].set()
    for thread in threads:
        thread.join(60)
    assert done[0] < 200 and done[1] < 200 and done[2] == 200
    assert engine._scheduler.batch.rows == []


def test_a_whole_answer_that_fails_says_so_and_leaves_the_turn_to_others(
    engine: LocalEngine,
) -> None:
    with pytest.raises(ValueError, match="image tokens"):
        engine.complete([Prompt((), "a<image>", 6)], threading.Event())
    (chunks,) = engine.complete([Prompt((), "a", 6)], threading.Event())
    assert len(tokens_of(chunks)) == 6


@pytest.fixture
def engine(random_checkpoint: Path) -> LocalEngine:
    return LocalEngine.load(random_checkpoint, "cpu")


def test_too_many_waiting_prompts_are_refused_in_a_sentence(engine: LocalEngine) -> None:
    engine._scheduler.max_rows = 2
    engine._scheduler.max_waiting = 3
    first = engine.stream([Prompt((), "a", 30)] * 5)
    assert sum(chunk is not None for chunk in next(first)) <= 2
    with pytest.raises(EngineBusyError, match="3 prompts are waiting") as caught:
        next(engine.stream([Prompt((), "a", 3)]))
    assert caught.value.code == "E_BUSY"
    assert sum(len(chunk.token_ids) for chunks in first for chunk in chunks if chunk) >= 5 * 30 - 2
    assert len(follow(engine.stream([Prompt((), "a", 3)]))) == 3  # there is room again


def test_rows_keep_to_the_bytes(engine: LocalEngine) -> None:
    """Each row may become 5 + 40 positions long; there are bytes for two of them."""
    prompts = [Prompt((), "a", 40)] * 5
    scheduler = engine._scheduler
    stream = engine.stream(prompts[:1])
    next(stream)
    each = scheduler.batch.cache.bytes_per_position * 48
    stream.close()  # type: ignore[attr-defined]
    scheduler.max_bytes = 2 * each
    scheduler.at_once, most = 1, 0
    for _ in engine.stream(prompts):
        most = max(most, len(scheduler.batch.rows))
    assert most == 2


def test_short_answers_do_not_wait_for_long_ones(engine: LocalEngine) -> None:
    engine._scheduler.max_rows = 1
    stream = engine.stream([Prompt((), "a", 60), Prompt((), "a", 60), Prompt((), "a", 2)])
    ends = [i for chunks in stream for i, chunk in enumerate(chunks) if chunk and chunk.finish]
    assert ends.index(2) == 0


def test_a_long_answer_does_not_wait_for_ever(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a second goes before answers that are 64 tokens shorter."""
    now, line = [100.0], engine._scheduler
    monkeypatch.setattr(scheduler, "time", SimpleNamespace(monotonic=lambda: now[0]))
    line.max_rows = 1
    long, short, other = line.make_rows([Prompt((), "a", length) for length in (60, 2, 2)])
    line.submit([long])
    now[0] += 0.5
    line.submit([short])
    assert line._admit() == [short]
    now[0] += 0.5
    line.submit([other])
    assert line._admit() == [long]


def test_a_stream_that_is_closed_leaves_its_place(engine: LocalEngine) -> None:
    streams = [engine.stream([Prompt((), "a", 50)]) for _ in range(3)]
    for stream in streams:
        next(stream)
    assert len(engine._scheduler.batch.rows) == 3
    streams[0].close()  # type: ignore[attr-defined]
    assert len(engine._scheduler.batch.rows) == 2
    left = [follow(stream) for stream in streams[1:]]
    assert left[0] == left[1] and len(left[0]) == 49
    assert engine._scheduler.batch.cache.nbytes == 0


def test_a_prompt_that_fails_takes_nobody_with_it(engine: LocalEngine) -> None:
    good = engine.stream([Prompt((), "a", 6)])
    next(good)
    with pytest.raises(ValueError, match="image tokens"):
        next(engine.stream([Prompt((), "a<image>", 6)]))
    assert len(follow(good)) == 5


def test_who_is_interrupted_interrupts_nobody_else(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (engine.stream([Prompt((), text, 40)]) for text in ("what is it", "a"))
    next(one), next(other)
    with monkeypatch.context() as patch:
        patch.setattr(engine._scheduler.batch, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(one)
    with pytest.raises(EngineBusyError, match="interrupted for another caller; ask again"):
        list(other)
    assert list(engine.stream([Prompt((), "a", 4)]))


def interrupted() -> None:
    raise KeyboardInterrupt


def test_one_picture_under_many_prompts_is_encoded_once(engine: LocalEngine) -> None:
    streams = [engine.stream([Prompt((picture(1),), text, 5)]) for text in WORDS]
    for stream in streams:
        next(stream)
    assert engine.cache.misses == 1
