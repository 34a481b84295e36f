"""Policies: how positions become pixels. Public systems disagree, so each way has a name.

`space` is what the big-vision/paligemma Space and most others do with PaliGemma's answers;
`bigvision` is the RefCOCO evaluator of big_vision, and what its mask tokens were made with.
"""

from collections.abc import Callable
from dataclasses import dataclass

from postprocess.errors import UserError
from postprocess.tokens import NUM_BINS

Box = tuple[float, float, float, float]
Pixels = tuple[int, int, int, int]
Point = tuple[float, float]  # x, y


class ConventionError(UserError):
    """A policy that does not exist."""

    CODE = "E_POLICY"


@dataclass(frozen=True)
class CoordinateConvention:
    """A way from units to pixels: the number of units in a side, and how an edge is rounded."""

    name: str
    bins_per_side: int
    to_whole: Callable[[float], int]
    is_soft: bool  # masks are resized as 8-bit probabilities, not as logits

    def box(self, box: tuple[int, int, int, int], units: int, size: tuple[int, int]) -> Box:
        """y0, x0, y1, x1 in units -> x0, y0, x1, y1 in pixels, unrounded, within (W, H)."""
        width, height = size
        y0, x0, y1, x1 = (value / self._per_side(units) for value in box)
        return _clip((x0 * width, y0 * height, x1 * width, y1 * height), size)

    def point(self, point: tuple[int, int], units: int, size: tuple[int, int]) -> Point:
        """y, x in units -> x, y in pixels, unrounded, within (W, H)."""
        return self.box((*point, *point), units, size)[:2]

    def pixels(self, box: Box) -> Pixels:
        """The whole-pixel box of an unrounded one."""
        x0, y0, x1, y1 = (self.to_whole(edge) for edge in box)
        return x0, y0, x1, y1

    def units(self, box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 in pixels -> the nearest y0, x0, y1, x1 in 0..1023."""
        width, height = size
        x0, y0, x1, y1 = _clip(box, size)
        shares = (y0 / height, x0 / width, y1 / height, x1 / width)
        a, b, c, d = (min(round(share * self.bins_per_side), NUM_BINS - 1) for share in shares)
        return a, b, c, d

    def _per_side(self, units: int) -> int:
        return self.bins_per_side if units == NUM_BINS else units


CONVENTIONS = {
    policy.name: policy
    for policy in (
        CoordinateConvention("space", NUM_BINS, round, is_soft=True),
        CoordinateConvention("bigvision", NUM_BINS - 1, int, is_soft=False),
    )
}


def find_convention(name: str) -> CoordinateConvention:
    """The policy of this name, in letters of any size; ConventionError names those there are."""
    said = str(name).strip().casefold()
    if said not in CONVENTIONS:
        known = " and ".join(CONVENTIONS)
        raise ConventionError(
            f"There is no policy {name!r}; there are {known}. Choose one of them."
        )
    return CONVENTIONS[said]


def _clip(box: Box, size: tuple[int, int]) -> Box:
    width, height = size
    x0, y0, x1, y1 = box
    return (
        min(max(x0, 0.0), width),
        min(max(y0, 0.0), height),
        min(max(x1, 0.0), width),
        min(max(y1, 0.0), height),
    )
