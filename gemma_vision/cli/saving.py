"""Saving: what was seen, written into a folder in the forms that --as names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_vision.cli.arguments import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

    from postprocess.instances import Instance

DEFAULT = "overlay"


class Saver:
    """Writes each picture's files; does nothing without a folder.

    folder and kinds are what --save and --as said. Wrong kinds are refused here, before any work.
    """

    def __init__(self, folder: str | None, kinds: str | None, *, otherwise: str = DEFAULT) -> None:
        self.folder = None if folder is None else Path(folder).expanduser()
        if self.folder is None:
            if kinds:
                raise UsageError("--as needs a folder to write into: add --save DIR.")
            return
        self.kinds = check_kinds(kinds or otherwise)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._taken: set[str] = set()

    def save(
        self, path: str, size: tuple[int, int], instances: Sequence[Instance], image: Image | None
    ) -> None:
        """Write the forms asked for, named after the picture's file."""
        if self.folder is None:
            return
        from postprocess.exports import EXPORTERS, Annotated

        picture = Annotated(self._free_name(Path(path)), size, instances, image)
        for kind in self.kinds:
            for written in EXPORTERS[kind]([picture], self.folder):
                print(f"wrote {written}", file=sys.stderr)

    def _free_name(self, path: Path) -> str:
        """Pictures of one name from different folders do not overwrite each other."""
        stem, count = path.stem, 1
        while stem in self._taken:
            count += 1
            stem = f"{path.stem}-{count}"
        self._taken.add(stem)
        return stem + path.suffix


def check_kinds(kinds: str) -> list[str]:
    """The forms of a comma-separated list; UsageError names the ones there are."""
    from postprocess.exports import EXPORTERS

    asked = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    if not asked:
        raise UsageError(f"--as names nothing; take some of {', '.join(EXPORTERS)}.")
    for kind in asked:
        if kind not in EXPORTERS:
            raise UsageError(f'"{kind}" cannot be written; take some of {", ".join(EXPORTERS)}.')
    return list(dict.fromkeys(asked))
