"""COCO: one `annotations.json` for all pictures, masks as run-lengths, scores beside the boxes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from postprocess.datasets.annotated import Annotated
from postprocess.datasets.coco_layout import FILE
from postprocess.datasets.files import ExportError, read_json, replaced, write_json
from postprocess.instances import Instance
from postprocess.mask_formats import run_lengths

JSON = dict[str, Any]
_GIVEN = ("id", "image_id", "category_id", "name")  # of an annotation, when it is numbered

Entry = tuple[JSON, list[JSON]]  # a picture, and its annotations with their names

_POINTED: JSON = {"keypoints": ["point"], "skeleton": []}
_VISIBLE = 2  # the third number of a key point that is labelled and seen


def to_coco(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """Write `annotations.json`; pictures that it already holds under other names stay in it.

    So does whatever else it says: of itself, of its licences, and of its categories.
    """
    path = folder / FILE
    data = read_json(path, "COCO") if path.exists() else {}
    known = _known_entries(data, path) if path.exists() else []
    entries = replaced(_by_name(known), _by_name(map(_entry, pictures)))
    used = {row["category_id"] for _, rows in known for row in rows}
    content = _numbered(entries, [(row, row["id"] in used) for row in data.get("categories", ())])
    return [write_json(path, data | content)]


def describe(pictures: Iterable[Annotated]) -> JSON:
    """Pictures as a COCO data set: images, annotations, categories in order of appearance.

    A point is an annotation with one key point and an empty box.
    """
    return _numbered(map(_entry, pictures))


def _entry(picture: Annotated) -> Entry:
    width, height = picture.size
    rows = [{"name": one.name} | _annotation(one) for one in picture.instances]
    return {"file_name": picture.file_name, "width": width, "height": height}, rows


def _by_name(entries: Iterable[Entry]) -> list[tuple[str, Entry]]:
    return [(str(image.get("file_name")), (image, rows)) for image, rows in entries]


def _known_entries(data: JSON, path: Path) -> list[Entry]:
    """The pictures of a file and what is in them, as it stands there."""
    try:
        names = {row["id"]: row["name"] for row in data["categories"]}
        rows: dict[Any, list[JSON]] = {image["id"]: [] for image in data["images"]}
        for row in data["annotations"]:
            rows[row["image_id"]].append(row | {"name": names[row["category_id"]]})
        return [
            ({"file_name": image["file_name"]} | image, rows[image["id"]])
            for image in data["images"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ExportError(f"{path} is no COCO file ({error!r}). Name another folder.") from error


def _numbered(entries: Iterable[Entry], known: Sequence[tuple[JSON, bool]] = ()) -> JSON:
    """Entries with ids from 1, and their names as categories in order of appearance.

    known: categories that were there before, and whether there was anything of theirs: one that
    stood there for itself goes on standing there.
    """
    entries = list(entries)
    said = {row["name"]: row for row, _ in reversed(known)}
    images: list[JSON] = []
    annotations: list[JSON] = []
    categories: dict[str, int] = {}
    for number, (image, rows) in enumerate(entries, 1):
        images.append({"id": number} | {key: image[key] for key in image if key != "id"})
        for row in rows:
            category = categories.setdefault(row["name"], len(categories) + 1)
            ids = {"id": len(annotations) + 1, "image_id": number, "category_id": category}
            annotations.append(ids | {key: row[key] for key in row if key not in _GIVEN})
    for row, was_used in known:
        if not was_used:
            categories.setdefault(row["name"], len(categories) + 1)
    pointed = {row["name"] for _, rows in entries for row in rows if "keypoints" in row}
    named = [
        {"id": number, "name": name}
        | (_POINTED if name in pointed else {})
        | {key: value for key, value in said.get(name, {}).items() if key != "id"}
        for name, number in categories.items()
    ]
    return {"images": images, "annotations": annotations, "categories": named}


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
