"""Files that are whole or not there: written beside their place, then moved into it.

Whoever is killed while writing leaves the old file as it was. Knows nothing of what is written.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DRAFT = ".new"  # how the name of a file ends that is not whole yet


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """The name to write to; what lies there when the block ends without an error becomes `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}{DRAFT}")
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())  # or a power cut may move an empty file into place
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)  # half of it would only fill the disk
        raise


def write_atomically(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with atomic_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
