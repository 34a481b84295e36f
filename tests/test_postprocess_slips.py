"""Slips of whoever uses `postprocess` alone end in a sentence with a code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from postprocess import EXPORTERS, MaskDecoder, Parser, draw, locate, parse, write
from postprocess.errors import UserError
from postprocess.exports import READERS, Annotated

PICTURE = Image.new("RGB", (64, 48))
MENTIONS = parse("<loc0102><loc0200><loc0800><loc0900> cat")
THINGS = locate(MENTIONS, PICTURE.size)
CAT = Annotated("cat.jpg", PICTURE.size, THINGS, PICTURE)

SLIPS = [
    pytest.param(lambda: draw("a.jpg", THINGS), "E_OVERLAY", "Image.open", id="a path"),
    pytest.param(lambda: draw(np.zeros((4, 4, 3)), THINGS), "E_OVERLAY", "ndarray", id="array"),
    pytest.param(lambda: draw(PICTURE, None), "E_OVERLAY", "None is no list", id="no things"),
    pytest.param(lambda: draw(PICTURE, MENTIONS), "E_OVERLAY", "has a Mention", id="mentions"),
    pytest.param(lambda: draw(PICTURE, THINGS[0]), "E_OVERLAY", "what locate gives", id="one"),
    pytest.param(lambda: draw(PICTURE, THINGS, opacity="x"), "E_OVERLAY", "'x'", id="opacity"),
    pytest.param(lambda: draw(PICTURE, THINGS, colors={}), "E_OVERLAY", "'cat'", id="no colour"),
    pytest.param(lambda: draw(PICTURE, THINGS, numbers=[]), "E_OVERLAY", "0 numbers", id="numbers"),
    pytest.param(lambda: parse(None), "E_TEXT", "None came", id="no answer"),
    pytest.param(lambda: parse(b"<loc0001>"), "E_TEXT", "a bytes came", id="bytes"),
    pytest.param(lambda: Parser().feed(3), "E_TEXT", "as a str", id="fed with a number"),
    pytest.param(lambda: locate(MENTIONS, "64x48"), "E_SIZE", "image.size", id="a size in words"),
    pytest.param(lambda: locate(MENTIONS, PICTURE), "E_SIZE", "image.size", id="the picture"),
    pytest.param(lambda: locate(MENTIONS, (64,)), "E_SIZE", "is no size", id="one side"),
    pytest.param(lambda: locate(MENTIONS, ("64", "48")), "E_SIZE", "is no size", id="texts"),
    pytest.param(lambda: locate(MENTIONS, (float("nan"), 9)), "E_SIZE", "1 x 1", id="no number"),
    pytest.param(lambda: locate("<loc>", (9, 9)), "E_SIZE", "what parse gives", id="a text"),
    pytest.param(lambda: locate(THINGS, (9, 9)), "E_SIZE", "has an Instance", id="instances"),
    pytest.param(lambda: write("cat"), "E_MENTION", "what parse gives", id="written text"),
    pytest.param(lambda: write(MENTIONS[0]), "E_MENTION", "is no list", id="one mention"),
    pytest.param(lambda: MaskDecoder.load(None), "E_MASK_DECODER", "None came", id="no decoder"),
    pytest.param(lambda: EXPORTERS["coco"](CAT, "out"), "E_EXPORT", "a list of", id="one picture"),
    pytest.param(lambda: EXPORTERS["yolo"]([CAT], None), "E_EXPORT", "folder", id="nowhere"),
    pytest.param(lambda: READERS["coco"](None), "E_EXPORT", "a file or a folder", id="no place"),
]


def test_colours_may_be_made_up_for_each_label() -> None:
    class Red(dict[str, tuple[int, int, int]]):
        def __missing__(self, label: str) -> tuple[int, int, int]:
            return (255, 0, 0)

    red = draw(PICTURE, THINGS, colors={"cat": (255, 0, 0)})
    assert draw(PICTURE, THINGS, colors=Red()).tobytes() == red.tobytes()


@pytest.mark.parametrize("slip, code, said", SLIPS)
def test_a_slip_ends_in_a_sentence(slip: Callable[[], object], code: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        slip()
    assert caught.value.code == code and str(caught.value).endswith(".")


def test_a_policy_is_named_in_letters_of_any_size() -> None:
    found, known = (locate(MENTIONS, PICTURE.size, policy=name) for name in ("SPACE", "space"))
    assert found[0].box == known[0].box


def test_what_counts_as_numpy_does_is_a_size() -> None:
    size = tuple(np.array(PICTURE.size))
    assert locate(iter(MENTIONS), size)[0].box == THINGS[0].box


@pytest.mark.parametrize("kind", EXPORTERS)
def test_a_folder_is_a_path_or_its_name(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    written = EXPORTERS[kind]([CAT], "~/out")
    assert written and all(path.is_relative_to(tmp_path / "out") for path in written)
    assert EXPORTERS[kind](pictures=[CAT], folder=str(tmp_path / "again"))
    PICTURE.save(tmp_path / "out" / "cat.jpg")  # some are read with their pictures
    if kind in READERS:
        assert len(READERS[kind]("~/out", notices=None)) == 1
