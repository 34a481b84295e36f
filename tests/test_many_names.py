"""A wish with many names is asked for in parts, side by side, and answered in its order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from fake_engine import FakeFamily
from PIL import Image

from gemma_vision.answers.prepared_request import RowMerger, prepare
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.option_checks import check_options
from gemma_vision.requests.prompts import PALIGEMMA
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import TaskError
from gemma_vision.requests.variants import limit_to
from gemma_vision.runtime.engine import Chunk, Prompt
from postprocess import parse

BOX = "<loc0001><loc0002><loc0100><loc0200>"
NAMES = [f"name {letter}" for letter in "abcdefghijklm"]
IMAGE = Image.new("RGB", (60, 40))


class EchoEngine:
    """Writes a record for each name of a prompt, word by word; of prompts in a row the last ends
    first."""

    name = "echo"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ready(self) -> bool:
        return True

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        self.asked += [prompt.text for prompt in prompts]
        rows = [list(self._chunks(prompt)) for prompt in prompts]
        longest = max(map(len, rows))
        for step in range(longest + len(rows)):
            at = [step - len(rows) + 1 + i for i in range(len(rows))]
            yield [
                row[place] if 0 <= place < len(row) else None
                for row, place in zip(rows, at, strict=True)
            ]

    def _chunks(self, prompt: Prompt) -> Iterator[Chunk]:
        names = prompt.text.partition(" ")[2].split(" ; ")
        there = [name for name in names if name[-1] not in "ck"]  # two that are not in the picture
        for index, name in enumerate(there):
            yield Chunk(f"{' ; ' if index else ''}{BOX} ", (1, 2), (0.5, 0.5))
            yield Chunk(name, (3,), (1.0,))
        yield Chunk("", finish="length" if "name m" in names else "stop")


def ask(at_once: int | None, **card: int) -> tuple[EchoEngine, list[list[str]], str | None]:
    """The prompts, the labels of each answer while it grew, and how it ended."""
    engine = EchoEngine()
    pipeline = Pipeline(engine, FakeFamily(), policy="space", card=card)  # type: ignore[arg-type]
    request = Request(IMAGE, "detect", " ; ".join(NAMES), names_per_prompt=at_once)
    answers = list(pipeline.stream(request))
    return (
        engine,
        [[one.label for one in answer.mentions] for answer in answers],
        answers[-1].finish,
    )


@pytest.mark.parametrize("at_once, count", [(None, 1), (1, 13), (4, 4), (10, 2), (100, 1)])
def test_names_are_asked_for_in_parts_and_answered_in_their_order(
    at_once: int | None, count: int
) -> None:
    engine, grown, finish = ask(at_once)
    assert len(engine.asked) == count
    assert " ; ".join(text.removeprefix("detect ") for text in engine.asked) == " ; ".join(NAMES)
    assert grown[-1] == [name for name in NAMES if name[-1] not in "ck"]
    assert all(labels == grown[-1][: len(labels)] for labels in grown)
    assert finish == "length"  # one of the parts was cut


def test_the_checkpoint_says_how_many_and_the_request_overrides() -> None:
    assert len(ask(None, names_per_prompt=4)[0].asked) == 4
    assert len(ask(7, names_per_prompt=4)[0].asked) == 2


@pytest.mark.parametrize("decoding, count", [(None, 4), ("exact", 4), ("strict", 13), ("free", 2)])
def test_the_checkpoint_may_say_so_for_each_decoding(decoding: str | None, count: int) -> None:
    engine = EchoEngine()
    card = {"names_per_prompt": {"exact": 4, "strict": 1, "free": 7}}
    pipeline = Pipeline(engine, FakeFamily(), policy="space", card=card)  # type: ignore[arg-type]
    answer = pipeline.detect(IMAGE, NAMES, decoding=decoding)
    assert len(engine.asked) == count
    assert answer.prompt == f"detect {' ; '.join(NAMES)}"


@pytest.mark.parametrize(
    "name, expected",
    [
        pytest.param("google/paligemma-3b-pt-224", 1, id="pt"),
        pytest.param("google/paligemma2-3b-mix-448", 10, id="mix"),
        pytest.param("somebody/their-own", None, id="nobody says"),
    ],
)
def test_variants_were_taught_so_many(name: str, expected: int | None) -> None:
    assert limit_to(PALIGEMMA, name, {}).names_per_prompt == expected


def test_a_batch_keeps_every_requests_parts_together() -> None:
    engine = EchoEngine()
    pipeline = Pipeline(engine, FakeFamily(), policy="space")  # type: ignore[arg-type]
    wishes = [NAMES[:5], NAMES[7:8], NAMES[3:10]]
    requests = [Request(IMAGE, "detect", " ; ".join(w), names_per_prompt=2) for w in wishes]
    answers = pipeline.batch(requests)
    for answer, wish in zip(answers, wishes, strict=True):
        assert [one.label for one in answer.mentions] == [n for n in wish if n[-1] not in "ck"]
        assert answer.prompt == f"detect {' ; '.join(wish)}"


def test_each_part_has_the_grammar_of_its_names() -> None:
    pipeline = Pipeline(EchoEngine(), PALIGEMMA)
    request = pipeline.interpret(Request(IMAGE, "segment", "Cat ; dog ; car"))
    grammars = [prompt.grammar for prompt in prepare(request, PALIGEMMA, 2).prompts]
    assert [one and one.names for one in grammars] == [("cat", "dog"), ("car",)]
    assert all(one and one.has_masks for one in grammars)


def test_rows_that_end_early_wait_and_empty_ones_leave_no_separator() -> None:
    merger = RowMerger(4)
    late = Chunk(f"{BOX} b", (5,), (1.0,), "stop")
    assert list(merger.add([None, None, late, None])) == []
    first = list(merger.add([Chunk(f"{BOX} a"), None, None, Chunk("", finish="stop")]))
    assert "".join(chunk.text for chunk in first) == f"{BOX} a"
    assert list(merger.add([Chunk("", finish="stop"), None, None, None]))[-1].finish is None
    rest = list(merger.add([None, Chunk("", finish="stop"), None, None]))
    assert "".join(chunk.text for chunk in rest) == f" ; {BOX} b"
    assert rest[-1].finish == "stop"
    assert [one.label for one in parse(f"{BOX} a ; {BOX} b")] == ["a", "b"]


@pytest.mark.parametrize("value", [0, 101, 2.5])
def test_the_number_is_checked(value: float) -> None:
    with pytest.raises(TaskError) as caught:
        Request(IMAGE, "detect", "cat", names_per_prompt=value)  # type: ignore[arg-type]
    assert caught.value.code == "E_NAMES_PER_PROMPT"
    assert check_options(Request(IMAGE, "detect", "cat"))["names_per_prompt"] is None
