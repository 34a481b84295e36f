"""Picture uploads: the pictures in some uploads, those in zips among them. Nothing is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gemma_vision.images.file_formats import SUFFIXES
from gemma_vision.images.opening import MAX_BYTES, Picture
from gemma_vision.web.server.uploads import UploadError, resolve_upload

MAX_PICTURES = 32

# What reading a damaged, encrypted or oddly packed zip raises.
UNREADABLE = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError)


@dataclass(frozen=True)
class PictureUpload:
    """An uploaded picture: the name it came with and where it is, or what a zip holds of it."""

    name: str
    path: Path
    member: str | None = None  # of the zip at `path`

    @property
    def place(self) -> PurePosixPath:
        """The path it came by, a zip like the folder that it unpacks to; it climbs nowhere."""
        if self.member is None:
            return PurePosixPath(self.name)
        parts = (part for part in PurePosixPath(self.member).parts if part not in ("/", ".."))
        return PurePosixPath(self.path.stem, *parts)

    def content(self) -> Picture:
        """The file, or its bytes; no more of a zip's member than a picture may have."""
        if self.member is None:
            return self.path
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as member:
                return member.read(MAX_BYTES + 1)
        except UNREADABLE as error:
            raise UploadError("It cannot be taken out of the zip; pack it again.") from error


def collect_pictures(files: Sequence[str | Mapping[str, Any]] | None) -> list[PictureUpload]:
    """The pictures of some uploads, zips opened; raises UploadError for none or too many."""
    items: list[PictureUpload] = []
    for file in files or ():
        path = resolve_upload(file)
        given = file.get("orig_name") if isinstance(file, Mapping) else None
        name = PurePosixPath(str(given or path.name)).name
        if zipfile.is_zipfile(path):
            items += members(path)
        else:
            items.append(PictureUpload(name, path))
        if len(items) > MAX_PICTURES:
            message = f"There are more than {MAX_PICTURES} pictures; send fewer at a time."
            raise UploadError(message, "E_TOO_MANY_IMAGES")
    if not items:
        raise UploadError("There are no pictures; add some, or a zip of some.", "E_NO_IMAGE")
    return items


def members(path: Path) -> list[PictureUpload]:
    """The pictures in a zip; nothing is unpacked onto the disk. One more than allowed at most."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except UNREADABLE as error:
        raise UploadError("The zip cannot be opened; pack it again.") from error
    pictures = [
        name
        for name in names
        if name.lower().endswith(SUFFIXES) and not PurePosixPath(name).name.startswith((".", "_"))
    ]
    return [
        PictureUpload(PurePosixPath(name).name, path, name) for name in pictures[: MAX_PICTURES + 1]
    ]
