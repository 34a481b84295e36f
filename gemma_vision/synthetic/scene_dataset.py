"""Scene data sets: pictures of drawn things as a folder with COCO annotations.json.

Boxes and masks are of what is visible.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.compositor import ComposedScene, SceneObject, compose
from gemma_vision.synthetic.poses import sample_scene


def to_coco(
    scenes: Sequence[ComposedScene],
    files: Sequence[str],
    *,
    names: int,
    seed: int,
    only: Sequence[int] = (),
    vocabulary: Sequence[str] = (),
) -> dict[str, Any]:
    """COCO annotations with run-length masks; `info.seed` lets the evaluation draw absent names.

    The categories are the first `names` of the vocabulary, or those with the indices in `only`.
    vocabulary: what things are called, in the atlas where none is given.
    """
    words = vocabulary or load_atlas().names
    annotations: list[dict[str, Any]] = []
    for image_id, scene in enumerate(scenes, 1):
        for thing in scene.things:
            annotations.append(_annotation(thing, len(annotations) + 1, image_id))
    listed = only or range(min(names, len(words)))
    categories = [{"id": i + 1, "name": words[i]} for i in listed]
    images = [
        {"id": i, "file_name": f, "width": s.pixels.shape[1], "height": s.pixels.shape[0]}
        for i, (s, f) in enumerate(zip(scenes, files, strict=True), 1)
    ]
    info = {"description": "Gemma Vision synthetic scenes", "seed": seed}
    return {
        "info": info,
        "images": images,
        "categories": categories,
        "annotations": annotations,
    }


def _annotation(thing: SceneObject, annotation_id: int, image_id: int) -> dict[str, Any]:
    x0, y0, x1, y1 = thing.box
    runs = coco_mask.encode(np.asfortranarray(thing.mask, np.uint8))
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": thing.name + 1,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": int(np.count_nonzero(thing.mask)),
        "segmentation": {"size": list(runs["size"]), "counts": runs["counts"].decode("ascii")},
        "iscrowd": 0,
    }


def write_dataset(
    seed: int,
    count: int,
    out: Path,
    *,
    side: int,
    names: int,
    only: Sequence[int] = (),
    nameless: Sequence[int] | None = None,
) -> None:
    """Write `count` pictures and their annotations.json into a folder. nameless: see
    `sample_scene`.
    """
    rng = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    files = [f"{index:06d}.png" for index in range(count)]
    scenes = []
    for file in files:
        size = (side, side)
        layout = sample_scene(rng, size=size, num_names=names, only=only, nameless=nameless)
        scenes.append(compose(layout))
        Image.fromarray(scenes[-1].pixels).save(out / file)
    coco = to_coco(scenes, files, names=names, seed=seed, only=only)
    (out / "annotations.json").write_text(json.dumps(coco))
