"""Photographs: pictures without a thing that has a name, as backgrounds and by themselves."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image

from gemma_vision.synthetic.backgrounds import smooth_noise

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}


def read_photographs(folder: Path) -> list[np.ndarray]:
    """Every picture of a folder -> (H, W, 3) uint8 each."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    return [np.array(Image.open(file).convert("RGB")) for file in files]


def cut(rng: Generator, photographs: Sequence[np.ndarray], width: int, height: int) -> np.ndarray:
    """Some part of some photograph, mirrored or not, in other colours -> (H, W, 3) uint8."""
    photograph = photographs[int(rng.integers(len(photographs)))]
    full = min(photograph.shape[0] / height, photograph.shape[1] / width)
    zoom = full * float(np.exp(rng.uniform(np.log(0.25), 0)))
    w, h = max(8, int(zoom * width)), max(8, int(zoom * height))
    left = int(rng.integers(photograph.shape[1] - w + 1))
    top = int(rng.integers(photograph.shape[0] - h + 1))
    part = photograph[top : top + h, left : left + w]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    how = cv2.INTER_AREA if zoom > 1 else cv2.INTER_LINEAR
    part = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=how)
    if rng.random() < 0.6:
        gain = rng.uniform(0.6, 1.3) * rng.uniform(0.8, 1.25, 3)
        tint = rng.uniform(-25, 25, 3) * (rng.random() < 0.5)
        part = np.clip(part * gain + tint, 0, 255).astype(np.uint8)
    return np.asarray(part)


def photographic(
    rng: Generator, photographs: Sequence[np.ndarray], width: int, height: int
) -> np.ndarray:
    """A part of a photograph, often with parts of another one in it -> (H, W, 3) uint8."""
    ground = cut(rng, photographs, width, height)
    if rng.random() < 0.4:
        other = cut(rng, photographs, width, height)
        weight = smooth_noise(rng, width, height)
        if rng.random() < 0.7:
            weight = (weight > rng.uniform(0.4, 0.7)).astype(np.float32)
        ground = (ground + (other.astype(np.float32) - ground) * weight[..., None]).astype(np.uint8)
    return np.ascontiguousarray(ground)
