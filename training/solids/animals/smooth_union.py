"""Smooth union: limbs that overlap as one body, without a seam where they meet."""

from collections.abc import Sequence

import numpy as np

from training.solids.meshes import Part, joined

CELLS = 128  # along the longest side of an animal
MARGIN = 8  # cells around it
BLUR, FILLET = 1.3, 6.0  # cells: over which an edge is smooth, and over which a corner is filled
FILLED = 0.52  # of what is around a point, from which on it is in a corner that is filled
# How much darker a hollow is, of which more than so much is filled within so many cells around.
SHADE, OPEN, HOLLOW = 0.9, 0.35, 9.0
DARKEST, LIGHTEST = 0.45, 1.05
MIXED = 4  # points of limbs that a colour is the mean of


def unite_limbs(parts: Sequence[Part]) -> list[Part]:
    """The parts of a thing, the limbs among them as one body that comes first."""
    limbs = [part for part in parts if part.is_limb]
    rest = [part for part in parts if not part.is_limb]
    return [smooth_union(limbs), *rest] if len(limbs) > 1 else list(parts)


def smooth_union(limbs: Sequence[Part]) -> Part:
    """Closed meshes that overlap -> their common surface, filled a little in its corners.

    A colour is the mean of the nearest points' of the limbs, darker in hollows. What is thinner
    than a fiftieth of the longest side is lost.
    """
    from scipy.ndimage import gaussian_filter
    from scipy.spatial import cKDTree
    from skimage.measure import marching_cubes

    every = joined(limbs)
    low, high = every.points.min(0), every.points.max(0)
    step = float((high - low).max()) / CELLS
    origin = low - MARGIN * step
    inside = np.zeros(np.ceil((high - low) / step).astype(int) + 2 * MARGIN + 1, bool)
    for limb in limbs:
        _fill(inside, limb, origin, step)
    solid = inside.astype(np.float32)
    near, around, far = (gaussian_filter(solid, cells) for cells in (BLUR, FILLET, HOLLOW))
    corners, faces, _, _ = marching_cubes(np.maximum(near - 0.5, around - FILLED), 0.0)
    points = corners * step + origin
    apart, nearest = cKDTree(every.points).query(points, MIXED)
    share = 1 / (apart + 0.5 * step)
    share /= share.sum(1, keepdims=True)
    colours = (every.colours[nearest] * share[..., None]).sum(1)
    filled = far[tuple(corners.round().astype(int).T)]
    shade = np.clip(1 - SHADE * (filled - OPEN), DARKEST, LIGHTEST)
    return Part(points, faces, np.clip(colours * shade[:, None], 0, 1), limbs[0].shine)


def _fill(inside: np.ndarray, part: Part, origin: np.ndarray, step: float) -> None:
    """Mark the cells whose middles are inside of a closed mesh."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

    low = np.floor((part.points.min(0) - origin) / step).astype(int) - 1
    high = np.ceil((part.points.max(0) - origin) / step).astype(int) + 1
    stencil, image = vtkPolyDataToImageStencil(), vtkImageStencilToImage()
    stencil.SetInputData(part.polygons())
    stencil.SetOutputOrigin(*origin)
    stencil.SetOutputSpacing(step, step, step)
    stencil.SetOutputWholeExtent(low[0], high[0], low[1], high[1], low[2], high[2])
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    cells = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars())
    box = cells.reshape(tuple(high - low + 1)[::-1]).transpose(2, 1, 0).astype(bool)
    inside[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))] |= box
