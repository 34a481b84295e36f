"""What would keep a decoder at work is refused before it is begun; what people have opens."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from crafted_pictures import REFUSED, encoded, jpeg_of_scans, png, png_chunk
from PIL import Image

from gemma_vision.images.container_scan import scan_container
from gemma_vision.images.limits import ImageError
from gemma_vision.images.opening import open_image


@pytest.mark.parametrize("name", REFUSED)
def test_a_crafted_file_is_refused_within_a_moment(name: str) -> None:
    data = REFUSED[name]()
    tracemalloc.start()
    begun = time.process_time()
    try:
        with pytest.raises(ImageError) as refusal:
            open_image(data)
        assert time.process_time() - begun < 1
        assert tracemalloc.get_traced_memory()[1] < 2**20 + len(data)
    finally:
        tracemalloc.stop()
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("progressive", [False, True])
def test_the_scans_of_a_jpeg_are_counted(progressive: bool) -> None:
    picture = Image.effect_noise((64, 64), 40).convert("RGB")
    data = encoded(picture, "JPEG", progressive=progressive)
    assert scan_container(data, "it") == data.count(b"\xff\xda")


def test_a_progressive_jpeg_may_have_more_scans_than_usual() -> None:
    assert open_image(jpeg_of_scans((300, 200), 40)).size == (300, 200)


def test_a_png_of_many_small_chunks_opens() -> None:
    text = [png_chunk(b"tEXt", b"key\0value")] * 500
    assert open_image(png((8, 8), 8, 0, bytes(8), *text)).size == (8, 8)
