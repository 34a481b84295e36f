"""Words at the bottom of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from postprocess.subtitles import INK, write_subtitle

GROUND = (120, 160, 200)


def rows_written(text: str, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """The rows of the picture on which something is written."""
    drawn = np.asarray(write_subtitle(Image.new("RGB", size, GROUND), text))
    return np.flatnonzero((drawn != GROUND).any(axis=(1, 2)))


def test_words_stand_at_the_bottom_in_the_middle() -> None:
    rows = rows_written("two animals on a lawn")
    assert 440 < rows[0] < rows[-1] < 480
    drawn = np.asarray(write_subtitle(Image.new("RGB", (640, 480), GROUND), "two animals"))
    columns = np.flatnonzero((drawn != GROUND).any(axis=(0, 2)))
    assert abs((columns[0] + columns[-1]) / 2 - 320) < 2
    assert (drawn == INK).all(axis=-1).any() and (drawn[rows[0] :].max() == 255)


@pytest.mark.parametrize("words, lines", [(3, 1), (12, 2), (30, 3), (300, 3)])
def test_long_words_take_up_to_three_lines(words: int, lines: int) -> None:
    one = len(rows_written("word"))
    assert round(len(rows_written(" ".join(["word"] * words))) / one) == lines


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_no_words_leave_the_picture(text: str) -> None:
    assert len(rows_written(text)) == 0


@pytest.mark.parametrize("size", [(16, 16), (90, 700), (1920, 200)])
@pytest.mark.parametrize("text", ["short", "x" * 400, "\u732b\u304c\u6b69\u304f" * 30])
def test_words_stay_within_pictures_of_any_shape(size: tuple[int, int], text: str) -> None:
    drawn = write_subtitle(Image.new("RGB", size, GROUND), text)
    assert drawn.size == size


def test_the_picture_itself_stays_as_it_is() -> None:
    image = Image.new("RGB", (64, 48), GROUND)
    write_subtitle(image, "words")
    assert image.getcolors() == [(64 * 48, GROUND)]
