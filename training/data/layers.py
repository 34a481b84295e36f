"""Layers: the parameters of scenes as arrays that the torch compositor draws from.

A scene has up to four layers, back to front, one for each thing. B scenes, T layers. Numbers only,
a hundred bytes a layer: cheap to hand from the processes that draw parameters to the device.
"""

from collections.abc import Sequence

import numpy as np

from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.mipmaps import full_area, is_enlarged, level_of, placing, window
from gemma_vision.synthetic.poses import Pose, SceneLayout
from training.data.background_stream import BackgroundCrop

MAX_LAYERS = 4
NOBODY = -2  # the name of a layer that is not there; -1 is a thing without a name

Arrays = dict[str, np.ndarray]


def layer_arrays(scenes: Sequence[SceneLayout]) -> Arrays:
    """Scenes of one size -> what every layer is and where it lies.

    texture (B, T) int64; level (B, T) int64, its mipmap; inverse (B, T, 2, 3) float32 from picture
    pixels to pixels of the mipmap; window (B, T, 4) int64 left, top, right, bottom; gain (B, T, 3)
    float32; area (B, T) float32 in pixels; name and sprite (B, T) int64; turn (B, T, 2) float32
    and own (B, T, 2, 3) float32, from picture pixels to the sprite's square: see `to_sample`.
    """
    shape = (len(scenes), MAX_LAYERS)
    arrays: Arrays = {
        "texture": np.zeros(shape, np.int64),
        "level": np.zeros(shape, np.int64),
        "inverse": np.zeros((*shape, 2, 3), np.float32),
        "window": np.zeros((*shape, 4), np.int64),
        "gain": np.zeros((*shape, 3), np.float32),
        "area": np.ones(shape, np.float32),
        "name": np.full(shape, NOBODY, np.int64),
        "sprite": np.zeros(shape, np.int64),
        "turn": np.zeros((*shape, 2), np.float32),
        "own": np.zeros((*shape, 2, 3), np.float32),
    }
    for row, scene in enumerate(scenes):
        assert len(scene.poses) <= MAX_LAYERS, "scenes have four things at most"
        for layer, pose in enumerate(scene.poses):
            _fill({key: array[row] for key, array in arrays.items()}, layer, pose, scene)
    return arrays


def _fill(arrays: Arrays, layer: int, pose: Pose, scene: SceneLayout) -> None:
    num_sprites = len(load_atlas().images)
    arrays["texture"][layer] = pose.sprite + (num_sprites if is_enlarged(pose) else 0)
    arrays["level"][layer] = level_of(pose)
    arrays["inverse"][layer] = _inverse(placing(pose))
    arrays["window"][layer] = window(pose, scene.width, scene.height)
    arrays["gain"][layer] = pose.gain
    arrays["area"][layer] = full_area(pose)
    arrays["name"][layer] = pose.name
    arrays["sprite"][layer] = pose.sprite
    arrays["turn"][layer] = np.radians(pose.angle), pose.mirrored
    arrays["own"][layer] = pose.inverse()


def _inverse(affine: np.ndarray) -> np.ndarray:
    linear = np.linalg.inv(affine[:, :2])
    return np.column_stack([linear, -linear @ affine[:, 2]])


def corner_array(parts: Sequence[BackgroundCrop]) -> np.ndarray:
    """Which part of which background lies behind -> (B, 4) int64 number, left, top, mirrored."""
    return np.array([[p.number, p.left, p.top, p.is_mirrored] for p in parts], np.int64)


def fresh_arrays(parts: Sequence[BackgroundCrop]) -> Arrays:
    """The backgrounds that are new: numbers (F,) int64, pixels (F, 288, 288, 3) uint8."""
    fresh = [part for part in parts if part.fresh is not None]
    return {
        "numbers": np.array([part.number for part in fresh], np.int64),
        "pixels": np.array([part.fresh for part in fresh], np.uint8),
    }
