"""COCO: one `annotations.json` for all pictures, masks as run-lengths, scores beside the boxes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from postprocess.exports.annotated import Annotated, whole_box
from postprocess.exports.files import ExportError, read_json, write_json
from postprocess.instances import Instance
from postprocess.mask_formats import mask_from_coco, run_lengths

FILE = "annotations.json"

JSON = dict[str, Any]

_POINTED: JSON = {"keypoints": ["point"], "skeleton": []}
_VISIBLE = 2  # the third number of a key point that is labelled and seen


def to_coco(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """Write `annotations.json`; pictures that it already holds under other names stay in it."""
    path = folder / FILE
    known = read_coco(path) if path.exists() else []
    merged = {picture.file_name: picture for picture in [*known, *pictures]}
    return [write_json(path, describe(merged.values()))]


def describe(pictures: Iterable[Annotated]) -> JSON:
    """Pictures as a COCO data set: images, annotations, categories in order of appearance.

    A point is an annotation with one key point and an empty box.
    """
    pictures = list(pictures)
    images: list[JSON] = []
    annotations: list[JSON] = []
    categories: dict[str, int] = {}
    for image_id, picture in enumerate(pictures, 1):
        width, height = picture.size
        name = picture.file_name
        images.append({"id": image_id, "file_name": name, "width": width, "height": height})
        for instance in picture.instances:
            category = categories.setdefault(instance.name, len(categories) + 1)
            ids = {"id": len(annotations) + 1, "image_id": image_id, "category_id": category}
            annotations.append(ids | _annotation(instance))
    pointed = {one.name for picture in pictures for one in picture.instances if one.point}
    named = [
        {"id": number, "name": name} | (_POINTED if name in pointed else {})
        for name, number in categories.items()
    ]
    return {"images": images, "annotations": annotations, "categories": named}


def read_coco(path: Path) -> list[Annotated]:
    """The pictures of a COCO file, with the instances that it annotates; crowds are left out."""
    path = Path(path)
    data = read_json(path / FILE if path.is_dir() else path)
    try:
        names = {category["id"]: str(category["name"]) for category in data["categories"]}
        by_image: dict[Any, list[JSON]] = {image["id"]: [] for image in data["images"]}
        for annotation in data["annotations"]:
            if not annotation.get("iscrowd"):
                by_image[annotation["image_id"]].append(annotation)
        return [_read_picture(image, by_image[image["id"]], names) for image in data["images"]]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ExportError(f"{path} is not a COCO file ({error!r}). Export it again.") from error


def _annotation(instance: Instance) -> JSON:
    x0, y0, x1, y1 = instance.box
    mask = instance.mask
    area = (x1 - x0) * (y1 - y0) if mask is None else int(mask.sum())
    annotation: JSON = {
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": area,
        "segmentation": [] if mask is None else run_lengths(mask, instance.pixels),
        "iscrowd": 0,
    }
    if instance.point is not None:
        annotation |= {"keypoints": [*instance.point, _VISIBLE], "num_keypoints": 1}
    return annotation if instance.score is None else annotation | {"score": instance.score}


def _read_picture(image: JSON, annotations: list[JSON], names: dict[Any, str]) -> Annotated:
    size = (int(image["width"]), int(image["height"]))
    instances = [_read_instance(annotation, names, size) for annotation in annotations]
    return Annotated(str(image["file_name"]), size, instances)


def _read_instance(annotation: JSON, names: dict[Any, str], size: tuple[int, int]) -> Instance:
    x, y, wide, high = (float(value) for value in annotation["bbox"])
    box = (x, y, x + wide, y + high)
    mask = mask_from_coco(annotation.get("segmentation"), size)
    label = names[annotation["category_id"]]
    pixels = whole_box(box, mask, size)
    score, keypoints = annotation.get("score"), annotation.get("keypoints") or []
    is_point = len(keypoints) == 3 and wide == high == 0
    point = (float(keypoints[0]), float(keypoints[1])) if is_point else None
    return Instance(label, box, pixels, mask, score=score, point=point)
