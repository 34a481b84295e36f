"""Collage: things cut out of learned images along their masks and laid on other grounds.

A few dozen pictures show each thing before few backgrounds, at few places and sizes. What has a
mask can be shown anywhere: collages teach what the thing is, and not where it happened to lie.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator

from gemma_vision.evaluate import Scene
from gemma_vision.finetuning.data.image_set import ImageObject, ImageSet, LabelledImage
from gemma_vision.synthetic.backgrounds import draw_background
from postprocess.mask_formats import extent

MAX_THINGS = 4
SMALLEST, LARGEST = 0.15, 0.65  # the longest side of a thing, of the image's
TILT = 12.0  # degrees, standard deviation; at most three times as much
STRETCH = 0.12  # of the logarithm of width over height
MIN_VISIBLE = 0.55  # of a thing where another lies over it
MIN_PIXELS = 12  # of a mask: less is no shape
TRIES = 8
MARGIN = 2  # pixels around a cut-out, so that its edge stays soft


@dataclass(frozen=True, eq=False)
class Cutout:
    """One thing: pixels (h, w, 3) float32 and how much of each is its own (h, w) 0..1."""

    name: str
    pixels: np.ndarray
    cover: np.ndarray


class CollageSource:
    """Fresh images of things cut out of an image set; every thing drawn has a mask.

    mirrored: whether left and right may be exchanged.
    """

    def __init__(self, images: ImageSet, *, side: int, mirrored: bool = True) -> None:
        self.images, self.side, self.mirrored = images, side, mirrored
        self.things: dict[str, list[tuple[Scene, int]]] = {}
        for scene in images.scenes:
            for index, thing in enumerate(scene.objects):
                if thing.segmentation:
                    self.things.setdefault(thing.name, []).append((scene, index))

    @property
    def is_empty(self) -> bool:
        """Whether nothing has a mask."""
        return not self.things

    def draw(self, rng: Generator) -> LabelledImage:
        """Some things on a drawn ground; each name comes as often as the others."""
        canvas = draw_background(rng, self.side, self.side).astype(np.float32)
        placed: list[ImageObject] = []
        names = list(self.things)
        for _ in range(int(rng.integers(1, MAX_THINGS + 1))):
            places = self.things[names[int(rng.integers(len(names)))]]
            cut = self.cut_out(*places[int(rng.integers(len(places)))])
            if cut is not None:
                canvas, placed = lay(rng, canvas, placed, cut, mirrored=self.mirrored)
        return LabelledImage(canvas.clip(0, 255).astype(np.uint8), tuple(placed))

    def cut_out(self, scene: Scene, index: int) -> Cutout | None:
        """One of a scene's things; None where hardly anything of it is left at this size."""
        image = self.images.open(scene)
        thing = image.objects[index]
        if thing.mask is None or np.count_nonzero(thing.mask) < MIN_PIXELS:
            return None
        x0, y0, x1, y1 = extent(thing.mask)
        part = (slice(y0, y1), slice(x0, x1))
        cover = np.pad(thing.mask[part].astype(np.float32), MARGIN)
        edges = ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))
        pixels = np.pad(image.pixels[part].astype(np.float32), edges, mode="edge")
        return Cutout(thing.name, pixels, cv2.GaussianBlur(cover, (3, 3), 0.6))


def lay(
    rng: Generator,
    canvas: np.ndarray,
    placed: list[ImageObject],
    cut: Cutout,
    *,
    mirrored: bool,
) -> tuple[np.ndarray, list[ImageObject]]:
    """A cut-out laid over an image -> the image and its things, whose masks shrink where covered.

    Unchanged where no place is found that leaves enough to be seen of all.
    """
    height, width = canvas.shape[:2]
    for _ in range(TRIES):
        way = random_pose(rng, cut, (width, height), mirrored=mirrored)
        cover = cv2.warpAffine(cut.cover, way, (width, height), flags=cv2.INTER_LINEAR)
        mask = cover > 0.5
        if np.count_nonzero(mask) < MIN_PIXELS or touches_edge(cover):
            continue
        rest = [uncovered(thing, mask) for thing in placed]
        if any(thing is None for thing in rest):
            continue
        pixels = cv2.warpAffine(
            cut.pixels,
            way,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        share = cover[..., None]
        laid = ImageObject(cut.name, extent(mask), mask)
        return canvas * (1 - share) + pixels * share, [*filter(None, rest), laid]
    return canvas, placed


def random_pose(
    rng: Generator, cut: Cutout, size: tuple[int, int], *, mirrored: bool
) -> np.ndarray:
    """The (2, 3) affine map from a cut-out's pixels to those of an image of (width, height)."""
    high, wide = cut.cover.shape
    longest = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))) * max(size)
    scale = longest / max(high, wide)
    stretch = np.exp(rng.uniform(-STRETCH, STRETCH) / 2)
    flip = -1 if mirrored and rng.random() < 0.5 else 1
    angle = np.radians(np.clip(rng.normal(0, TILT), -3 * TILT, 3 * TILT))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([flip * scale * stretch, scale / stretch])
    reach = np.abs(linear) @ [wide / 2, high / 2]
    low, top = reach, np.maximum(np.array(size) - reach, reach)
    middle = rng.uniform(np.minimum(low, top), np.maximum(low, top))
    return np.column_stack([linear, middle - linear @ [wide / 2, high / 2]])


def touches_edge(cover: np.ndarray) -> bool:
    """Whether something lies on the outermost pixels: it would be cut by the image's edge."""
    rim = (cover[0], cover[-1], cover[:, 0], cover[:, -1])
    return any(bool((one > 0.5).any()) for one in rim)


def uncovered(thing: ImageObject, mask: np.ndarray) -> ImageObject | None:
    """What is left to be seen of a thing; None where that is too little."""
    assert thing.mask is not None, "things of collages have masks"
    left = thing.mask & ~mask
    if np.count_nonzero(left) < max(MIN_VISIBLE * np.count_nonzero(thing.mask), MIN_PIXELS):
        return None
    if np.count_nonzero(left) == np.count_nonzero(thing.mask):
        return thing
    return replace(thing, box=extent(left), mask=left)


Draw = Callable[[Generator], LabelledImage]


class MixedSource:
    """Images of one source or another, by chance: `shares` are their weights."""

    def __init__(self, draws: Sequence[Draw], shares: Sequence[float]) -> None:
        self.draws, self.shares = tuple(draws), np.array(shares) / np.sum(shares)

    def draw(self, rng: Generator) -> LabelledImage:
        """Any image of any source."""
        return self.draws[int(rng.choice(len(self.draws), p=self.shares))](rng)
