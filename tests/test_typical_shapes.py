"""Typical shapes: eight masks of a name that its other masks are near to, and what is learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gemma_vision.checkpoints.mask_decoder_files import open_decoder
from gemma_vision.finetuning.data import typical_shapes
from gemma_vision.finetuning.data.typical_shapes import (
    NUM_SHAPES,
    ShapeBank,
    TypicalShapes,
    choose,
    flat,
    overlap,
)


@pytest.fixture(scope="module")
def decoder() -> Any:
    """The decoder that the embedded checkpoint has."""
    return open_decoder("embedded")


def ellipses(count: int, seed: int) -> np.ndarray:
    """(M, 64, 64) bool: ellipses that fill more or less of their box."""
    y, x = np.mgrid[:64, :64] / 31.5 - 1
    axes = np.random.default_rng(seed).uniform(0.25, 1, (count, 2))
    return np.stack([(x / a) ** 2 + (y / b) ** 2 < 1 for a, b in axes]).astype(np.float32)


def iou(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Of two masks, by counting."""
    return float(np.logical_and(ours, theirs).sum() / np.logical_or(ours, theirs).sum())


class Thing:
    """An annotation as the readers give it, with a mask of its own."""

    def __init__(self, name: str, mask: np.ndarray) -> None:
        self.name, self.box, self.segmentation = name, (0.0, 0.0, 64.0, 64.0), [[0, 0, 1, 1, 0, 1]]
        self._mask = mask > 0.5

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        return self._mask


class Picture:
    """A scene of 64 x 64 pixels."""

    size = (64, 64)

    def __init__(self, *things: Thing) -> None:
        self.objects = things


def test_overlap_is_the_iou_of_each_with_each() -> None:
    masks = ellipses(4, 1)
    found = overlap(masks.reshape(4, -1), masks[:3].reshape(3, -1))
    wanted = [[iou(one, other) for other in masks[:3]] for one in masks]
    assert np.allclose(found, wanted, atol=1e-6)


def test_the_chosen_are_nearer_to_all_than_their_mean_is(decoder: Any) -> None:
    masks = ellipses(60, 2)
    chosen = choose(masks, decoder)
    assert 2 <= len(chosen.codes) <= NUM_SHAPES
    drawn = decoder.decode(chosen.codes, logits=True) > 0
    assert np.array_equal(chosen.masks, drawn.reshape(len(drawn), -1))
    fresh = ellipses(40, 3)
    nearest = overlap(fresh.reshape(40, -1), chosen.masks).max(1).mean()
    mean = np.mean([iou(one > 0.5, masks.mean(0) > 0.5) for one in fresh])
    assert nearest > mean + 0.1


def test_a_mask_is_spelled_as_shapes_of_its_own_name_by_how_well_they_fit(decoder: Any) -> None:
    masks = ellipses(20, 4)
    scenes: Any = [Picture(Thing("egg", mask)) for mask in masks]
    shapes = TypicalShapes.find(scenes, decoder, mirrored=True)
    spelled = decoder.encode(masks[:2])
    own, rng = shapes.known["egg"], np.random.default_rng(6)
    drawn: dict[tuple[int, ...], int] = {}
    for _ in range(2000):
        egg, other = shapes.codes(rng, ["egg", "pan"], masks[:2], spelled)
        assert other.tolist() == spelled[1].tolist(), "a name without shapes is spelled"
        drawn[tuple(egg)] = drawn.get(tuple(egg), 0) + 1
    likeness = [iou(masks[0] > 0.5, shape.reshape(64, 64) > 0.5) for shape in own.masks]
    wanted = (np.array(likeness) - min(likeness)) / sum(np.array(likeness) - min(likeness))
    found = [drawn.get(tuple(codes), 0) / 2000 for codes in own.codes]
    assert np.allclose(found, wanted, atol=0.05) and found[int(np.argmin(likeness))] < 0.01


def test_who_cannot_tell_two_shapes_apart_learns_the_one_between_them(decoder: Any) -> None:
    """Learned targets are counted over masks that look alike to a model: their commonest one."""
    left, top, full = (np.zeros((64, 64), np.float32) for _ in range(3))
    left[:, :32], top[:32], full[:] = 1, 1, 1
    masks = np.stack([left, 1 - left, top, 1 - top, full])
    own = ShapeBank(flat(masks), decoder.encode(masks))
    shapes, rng = TypicalShapes({"egg": own}), np.random.default_rng(7)
    counts = np.zeros(5)
    for mask in [*masks[:4]] * 500:
        (codes,) = shapes.codes(rng, ["egg"], mask[None], own.codes[:1])
        counts += (own.codes == codes).all(1)
    assert overlap(flat(masks[:4]), own.masks).mean(0).argmax() == counts.argmax() == 4


def test_many_masks_are_spelled_and_few_are_looked_at(
    decoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typical_shapes, "FEW", 12)
    monkeypatch.setattr(typical_shapes, "MOST_MASKS", 10)
    looked: list[str] = []
    real = Thing.mask

    def counted(self: Thing, size: tuple[int, int]) -> np.ndarray:
        looked.append(self.name)
        return real(self, size)

    monkeypatch.setattr(Thing, "mask", counted)
    masks = ellipses(13, 5)
    scenes: Any = [Picture(Thing("many", mask), Thing("few", mask)) for mask in masks[:12]]
    scenes.append(Picture(Thing("many", masks[12])))
    shapes = TypicalShapes.find(scenes, decoder, mirrored=False)
    assert list(shapes.known) == ["few"] and set(looked) == {"few"} and len(looked) <= 10
    bare = Thing("bare", masks[0])
    bare.segmentation = []
    nothing: Any = [Picture(bare)]
    assert TypicalShapes.find(nothing, decoder, mirrored=True).known == {}
