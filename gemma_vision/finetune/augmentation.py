"""Augmenting: a picture shown in other ways, its boxes and masks still true."""

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from gemma_vision.finetune.image_set import Part, Shown, changed
from postprocess.mask_formats import extent

CROPPED = 0.5  # share of the pictures that are cropped
SMALLEST = 0.55  # of a side that a crop keeps
TRIES = 8
LEAST_SEEN = 0.5  # of a thing that a crop cuts
GAIN, TINT, SHIFT = 0.25, 0.08, 16.0  # brightness, each channel's own, levels of 255


def augment(rng: Generator, shown: Shown, *, mirrored: bool = True) -> Shown:
    """Cropped, mirrored and recoloured, each by chance."""
    if rng.random() < CROPPED:
        shown = crop_anywhere(rng, shown)
    if mirrored and rng.random() < 0.5:
        shown = mirror(shown)
    return replace(shown, pixels=recolour(rng, shown.pixels))


def mirror(shown: Shown) -> Shown:
    """Left and right exchanged."""
    width = shown.size[0]

    def turned(part: Part) -> Part:
        x0, y0, x1, y1 = part.box
        mask = None if part.mask is None else part.mask[:, ::-1]
        return Part(part.name, (width - x1, y0, width - x0, y1), mask)

    return changed(shown, turned, shown.pixels[:, ::-1])


def recolour(rng: Generator, pixels: np.ndarray) -> np.ndarray:
    """A little brighter or darker, tinted, and with more or less contrast."""
    gain = (1 + rng.uniform(-GAIN, GAIN)) * (1 + rng.uniform(-TINT, TINT, 3))
    moved = pixels * gain.astype(np.float32) + np.float32(rng.uniform(-SHIFT, SHIFT))
    return np.asarray(moved.clip(0, 255).astype(np.uint8))


def crop_anywhere(rng: Generator, shown: Shown) -> Shown:
    """A part of the picture that is fair to every thing in it; the whole where none is found."""
    width, height = shown.size
    for _ in range(TRIES):
        wide = max(1, round(width * rng.uniform(SMALLEST, 1)))
        high = max(1, round(height * rng.uniform(SMALLEST, 1)))
        left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
        cropped = crop(shown, (left, top, left + wide, top + high))
        if cropped is not None:
            return cropped
    return shown


def crop(shown: Shown, window: tuple[int, int, int, int]) -> Shown | None:
    """What a window of whole pixels shows; None where it would make a box untrue.

    A thing with a mask may be cut down to half of it: its box is then what is seen of the mask.
    One without a mask has to be wholly inside or wholly outside, since nobody knows where in its
    box it is.
    """
    left, top, right, bottom = window
    fates = [seen_through(part, window) for part in shown.parts]
    if any(fate is None for fate in fates):
        return None
    kept = tuple(part for fate in fates for part in fate or ())
    pixels = shown.pixels[top:bottom, left:right]
    return replace(shown, pixels=pixels, parts=kept)


def seen_through(part: Part, window: tuple[int, int, int, int]) -> tuple[Part, ...] | None:
    """The thing in a window: one, none where it is outside, None where it is cut unfairly."""
    left, top, right, bottom = window
    x0, y0, x1, y1 = part.box
    inside = x0 >= left and y0 >= top and x1 <= right and y1 <= bottom
    outside = x1 <= left or y1 <= top or x0 >= right or y0 >= bottom
    mask = None if part.mask is None else part.mask[top:bottom, left:right]
    if inside:
        return (Part(part.name, (x0 - left, y0 - top, x1 - left, y1 - top), mask),)
    if outside:
        return ()
    if part.mask is None or mask is None:
        return None
    share = np.count_nonzero(mask) / np.count_nonzero(part.mask)
    if share == 0:
        return ()
    return (Part(part.name, extent(mask), mask),) if share >= LEAST_SEEN else None
