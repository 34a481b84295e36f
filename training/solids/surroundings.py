"""Surroundings: panoramas of real places, which light a thing from everywhere and lie behind it.

A panorama is (H, 2 H, 3) float32, linear light, from straight up to straight down and once around;
its brightest lamp is thousands of times as bright as the rest.
"""

import base64
import re
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

DATA = re.compile(r"base64,([A-Za-z0-9+/=]+)")
LAMP = 6e4  # the brightest light that a picture in half precision tells
BRIGHTNESS, BRIGHTEST = 0.45, 30  # of a place on average, and of its lamps beside that
BALANCE = 0.7  # how far a camera takes the colour of light away: 0 not, 1 wholly
# Photographs with a tree or boats in the middle: what is shown there has a name.
NAMED = frozenset(
    {"forest-0", "forest-1", "forest-2", "night-0", "night-2", "sunrise-1", "venice-2"}
)
VIEWS, WIDE = 3, (512, 384)  # photographs of a place, and their width and height
REACH, LEVEL = 100, 15  # degrees that a photograph spans from side to side; it looks down or up
EXPOSURE, CURVE = 2.2, 1 / 2.2


def read_panoramas(package: Path) -> dict[str, np.ndarray]:
    """Name -> panorama, of the package's folder of environments, in white light of one brightness.

    Raises FileNotFoundError.
    """
    files = sorted((package / "hdri").glob("*.exr.js"))
    if not files:
        raise FileNotFoundError(f"{package} has no hdri/; fetch the version that sets.json names.")
    return {file.name.partition(".")[0]: balanced(_read_exr(file)) for file in files}


def _read_exr(file: Path) -> np.ndarray:
    """A picture that a module of JavaScript has in it as base64 -> (H, W, 3)."""
    import OpenEXR

    found = DATA.search(file.read_text("ascii"))
    if found is None:
        raise ValueError(f"{file} has no picture in base64; another version of the package?")
    with tempfile.NamedTemporaryFile(suffix=".exr") as draft:
        draft.write(base64.b64decode(found[1]))
        draft.flush()
        with OpenEXR.File(draft.name) as opened:
            pixels = opened.channels()["RGB"].pixels
    light = pixels[..., :3].astype(np.float32)
    return np.asarray(np.clip(np.nan_to_num(light, nan=0, posinf=LAMP), 0, LAMP))


def balanced(panorama: np.ndarray) -> np.ndarray:
    """As a camera sees it that was set for this light: hardly a cast, and of one brightness."""
    middle = np.linspace(-np.pi / 2, np.pi / 2, 2 * len(panorama) + 1)[1::2]
    weight = np.cos(middle)[:, None, None] / np.cos(middle).sum() / panorama.shape[1]
    even = np.minimum(panorama, BRIGHTEST * np.median(panorama))
    mean = (even * weight).sum((0, 1))
    even = even * (mean.mean() / np.maximum(mean, 1e-6)) ** BALANCE
    even = even * (BRIGHTNESS / max(float((even * weight).sum((0, 1)).mean()), 1e-6))
    return np.asarray(even, np.float32)


def as_light(panorama: np.ndarray) -> Any:
    """A panorama as the texture that VTK lights by."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkRenderingCore import vtkTexture

    image, texture = vtkImageData(), vtkTexture()
    image.SetDimensions(panorama.shape[1], panorama.shape[0], 1)
    rows = np.ascontiguousarray(panorama[::-1].reshape(-1, 3))
    image.GetPointData().SetScalars(numpy_to_vtk(rows, deep=True))
    texture.SetInputData(image)
    texture.SetColorModeToDirectScalars()
    texture.MipmapOn()
    texture.InterpolateOn()
    return texture


def photographs_of(panoramas: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a camera sees of each place that shows nothing with a name -> name-number, (H, W, 3)
    uint8 each."""
    return {
        f"{name}-{number}": photograph(panorama, 360 * number / VIEWS, LEVEL * (-1) ** number)
        for name, panorama in panoramas.items()
        for number in range(VIEWS)
        if f"{name}-{number}" not in NAMED
    }


def photograph(panorama: np.ndarray, around: float, above: float) -> np.ndarray:
    """One view of a place; around, above: where the camera looks, in degrees -> (H, W, 3) uint8."""
    width, height = WIDE
    focal = width / 2 / np.tan(np.radians(REACH / 2))
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, (height - 1) / 2 - np.arange(height))
    up = np.radians(above)
    towards = focal * np.cos(up) - y * np.sin(up)
    rise = focal * np.sin(up) + y * np.cos(up)
    longitude = np.arctan2(x, towards) + np.radians(around)
    latitude = np.arctan2(rise, np.hypot(x, towards))
    rows, columns = panorama.shape[:2]
    column = (longitude / (2 * np.pi) % 1 * columns - 0.5).astype(np.float32)
    row = ((0.5 - latitude / np.pi) * rows - 0.5).astype(np.float32)
    developed = (1 - np.exp(-EXPOSURE * panorama)) ** CURVE  # as film takes it: nothing is cut off
    seen = cv2.remap(developed, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
    return np.asarray(255 * np.clip(seen, 0, 1), np.uint8)
