"""A visitor's picture: the same pixels from another process, which is ended when it has to be."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from crafted_pictures import LARGE, encoded, jpeg_of_scans, png
from PIL import Image, ImageOps

from gemma_vision.images import strips
from gemma_vision.images.limits import ImageError
from gemma_vision.images.opening import open_image
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.server import decoder_process
from gemma_vision.web.server.picture_worker import Lane, open_picture

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F")
KINDS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "AVIF")


def noise(mode: str) -> Image.Image:
    """A picture of 57 x 41 in a mode."""
    random = np.random.default_rng(0)
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 65_536, (41, 57), dtype=np.uint16))
    if mode == "F":
        return Image.fromarray(random.random((41, 57), dtype=np.float32) * 3)
    colors = Image.fromarray(random.integers(0, 256, (41, 57, 4), dtype=np.uint8))
    return colors.convert("RGB").convert("CMYK") if mode == "CMYK" else colors.convert(mode)


def at_once(image: Image.Image) -> Image.Image:
    """Upright, on white, RGB, by whole pictures."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I;16", "I;16B", "I", "F"):
        levels = np.asarray(image).astype(np.float64)
        is_wide = image.mode.startswith("I;16") or levels.max() > 255
        factor = 1 / 257 if is_wide else 255 if image.mode == "F" and levels.max() <= 1 else 1
        scaled = np.clip(np.floor(levels * factor + 0.5), 0, 255)
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if "A" in image.mode or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", MODES)
def test_strips_are_the_picture_as_a_whole(
    mode: str, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strips, "PIXELS", 500)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in KINDS:
        try:
            data = encoded(noise(mode), kind, exif=exif)
        except (OSError, ValueError, KeyError, DeprecationWarning):
            continue  # a format without this mode
        opened, expected = open_image(data), at_once(Image.open(io.BytesIO(data)))
        assert (opened.size, opened.tobytes()) == (expected.size, expected.tobytes()), kind


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_of_the_worker_are_those_of_the_library(kind: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for mode in ("L", "P", "RGB", "RGBA", "I;16"):
        path = tmp_path / f"picture.{kind.lower()}"
        try:
            noise(mode).resize((190, 133)).save(path, exif=exif)
        except (OSError, ValueError, KeyError):
            continue
        inside, outside = open_image(path), open_picture(path)
        assert (inside.size, inside.tobytes()) == (outside.size, outside.tobytes()), mode
        assert not outside.info and not outside.getexif()


def test_refusals_are_those_of_the_library(tmp_path: Path) -> None:
    bad = {"a.png": b"", "b.png": b"hello", "c.jpg": encoded(noise("RGB"), "JPEG")[:300]}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ImageError) as inside:
            open_image(tmp_path / name)
        with pytest.raises(ImageError) as outside:
            open_picture(tmp_path / name)
        assert (outside.value.code, str(outside.value)) == (inside.value.code, str(inside.value))


def workers() -> list[psutil.Process]:
    """The processes that decode."""
    return [one for one in psutil.Process().children() if decoder_process.PROGRAM in one.cmdline()]


def slow_picture() -> bytes:
    """What takes a decoder seconds: a progressive JPEG of the largest kind that is allowed."""
    return jpeg_of_scans((9_000, 8_000), 6)


@pytest.fixture(scope="module")
def slow() -> bytes:
    return slow_picture()


def test_a_decoder_ends_when_nobody_waits_for_it(slow: bytes) -> None:
    def opened() -> Iterator[Image.Image]:
        yield open_picture(slow)

    run = StreamRun(opened, None, lock=None)
    busy = wait_for_busy()
    run.stop()
    begun = time.monotonic()
    assert run.join(10) and not busy.is_running()
    assert time.monotonic() - begun < 2  # 100 ms on a machine with nothing else to do
    assert isinstance(run.error, decoder_process.DecodingStopped)
    assert open_picture(encoded(noise("RGB"), "PNG")).size == (57, 41)


def wait_for_busy() -> psutil.Process:
    """The decoder that computes."""
    latest = time.monotonic() + 30
    while time.monotonic() < latest:
        for one in workers():
            if one.memory_info().rss > 80 * 2**20:
                return one
        time.sleep(0.02)
    raise AssertionError("nothing is decoded")


def test_a_small_picture_does_not_wait_for_a_large_one(slow: bytes) -> None:
    other = threading.Thread(target=open_picture, args=(slow,))
    other.start()
    wait_for_busy()
    assert open_picture(encoded(noise("RGB"), "PNG")).size == (57, 41)
    assert other.is_alive()
    other.join()


def test_a_decoder_that_computes_too_long_is_ended(
    slow: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(decoder_process.CPU_SECONDS, False, 0.1)
    with pytest.raises(ImageError) as refusal:
        open_picture(slow)
    assert refusal.value.code == "E_IMAGE_TOO_LARGE" and "too long" in str(refusal.value)


def test_a_decoder_that_takes_too_much_memory_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_process, "MEMORY", 0)
    monkeypatch.setattr(decoder_process, "PIXEL_BYTES", 1)
    lane = Lane(is_small=False)
    try:
        with pytest.raises(ImageError, match="memory"):
            lane.decode(png((6000, 6000), 8, 2, bytes(18_000)), "It")
    finally:
        lane.end()


@pytest.mark.parametrize("make", ["16 bits", "see-through", "lossless WebP"])
def test_the_largest_picture_takes_300_mb_beside_its_own(make: str) -> None:
    """The worker is ended where it takes more; whether it is opened or refused, nothing is left."""
    width, _ = LARGE
    data = {
        "16 bits": lambda: png(LARGE, 16, 0, b"\1\2" * width),
        "see-through": lambda: png(LARGE, 8, 6, b"\1\2\3\4" * width),
        "lossless WebP": lambda: encoded(
            Image.new("RGB", (7000, 5000)), "WEBP", lossless=True, quality=0, method=0
        ),
    }[make]()
    image = open_picture(data)
    assert image.size == ((7000, 5000) if "WebP" in make else LARGE)
    del image
    assert sum(one.memory_info().rss for one in workers()) < 200 * 2**20
