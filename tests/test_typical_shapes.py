"""Typical shapes: the mask that stands for all of a name while there are few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gemma_vision.checkpoints.mask_decoder_files import open_decoder
from gemma_vision.finetuning.data import typical_shapes
from gemma_vision.finetuning.data.typical_shapes import TypicalShapes, choose, flat, overlap


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


def drawn(codes: np.ndarray, decoder: Any) -> np.ndarray:
    """What codes stand for, (64, 64) bool."""
    return np.asarray(decoder.decode(codes[None], logits=True)[0] > 0)


def test_the_shape_overlaps_all_as_much_as_their_mean_and_more_than_any_of_them(
    decoder: Any,
) -> None:
    masks = ellipses(30, 2)
    shape = drawn(choose(masks, decoder), decoder)

    def likeness(one: np.ndarray) -> float:
        return float(np.mean([iou(one > 0.5, mask > 0.5) for mask in masks]))

    spelled = decoder.encode(np.stack([masks.mean(0) >= 0.5, *masks]).astype(np.float32))
    assert likeness(shape) >= max(likeness(drawn(codes, decoder)) for codes in spelled)
    assert likeness(shape) > likeness(masks.mean(0)) - 0.01


def test_without_tries_it_is_the_better_of_the_mean_and_the_nearest(decoder: Any) -> None:
    masks = ellipses(10, 3)
    found = choose(masks, decoder, tries=0).tolist()
    nearest = masks[overlap(flat(masks), flat(masks)).sum(1).argmax()]
    mean = (masks.mean(0) >= 0.5).astype(np.float32)
    assert found in decoder.encode(np.stack([mean, nearest])).tolist()


def test_every_mask_of_a_name_is_spelled_as_its_shape(decoder: Any) -> None:
    masks = ellipses(6, 4)
    scenes: Any = [Picture(Thing("egg", mask)) for mask in masks]
    shapes = TypicalShapes.find(scenes, decoder)
    spelled = decoder.encode(masks[:3])
    rows = shapes.codes(["egg", "pan", "egg"], spelled)
    assert rows[0].tolist() == rows[2].tolist() == shapes.known["egg"].tolist()
    assert rows[1].tolist() == spelled[1].tolist(), "a name without a shape is spelled"


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
    shapes = TypicalShapes.find(scenes, decoder)
    assert list(shapes.known) == ["few"] and set(looked) == {"few"} and len(looked) <= 10
    bare = Thing("bare", masks[0])
    bare.segmentation = []
    nothing: Any = [Picture(bare)]
    assert TypicalShapes.find(nothing, decoder).known == {}
