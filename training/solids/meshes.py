"""Meshes: simple solids with a colour at every point, of which things are put together.

y points up and z towards whoever looks; lengths are in any unit. N points, F triangles. Colours
are RGB, 0..1; a colour is one (3,) for all points or (N, 3).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

WAVES = 6  # that smooth noise is the sum of


@dataclass(frozen=True)
class Part:
    """One mesh: points (N, 3), faces (F, 3) indices of points, colours (N, 3), shine 0..1.

    is_limb: closed, and one with the other limbs of its animal.
    """

    points: np.ndarray
    faces: np.ndarray
    colours: np.ndarray
    shine: float = 0.15
    is_limb: bool = False

    def moved(self, x: float = 0, y: float = 0, z: float = 0) -> "Part":
        return replace(self, points=self.points + np.array((x, y, z)))

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> "Part":
        """Larger along each axis; one number is for all three."""
        factors = (x, x if y is None else y, x if z is None else z)
        return replace(self, points=self.points * factors)

    def turned(self, degrees: float, axis: str = "y") -> "Part":
        """Turned about an axis through the origin."""
        first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        points = self.points.copy()
        points[:, first] = cos * self.points[:, first] - sin * self.points[:, second]
        points[:, second] = sin * self.points[:, first] + cos * self.points[:, second]
        return replace(self, points=points)

    def painted(self, colour: ArrayLike, where: np.ndarray | None = None) -> "Part":
        """In another colour, all of it or as far as `where` (N,) 0..1 says."""
        share = 1.0 if where is None else np.asarray(where, float)[:, None]
        return replace(self, colours=self.colours * (1 - share) + np.asarray(colour) * share)

    def shiny(self, shine: float) -> "Part":
        return replace(self, shine=shine)

    def as_limb(self) -> "Part":
        return replace(self, is_limb=True)

    def apart(self) -> "Part":
        """No limb, as what is too thin to be one with anything."""
        return replace(self, is_limb=False)

    def polygons(self) -> Any:
        """Its points and faces as VTK takes them."""
        from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
        from vtkmodules.vtkCommonCore import vtkPoints
        from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

        points, cells, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
        points.SetData(numpy_to_vtk(self.points.astype(np.float32), deep=True))
        cells.SetData(3, numpy_to_vtkIdTypeArray(self.faces.astype(np.int64).ravel(), deep=True))
        mesh.SetPoints(points)
        mesh.SetPolys(cells)
        return mesh

    def bumpy(self, rng: Generator, height: float, scale: float) -> "Part":
        """Pushed in and out along the way from the origin, smoothly."""
        push = 1 + height * noise(rng, self.points, scale)
        return replace(self, points=self.points * push[:, None])


def noise(rng: Generator, points: np.ndarray, scale: float) -> np.ndarray:
    """Smooth random numbers of about -1..1, one a point; scale: length of a wave."""
    ways = rng.normal(0, 1, (WAVES, 3))
    ways *= 2 * np.pi / scale / np.linalg.norm(ways, axis=1, keepdims=True)
    waves = np.sin(points @ ways.T + rng.uniform(0, 2 * np.pi, WAVES))
    return np.asarray(waves.sum(1) / np.sqrt(WAVES))


def mottled(
    rng: Generator, part: Part, colour: ArrayLike, scale: float, share: float = 0.5
) -> Part:
    """Another colour in smooth patches; share: about how much of it they cover."""
    waves = noise(rng, part.points, scale)
    edge = np.quantile(waves, 1 - share)
    return part.painted(colour, np.clip((waves - edge) * 3 + 0.5, 0, 1))


def surface(points: np.ndarray, colour: ArrayLike, shine: float = 0.15) -> Part:
    """A sheet of points (U, V, 3) -> a part, two triangles between each four neighbours."""
    rows, columns = points.shape[:2]
    corner = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    flat = points.reshape(-1, 3).astype(float)
    return Part(flat, faces, np.broadcast_to(np.asarray(colour, float), flat.shape), shine)


def lathe(profile: ArrayLike, colour: ArrayLike, *, sides: int = 48, shine: float = 0.15) -> Part:
    """A profile (K, 2) of radius and height, turned about the y axis."""
    radius, height = np.asarray(profile, float).T
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    x, z = np.outer(radius, np.sin(angle)), np.outer(radius, np.cos(angle))
    y = np.repeat(height[:, None], sides + 1, 1)
    return surface(np.stack([x, y, z], -1), colour, shine)


def ellipsoid(radii: Sequence[float], colour: ArrayLike, *, sides: int = 40) -> Part:
    """About the origin, with three radii."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 1)
    ball = lathe(np.stack([np.cos(angle), np.sin(angle)], 1), colour, sides=sides)
    return ball.scaled(*radii)


