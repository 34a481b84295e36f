"""What readers take another way than it was written is told, and the same way in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postprocess.datasets import READERS, ExportError, Notices


def coco_of(*images: dict[str, Any]) -> dict[str, Any]:
    """A data set of these pictures with a thing each, of ever another width."""
    rows = [
        {"id": n, "image_id": one["id"], "category_id": 1, "bbox": [1, 2, 5 * n, 9]}
        for n, one in enumerate(images, 1)
    ]
    names = [{"id": 1, "name": "cat"}]
    return {"images": list(images), "annotations": rows, "categories": names}


def row(number: int, name: str, width: int = 64) -> dict[str, Any]:
    return {"id": number, "file_name": name, "width": width, "height": 48}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_picture_under_two_ids_of_coco_is_one_with_the_things_of_both(tmp_path):
    path = write(tmp_path / "a.json", coco_of(row(1, "a.png"), row(2, "b.png"), row(7, "a.png")))
    notices = Notices()
    found = READERS["coco"](path, notices)
    assert [(one.file_name, len(one.instances)) for one in found] == [("a.png", 2), ("b.png", 1)]
    assert notices.sentences == (
        "1 picture is listed twice and was taken as one, with all its things (a.png).",
    )


def test_a_picture_of_two_sizes_is_refused(tmp_path):
    path = write(tmp_path / "a.json", coco_of(row(1, "a.png"), row(2, "a.png", width=32)))
    with pytest.raises(
        ExportError, match=r"a\.png is listed as 64 x 48 and as 32 x 48; .* Correct"
    ):
        READERS["coco"](path)
