"""The embedded checkpoint's mask decoder on shapes that nobody trained it on."""

from pathlib import Path

import cv2
import numpy as np

import gemma_vision
from postprocess.instances import crop
from postprocess.mask_decoder import MaskDecoder
from postprocess.mask_formats import extent
from postprocess.metrics import mask_iou

FILE = Path(gemma_vision.__file__).parent / "checkpoints" / "tiny" / "mask_decoder.npz"


def ellipse(rng, canvas):
    sides = (int(rng.integers(40, 120)), int(rng.integers(40, 120)))
    cv2.ellipse(canvas, (128, 128), sides, rng.uniform(0, 180), 0, 360, 1, -1)


def star(rng, canvas):
    count = int(rng.integers(3, 9))
    outline(canvas, np.sort(rng.uniform(0, 2 * np.pi, count)), rng.uniform(50, 120, count))


def blob(rng, canvas):
    turn = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    waves = sum(rng.uniform(-18, 18) * np.cos(k * turn + rng.uniform(0, 6)) for k in range(2, 6))
    outline(canvas, turn, 80 + waves)


def outline(canvas, turn, radius):
    points = np.stack([128 + radius * np.cos(turn), 128 + radius * np.sin(turn)], 1)
    cv2.fillPoly(canvas, [points.astype(np.int32)], 1)


def held_out(count, seed):
    """Shapes cropped to their boxes, (count, 64, 64) in 0..1."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        canvas = np.zeros((256, 256), np.uint8)
        (ellipse, star, blob)[number % 3](rng, canvas)
        mask = canvas.astype(bool)
        yield crop(mask, extent(mask))


def test_sixteen_codes_keep_a_shape():
    decoder = MaskDecoder.load(FILE)
    masks = np.stack(list(held_out(120, seed=900_001)))
    codes = decoder.encode(masks)
    drawn = decoder.decode(codes, logits=True) > 0
    ious = [mask_iou(a, b) for a, b in zip(drawn, masks >= 0.5, strict=True)]
    assert np.mean(ious) >= 0.91
    assert len(np.unique(codes)) > 64  # and it is not by one shape that fits all