def tube(
    path: ArrayLike, radii: ArrayLike, colour: ArrayLike, *, sides: int = 16, shine: float = 0.15
) -> Part:
    """A round bar along a path (K, 3), with closed ends; radii: one, or (K,)."""
    line = np.asarray(path, float)
    thick = np.broadcast_to(np.asarray(radii, float), len(line))
    line = np.concatenate([line[:1], line, line[-1:]])
    thick = np.concatenate([[1e-4], thick, [1e-4]])
    way = np.gradient(line, axis=0)
    way[0], way[-1] = line[2] - line[1], line[-2] - line[-3]
    way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-9
    helper = np.array([0.0, 0.0, 1.0])
    if abs(way @ helper).mean() > 0.8:
        helper = np.array([1.0, 0.0, 0.0])
    side = np.cross(way, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(side, way)
    angle = np.linspace(0, 2 * np.pi, sides + 1)[None, :, None]
    ring = side[:, None] * np.cos(angle) + up[:, None] * np.sin(angle)
    return surface(line[:, None] + ring * thick[:, None, None], colour, shine)


def prism(outline: ArrayLike, depth: float, colour: ArrayLike, *, shine: float = 0.15) -> Part:
    """An outline (K, 2) in x and y as a plate along z, about z = 0.

    Of an outline that is seen whole from the mean of its corners.
    """
    edge = np.asarray(outline, float)
    ring = np.concatenate([edge, edge[:1]])
    middle = np.broadcast_to(edge.mean(0), ring.shape)
    rows = [
        np.column_stack([row, np.full(len(row), z)])
        for row, z in ((middle, 0.5), (ring, 0.5), (ring, -0.5), (middle, -0.5))
    ]
    sheets = [np.stack(pair) * (1, 1, depth) for pair in itertools.pairwise(rows)]
    return joined([surface(sheet, colour, shine) for sheet in sheets])


def box(size: Sequence[float], colour: ArrayLike, *, shine: float = 0.15) -> Part:
    """About the origin, with edges along the axes of these lengths."""
    x, y, z = size
    return prism(np.array([(-x, -y), (x, -y), (x, y), (-x, y)]) / 2, z, colour, shine=shine)


def joined(parts: Sequence[Part]) -> Part:
    """Several parts as one, which shines as the first does."""
    offsets = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    return Part(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, offsets, strict=True)]),
        np.concatenate([part.colours for part in parts]),
        parts[0].shine,
    )


def arc(radius: float, start: float, end: float, count: int = 24) -> np.ndarray:
    """Points of a circle about the origin, degrees from the x axis -> (count, 2)."""
    angle = np.radians(np.linspace(start, end, count))
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1)


def vary(rng: Generator, colour: ArrayLike, by: float = 0.08) -> np.ndarray:
    """A colour, a little lighter or darker and of a little other hue."""
    return np.clip(
        np.multiply(colour, rng.uniform(1 - by, 1 + by)) + rng.normal(0, by / 3, 3), 0, 1
    )
