"""A file has its final name once it is whole; who is killed while writing leaves the old one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from postprocess.datasets.files import write_image, write_json
from postprocess.exports import pixels


class Killed(BaseException):
    """What a process that is ended in the middle of a write sees: nothing after it."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the bytes are written, then the process is gone."""

    def save(image: Image.Image, path: Path, **options: Any) -> None:
        Path(path).write_bytes(b"half")
        raise Killed

    monkeypatch.setattr(Image.Image, "save", save)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_is_whole_or_not_there(suffix: str, tmp_path: Path, dying: None) -> None:
    path = tmp_path / f"photo.overlay{suffix}"
    with pytest.raises(Killed):
        write_image(path, Image.new("RGB", (8, 8)))
    assert list(tmp_path.iterdir()) == []


def test_the_picture_before_stays_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    path = write_image(tmp_path / "a.png", Image.new("RGB", (8, 8), "red"))
    before = path.read_bytes()
    request.getfixturevalue("dying")
    with pytest.raises(Killed):
        pixels._save(Image.new("RGB", (8, 8), "blue"), path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = write_image(tmp_path / "deep" / "a.png", Image.new("RGB", (8, 8), "red"))
    with Image.open(path) as image:
        assert image.getpixel((3, 3)) == (255, 0, 0)
    assert write_json(tmp_path / "a.json", {"a": 1}).read_text() == '{"a": 1}'
