"""The recorded path, walked on a CPU: the same tokens, whatever changes between two steps.

Where there is a GPU, `python -m benchmarks.speed.gpu` compares what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from test_batching import WORDS, make_prompts, mix, picture
from tiny_models import make_model, save

from gemma_vision.runtime import replays
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import Grammar
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.runtime.replays import Replayer
from gemma_vision.weights.checkpoint import open_checkpoint

Pair = Callable[..., tuple[LocalEngine, LocalEngine]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        family: save(make_model(family), tmp_path_factory.mktemp(family))
        for family in ("paligemma", "paligemma2", "gemma3")
    }


def engines(folder: Path) -> tuple[LocalEngine, LocalEngine]:
    """The same checkpoint twice: plain, and by replays."""
    plain, quick = (open_checkpoint(folder, "cpu", "float32") for _ in range(2))
    return LocalEngine(plain), LocalEngine(quick, replays=True)


def replayer_of(engine: LocalEngine) -> Replayer:
    assert engine._replayer is not None
    return engine._replayer


def answer(engine: LocalEngine, *prompts: Prompt) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in prompts]
    for chunks in engine.stream(prompts):
        for tokens, chunk in zip(found, chunks, strict=True):
            tokens += chunk.token_ids if chunk else ()
    return found


@pytest.mark.parametrize("family", ["paligemma", "paligemma2", "gemma3"])
def test_one_row_after_another_gets_its_tokens(
    folders: dict[str, Path], family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, quick = engines(folders[family])
    monkeypatch.setattr(quick.checkpoint.model, "step_rows", lambda *_: pytest.fail("recorded"))
    mark = "<start_of_image>" if family == "gemma3" else ""
    for prompt in make_prompts(12, 5, mark):
        assert answer(quick, prompt) == answer(plain, prompt)
    kinds = {key[0] for key in replayer_of(quick)._replays}  # type: ignore[index]
    assert kinds == {"step", "tower"}


def test_a_record_is_recorded_by_blocks(folders: dict[str, Path]) -> None:
    plain, quick = engines(folders["paligemma"])
    for is_verified in (False, True):
        grammar = Grammar(("a dog", "cat"), has_masks=True)
        prompt = Prompt((picture(1),), "segment a dog", 60, 0.0, 0, grammar, is_verified)
        assert answer(quick, prompt) == answer(plain, prompt)
    counts = {key[1] for key in replayer_of(quick)._replays if key[0] == "step"}  # type: ignore[index]
    assert counts > {1} and counts <= set(replays.BLOCKS)


@pytest.mark.parametrize("rooms", [(512,), (24, 32, 64, 128), (8, 16)], ids=str)
def test_rows_that_come_and_go_keep_their_memory(
    folders: dict[str, Path], rooms: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows join, so that one becomes several and several one; rooms grow under an answer."""
    monkeypatch.setattr(replays, "ROOMS", rooms)
    plain, quick = engines(folders["paligemma"])
    prompts = make_prompts(14, 8)
    wanted = [answer(plain, prompt)[0] for prompt in prompts]
    for seed in range(3):
        found, most = mix(quick, prompts, seed)
        assert found == wanted and most > 1


def test_a_watched_answer_leaves_the_other_its_memory(folders: dict[str, Path]) -> None:
    plain, quick = engines(folders["paligemma"])
    long, short = (Prompt((picture(n),), WORDS[n], 30) for n in (2, 3))
    wanted = answer(plain, long)[0]
    stream, found = quick.stream([long]), []
    for _ in range(10):
        found += next(stream)[0].token_ids  # type: ignore[union-attr]
    batch, row = quick.watch(short)
    while not row.finish:
        batch.advance()
    found += [token for (chunk,) in stream if chunk for token in chunk.token_ids]
    assert found == wanted
    assert [token for one in row.outbox for token in one.token_ids] == answer(plain, short)[0]


def test_weights_that_moved_are_recorded_anew(folders: dict[str, Path]) -> None:
    plain, quick = engines(folders["paligemma"])
    prompt = Prompt((picture(0),), WORDS[0], 12)
    assert answer(quick, prompt) == answer(plain, prompt)
    before = list(replayer_of(quick)._replays.values())
    for engine in (plain, quick):
        with torch.inference_mode(False):
            engine.checkpoint.model.double()
        engine.cache.clear()
    after = Prompt((picture(1),), WORDS[1], 12)
    assert answer(quick, after) == answer(plain, after)
    assert not set(before) & set(replayer_of(quick)._replays.values())
