"""What the page says whole in each language is word for word what the library says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from films import film
from PIL import Image

from gemma_vision.errors import describe, request_id
from gemma_vision.images.opening import open_image
from gemma_vision.requests.request import MAX_TEXT, Request
from gemma_vision.video import Source
from gemma_vision.web.i18n.sentence_texts import SENTENCES
from gemma_vision.web.server.picture_uploads import collect_pictures
from gemma_vision.web.server.uploads import resolve_upload

PICTURE = Image.new("RGB", (8, 8))
CASES: dict[str, Callable[[Path], Any]] = {
    "no_picture": lambda folder: resolve_upload(None),
    "no_video": lambda folder: resolve_upload(None, "video"),
    "no_pictures": lambda folder: collect_pictures([]),
    "nothing_to_detect": lambda folder: Request(PICTURE, "detect", ""),
    "nothing_to_segment": lambda folder: Request(PICTURE, "segment", ""),
    "no_question": lambda folder: Request(PICTURE, "ask", ""),
    "no_prompt": lambda folder: Request(PICTURE, "free", ""),
    "control_token": lambda folder: Request(PICTURE, "detect", "a <image> b"),
    "text_too_long": lambda folder: Request(PICTURE, "detect", "a" * (MAX_TEXT + 1)),
    "noted": lambda folder: 1 // 0,
    "unreadable_picture": lambda folder: open_image(written(folder / "a.png", b"hello")),
    "empty_picture": lambda folder: open_image(written(folder / "a.png", b"")),
    "unreadable_video": lambda folder: Source(written(folder / "a.mp4", b"hello")),
    "sound_only": lambda folder: opened(film(folder / "a.mp4", frames=False, has_sound=True)),
}


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def opened(path: Path) -> None:
    with Source(path) as source:
        list(source.frames())


def pattern(template: str) -> str:
    """A template as what fits it.   "{name} is gone."  ->  ".+ is gone\\." """
    return "".join(".+" if part[:1] == "{" else re.escape(part) for part in pieces(template))


def pieces(template: str) -> Iterator[str]:
    yield from re.split(r"(\{\w+\})", template)


def test_each_is_tried() -> None:
    assert CASES.keys() == SENTENCES.keys()


@pytest.mark.parametrize("key", CASES)
def test_a_sentence_is_the_librarys_own(key: str, tmp_path: Path) -> None:
    token = request_id.set("8c2f")
    try:
        with pytest.raises(Exception) as caught:
            CASES[key](tmp_path)
        _, sentence = describe(caught.value)
    finally:
        request_id.reset(token)
    assert re.fullmatch(pattern(SENTENCES[key]["en"]), sentence)
