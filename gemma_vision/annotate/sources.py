"""Picture sources: the pictures of a local folder, or of any address that fsspec opens.

A picture's name is its path from the folder, with / between its parts.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from gemma_vision.images.file_formats import SUFFIXES
from gemma_vision.images.limits import MAX_BYTES, ImageError
from postprocess.errors import UserError

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")


class SourceError(UserError):
    """A folder or an address that no pictures can be had from; the message is one sentence."""

    CODE = "E_SOURCE"


@dataclass(frozen=True)
class PictureSource:
    """The pictures below a folder: a path of this machine, or an address such as s3://bucket/a."""

    address: str

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine, named by its path."""
        return ADDRESS.match(self.address) is None

    def names(self, *, without: Path | None = None) -> list[str]:
        """The name of every picture, sorted; hidden files and folders are no pictures.

        without: a folder that is passed over where it lies within, such as the one that is written
        to. Raises SourceError where there is no such folder.
        """
        found = self._walk(without) if self.is_local else self._find()
        return sorted(name for name in found if is_picture(name))

    def read(self, name: str) -> bytes:
        """The bytes of a picture, one more than allowed at most.

        Raises ImageError for a name that leads out of the folder and for what is no file, OSError
        where it cannot be read.
        """
        if not is_inside(name):
            message = f"{name!r} leads out of its folder; give the picture another name."
            raise ImageError(message, "E_IMAGE_MISSING")
        if self.is_local:
            path = os.path.join(self.address, name)
            if not stat.S_ISREG(os.stat(path).st_mode):  # to open a pipe is to wait for its writer
                message = "It is no file but a pipe or a device; take it out of the folder."
                raise ImageError(message, "E_IMAGE_UNREADABLE")
            with open(path, "rb") as file:
                return file.read(MAX_BYTES + 1)
        files, root = self._opened
        opened: Any = files.open(f"{root}/{name}" if root else name, "rb")
        with opened as file:
            data: bytes = file.read(MAX_BYTES + 1)
        return data

    def digest(self, name: str) -> str | None:
        """The SHA-256 of a picture's bytes; None where it cannot be read."""
        try:
            return digest_of(self.read(name))
        except (OSError, ImageError):
            return None

    def _walk(self, without: Path | None) -> Iterator[str]:
        root = Path(self.address)
        if not root.is_dir():
            raise SourceError(f"There is no folder {self.address}. Check its name.")
        passed = None if without is None else os.path.realpath(without)
        for folder, folders, files in os.walk(root):
            folders[:] = [
                one for one in folders if os.path.realpath(os.path.join(folder, one)) != passed
            ]
            place = Path(folder).relative_to(root)
            yield from ((place / name).as_posix() for name in files)

    def _find(self) -> Iterator[str]:
        files, root = self._opened
        if not files.isdir(root):
            raise SourceError(f"There is no folder at {self.address}. Check the address.")
        for path in files.find(root):
            yield str(path)[len(root) :].lstrip("/")

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system of the address, and the folder in it."""
        import fsspec  # type: ignore[import-untyped]

        try:
            files, root = fsspec.core.url_to_fs(self.address)
        except (ImportError, ValueError, OSError) as error:
            message = f"{self.address} cannot be opened ({' '.join(str(error).split())})."
            raise SourceError(f"{message} Check the address, or install what reads it.") from error
        return files, str(root).rstrip("/")


def is_picture(name: str) -> bool:
    """Whether a file is one of the formats that are read, by its suffix, and nothing hides it."""
    is_hidden = any(part.startswith(".") and part != ".." for part in PurePosixPath(name).parts)
    return name.lower().endswith(SUFFIXES) and not is_hidden


def is_inside(name: str) -> bool:
    """Whether a name stays below its folder, on every system."""
    parts = name.replace("\\", "/").split("/")
    return all(part not in ("", ".", "..") for part in parts) and ":" not in parts[0]


def digest_of(data: bytes) -> str:
    """The SHA-256 of a picture's bytes."""
    return hashlib.sha256(data).hexdigest()
