"""Long pictures are cropped exactly as Gemma 3's processor in transformers crops them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from gemma_vision.images.pan_and_scan import crop_boxes, views
from gemma_vision.images.resizing import to_pixels

SETTINGS = {
    "pan_and_scan_min_crop_size": 256,
    "pan_and_scan_max_num_crops": 4,
    "pan_and_scan_min_ratio_to_activate": 1.2,
}
SIDE, LARGEST = 56, 2500
PROCESSOR = Gemma3ImageProcessorPil(
    size={"height": SIDE, "width": SIDE}, do_pan_and_scan=True, **SETTINGS
)
NOISE = np.random.default_rng(0).integers(0, 256, (LARGEST, LARGEST, 3), dtype=np.uint8)


def test_2000_sizes_are_cropped_as_transformers_crops_them() -> None:
    cropped = 0
    for width, height in random_sizes(2000, seed=0):
        # a view of one row and one column stands for the picture: crops are slices
        where = np.broadcast_to(np.arange(width, dtype=np.int32), (1, height, width))
        rows = np.broadcast_to(np.arange(height, dtype=np.int32)[:, None], (1, height, width))
        theirs = PROCESSOR.pan_and_scan(where, *SETTINGS.values())
        down = PROCESSOR.pan_and_scan(rows, *SETTINGS.values())
        boxes = [
            (int(x[0, 0, 0]), int(y[0, 0, 0]), int(x[0, 0, -1]) + 1, int(y[0, -1, 0]) + 1)
            for x, y in zip(theirs, down, strict=True)
        ]
        assert crop_boxes((width, height)) == boxes, (width, height)
        cropped += bool(boxes)
    assert cropped > 600  # enough of the sizes are long and large


@pytest.mark.parametrize(
    "size, count",
    [
        ((1000, 800), 2),
        ((640, 480), 2),
        ((1920, 1080), 2),
        ((800, 256), 3),
        ((4000, 1000), 4),
        ((256, 800), 3),
        ((600, 255), 0),
        ((2560, 1024), 3),  # 2.5 is rounded up
        ((1024, 2560), 3),
        ((1800, 1200), 2),
        ((1200, 1000), 2),  # the least ratio
        ((1199, 1000), 0),
        ((1000, 1000), 0),
        ((1, 1), 0),
        ((16384, 300), 4),
    ],
)
def test_known_sizes(size: tuple[int, int], count: int) -> None:
    assert len(crop_boxes(size)) == count


@pytest.mark.parametrize("size", [(800, 256), (300, 1000), (640, 480), (257, 257)])
def test_crops_cover_the_picture_without_overlap(size: tuple[int, int]) -> None:
    covered = np.zeros(size[::-1], int)
    for x0, y0, x1, y1 in crop_boxes(size):
        covered[y0:y1, x0:x1] += 1
    assert (covered == bool(crop_boxes(size))).all()


def noisy(size: tuple[int, int]) -> Image.Image:
    """A picture of that size in which every pixel is of its own colour."""
    width, height = size
    return Image.fromarray(NOISE[:height, :width])


def check_pixels(size: tuple[int, int], processor: Gemma3ImageProcessorPil, side: int) -> bool:
    """As many views as theirs, each of them equal to the bit; whether there were crops."""
    image = noisy(size)
    theirs = processor(image, return_tensors="np")["pixel_values"]
    ours = [to_pixels(view, side, Image.Resampling.BILINEAR) for view in views(image)]
    assert len(ours) == len(theirs), size
    assert np.array_equal(np.stack(ours), theirs), size
    return len(ours) > 1


def random_sizes(count: int, seed: int) -> list[tuple[int, int]]:
    """Sides between 150 and 2500 pixels, evenly on a logarithmic scale."""
    rng = np.random.default_rng(seed)
    sides = np.exp(rng.uniform(np.log(150), np.log(LARGEST), (count, 2))).astype(int)
    return [(int(width), int(height)) for width, height in sides]


@pytest.mark.parametrize("size", [(700, 300), (300, 700), (1200, 280), (640, 500), (300, 300)])
def test_pixels_of_all_views_equal_transformers(size: tuple[int, int]) -> None:
    check_pixels(size, PROCESSOR, SIDE)


def test_pixels_of_40_random_sizes_equal_transformers() -> None:
    cropped = [check_pixels(size, PROCESSOR, SIDE) for size in random_sizes(40, seed=1)]
    assert 10 < sum(cropped) < 40


@pytest.mark.slow
def test_pixels_of_2000_random_sizes_equal_transformers() -> None:
    cropped = [check_pixels(size, PROCESSOR, SIDE) for size in random_sizes(2000, seed=2)]
    assert sum(cropped) > 600


@pytest.mark.parametrize("size", [(2100, 500), (600, 1300)])
def test_pixels_at_the_published_side_equal_transformers(size: tuple[int, int]) -> None:
    processor = Gemma3ImageProcessorPil(
        size={"height": 896, "width": 896}, do_pan_and_scan=True, **SETTINGS
    )
    assert check_pixels(size, processor, 896)
