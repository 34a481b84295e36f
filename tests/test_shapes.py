"""Masks as run-lengths and polygons: equal to pycocotools, and back again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco

from postprocess.mask_formats import (
    ShapeError,
    fill,
    join_rings,
    mask_from_coco,
    mask_of,
    parts,
    polygons,
    run_lengths,
    simplify,
)

MASKS = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(MASKS)
@settings(max_examples=300, deadline=None)
def test_run_lengths_are_those_of_pycocotools(mask):
    expected = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert run_lengths(mask) == {"size": list(mask.shape), "counts": expected}
    assert np.array_equal(mask_of(run_lengths(mask)), mask)


@given(MASKS, st.integers(0, 11), st.integers(0, 11))
@settings(max_examples=100, deadline=None)
def test_only_the_box_of_a_mask_needs_looking_at(mask, x0, y0):
    height, width = mask.shape
    mask[:y0] = False
    mask[:, :x0] = False
    box = (x0, y0, width, height)
    assert run_lengths(mask, box) == run_lengths(mask)
    assert polygons(mask, box) == polygons(mask)


def ellipse(width, height, x, y, a, b):
    rows, columns = np.mgrid[:height, :width]
    return ((columns - x) / a) ** 2 + ((rows - y) / b) ** 2 <= 1


def test_a_filled_polygon_is_the_mask_again():
    mask = ellipse(120, 90, 40, 45, 30, 20) | ellipse(120, 90, 95, 20, 12, 15)
    rings = polygons(mask)
    assert len(rings) == 2 and len(rings[0]) > len(rings[1]) > 10
    assert np.array_equal(fill(rings, (120, 90)), mask)


ROWS, COLUMNS = np.mgrid[:100, :120]
RADIUS = np.hypot(COLUMNS - 60, ROWS - 50)
BLOCK = (COLUMNS > 10) & (COLUMNS < 110) & (ROWS > 80) & (ROWS < 90)

SHAPES = {
    "disc": RADIUS < 40,
    "ring": (RADIUS < 40) & (RADIUS > 20),
    "ring of one pixel": (RADIUS < 40) & (RADIUS > 38.5),
    "letter O": (np.hypot((COLUMNS - 60) / 0.7, ROWS - 50) < 40)
    & (np.hypot((COLUMNS - 60) / 0.5, ROWS - 50) > 30),
    "ring in a ring": ((RADIUS < 40) & (RADIUS > 30)) | ((RADIUS < 20) & (RADIUS > 10)),
    "comb": BLOCK
    | ((COLUMNS % 4 == 0) & (ROWS > 10) & (ROWS <= 80) & (COLUMNS > 10) & (COLUMNS < 110)),
    "grid of holes": (COLUMNS % 7 == 0) | (ROWS % 7 == 0),
    "two parts": ellipse(120, 100, 30, 30, 20, 15) | ellipse(120, 100, 90, 70, 15, 20),
    "two lines of one pixel": ((ROWS == 10) & (COLUMNS < 50)) | ((COLUMNS == 70) & (ROWS > 20)),
    "a block and a line": ((COLUMNS < 20) & (ROWS < 20)) | ((ROWS == 60) & (COLUMNS > 40)),
    "diagonal": ROWS == COLUMNS,
    "chessboard": (ROWS + COLUMNS) % 2 == 0,
    "dust": (ROWS % 5 == 0) & (COLUMNS % 5 == 0),
}


@pytest.mark.parametrize("mask", SHAPES.values(), ids=SHAPES.keys())
def test_polygons_keep_the_shape_with_its_holes(mask):
    assert np.array_equal(fill(polygons(mask), (120, 100)), mask)


@pytest.mark.parametrize("mask", SHAPES.values(), ids=SHAPES.keys())
def test_a_seam_keeps_the_holes_of_a_part(mask):
    joined = [fill([join_rings(part)], (120, 100)) for part in parts(mask)]
    both = np.logical_or.reduce(joined)
    assert (both & mask).sum() / (both | mask).sum() >= 0.95


@given(arrays(bool, st.tuples(st.integers(8, 20), st.integers(8, 20))))
@settings(max_examples=200, deadline=None)
def test_no_more_than_a_few_single_pixels_are_lost(mask):
    filled = fill(polygons(mask), mask.shape[::-1])
    assert not (filled & ~mask).any()
    assert (mask & ~filled).sum() <= max(1, 0.02 * mask.sum())


@pytest.mark.parametrize(
    ("places", "rings"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(1, 2)], [[[1, 2]]], id="one pixel is kept when it is all there is"),
        pytest.param(
            [(0, 0), (5, 5), (6, 5), (5, 6), (6, 6)],
            [[[5, 5], [5, 6], [6, 6], [6, 5]]],
            id="a speck beside a shape is left out",
        ),
    ],
)
def test_specks(places, rings):
    mask = np.zeros((8, 8), bool)
    for x, y in places:
        mask[y, x] = True
    assert polygons(mask) == rings


def test_points_are_x_before_y_and_whole_numbers():
    mask = np.zeros((10, 50), bool)
    mask[2:5, 30:40] = True
    (ring,) = polygons(mask)
    assert sorted(map(tuple, ring)) == [(30, 2), (30, 4), (39, 2), (39, 4)]
    assert all(type(value) is int for point in ring for value in point)


@pytest.mark.parametrize(
    "segmentation",
    [
        pytest.param([[2, 1, 7, 1, 7, 5, 2, 5]], id="a polygon"),
        pytest.param([[2, 1, 7, 1, 7, 3, 2, 3], [2, 3, 7, 3, 7, 5, 2, 5]], id="two of them"),
        pytest.param({"size": [6, 9], "counts": [13, 4, 2, 4, 2, 4, 2, 4, 2, 4, 13]}, id="runs"),
    ],
)
def test_a_segmentation_of_coco_is_a_mask(segmentation):
    expected = np.zeros((6, 9), bool)
    expected[1:5, 2:7] = True
    assert np.array_equal(mask_from_coco(segmentation, (9, 6)), expected)
    assert np.array_equal(mask_from_coco(run_lengths(expected), (9, 6)), expected)


def test_no_segmentation_is_no_mask_and_that_of_another_picture_is_refused():
    assert mask_from_coco([], (9, 6)) is None and mask_from_coco(None, (9, 6)) is None
    with pytest.raises(ShapeError, match="A mask is 5 x 4, its picture 9 x 6"):
        mask_from_coco(run_lengths(np.ones((4, 5), bool)), (9, 6))


def test_a_box_outside_the_picture_holds_nothing():
    mask = np.ones((5, 5), bool)
    assert polygons(mask, (7, 7, 9, 9)) == []
    assert mask_of(run_lengths(mask, (7, 7, 9, 9))).sum() == 0


def farthest(points, ring):
    """How far any of the points is from a closed line through the points of `ring`."""
    start, end = ring[None], np.roll(ring, -1, axis=0)[None]
    along, offset = end - start, points[:, None] - start
    length = (along * along).sum(-1)
    share = np.clip((offset * along).sum(-1) / np.where(length == 0, 1, length), 0, 1)
    return np.hypot(*(offset - share[..., None] * along).T).min(axis=0).max()


def test_a_simpler_circle_has_few_points_and_lies_near():
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    circle = 400 + 300 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    kept = simplify(circle, 0.5)
    assert 20 < len(kept) < 100 and farthest(circle, kept) < 0.51


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=40),
    st.floats(0.3, 5),
)
@settings(max_examples=200, deadline=None)
def test_a_simpler_line_keeps_points_of_its_own_and_stays_near(places, tolerance):
    points = np.array(places, float)
    kept = simplify(points, tolerance)
    assert {tuple(point) for point in kept} <= {tuple(point) for point in points}
    assert farthest(points, kept) <= 1.25 * tolerance
