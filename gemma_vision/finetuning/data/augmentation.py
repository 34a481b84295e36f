"""Augmentation: an image in other ways, its boxes and masks still true."""

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from gemma_vision.finetuning.data.image_set import ImageObject, LabelledImage, with_objects
from postprocess.mask_formats import extent

CROPPED = 0.5  # share of the images that are cropped
SMALLEST = 0.55  # of a side that a crop keeps
TRIES = 8
MIN_VISIBLE = 0.5  # of a thing that a crop cuts
GAIN, TINT, SHIFT = 0.25, 0.08, 16.0  # brightness, each channel's own, levels of 255


def augment(rng: Generator, image: LabelledImage, *, mirrored: bool = True) -> LabelledImage:
    """Cropped, mirrored and recoloured, each by chance; recoloured alone where it has lines."""
    if image.lines:
        return replace(image, pixels=recolour(rng, image.pixels))
    if rng.random() < CROPPED:
        image = random_crop(rng, image)
    if mirrored and rng.random() < 0.5:
        image = mirror(image)
    return replace(image, pixels=recolour(rng, image.pixels))


def mirror(image: LabelledImage) -> LabelledImage:
    """Left and right exchanged."""
    width = image.size[0]

    def mirrored_object(thing: ImageObject) -> ImageObject:
        x0, y0, x1, y1 = thing.box
        mask = None if thing.mask is None else thing.mask[:, ::-1]
        return ImageObject(thing.name, (width - x1, y0, width - x0, y1), mask)

    return with_objects(image, mirrored_object, image.pixels[:, ::-1])


def recolour(rng: Generator, pixels: np.ndarray) -> np.ndarray:
    """A little brighter or darker, tinted, and with more or less contrast."""
    gain = (1 + rng.uniform(-GAIN, GAIN)) * (1 + rng.uniform(-TINT, TINT, 3))
    moved = pixels * gain.astype(np.float32) + np.float32(rng.uniform(-SHIFT, SHIFT))
    return np.asarray(moved.clip(0, 255).astype(np.uint8))


def random_crop(rng: Generator, image: LabelledImage) -> LabelledImage:
    """A part of the image that is fair to every thing in it; the whole where none is found."""
    width, height = image.size
    for _ in range(TRIES):
        wide = max(1, round(width * rng.uniform(SMALLEST, 1)))
        high = max(1, round(height * rng.uniform(SMALLEST, 1)))
        left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
        cropped = crop(image, (left, top, left + wide, top + high))
        if cropped is not None:
            return cropped
    return image


def crop(image: LabelledImage, window: tuple[int, int, int, int]) -> LabelledImage | None:
    """What a window of whole pixels shows; None where it would make a box untrue.

    A thing with a mask may be cut down to half of it: its box is then what is seen of the mask.
    One without a mask has to be wholly inside or wholly outside, since nobody knows where in its
    box it is.
    """
    left, top, right, bottom = window
    fates = [clip_to_window(thing, window) for thing in image.objects]
    if any(fate is None for fate in fates):
        return None
    objects = tuple(thing for fate in fates for thing in fate or ())
    return replace(image, pixels=image.pixels[top:bottom, left:right], objects=objects)


def clip_to_window(
    thing: ImageObject, window: tuple[int, int, int, int]
) -> tuple[ImageObject, ...] | None:
    """The thing in a window: one, none where it is outside, None where it is cut unfairly."""
    left, top, right, bottom = window
    x0, y0, x1, y1 = thing.box
    inside = x0 >= left and y0 >= top and x1 <= right and y1 <= bottom
    outside = x1 <= left or y1 <= top or x0 >= right or y0 >= bottom
    mask = None if thing.mask is None else thing.mask[top:bottom, left:right]
    if inside:
        return (ImageObject(thing.name, (x0 - left, y0 - top, x1 - left, y1 - top), mask),)
    if outside:
        return ()
    if thing.mask is None or mask is None:
        return None
    share = np.count_nonzero(mask) / np.count_nonzero(thing.mask)
    if share == 0:
        return ()
    return (ImageObject(thing.name, extent(mask), mask),) if share >= MIN_VISIBLE else None
