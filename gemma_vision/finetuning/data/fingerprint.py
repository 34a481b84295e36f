"""Fingerprint: what is equal for equal data sets, whatever folder they lie in."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gemma_vision.evaluate import Dataset, Scene

DIGITS = 32  # of SHA-256 in hexadecimal


def fingerprint(dataset: Dataset) -> str:
    """Of every picture's bytes and of all that is said of it."""
    parts = hashlib.sha256()
    for scene in dataset.scenes:
        parts.update(json.dumps(row_of(scene), sort_keys=True).encode())
        parts.update(digest(scene.path))
    return parts.hexdigest()[:DIGITS]


def row_of(scene: Scene) -> dict[str, Any]:
    """What a data set says of a picture, in numbers and words."""
    things = [
        [thing.name, [round(edge, 2) for edge in thing.box], thing.segmentation, thing.is_crowd]
        for thing in scene.things
    ]
    return {
        "size": scene.size,
        "things": things,
        "unsure": sorted(scene.unsure),
        "lines": scene.lines,
    }


def digest(path: Path) -> bytes:
    """What is equal for copies of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def fingerprint_of_files(paths: Iterable[Path]) -> str:
    """Of files by their names and bytes."""
    parts = hashlib.sha256()
    for path in sorted(paths):
        parts.update(path.name.encode())
        parts.update(digest(path))
    return parts.hexdigest()[:DIGITS]
