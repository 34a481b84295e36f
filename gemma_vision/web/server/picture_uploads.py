"""Picture uploads: the pictures in some uploads, those in zips among them. Nothing is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gemma_vision.images.file_formats import SUFFIXES
from gemma_vision.images.limits import MAX_BYTES
from gemma_vision.web.server.uploads import UploadError, resolve_upload
from postprocess.archives import ArchiveError, open_archive

MAX_PICTURES = 32


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

    def content(self) -> Path | bytes:
        """The file, or its bytes; no more of a zip's member than a picture may have."""
        if self.member is None:
            return self.path
        try:
            with open_archive(self.path) as archive:
                return archive.read(self.member, MAX_BYTES)
        except ArchiveError as error:
            raise UploadError(str(error)) from error


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
        with open_archive(path) as archive:
            names = archive.names
    except ArchiveError as error:
        raise UploadError(str(error)) from error
    pictures = [
        name
        for name in names
        if name.lower().endswith(SUFFIXES) and not PurePosixPath(name).name.startswith((".", "_"))
    ]
    return [
        PictureUpload(PurePosixPath(name).name, path, name) for name in pictures[: MAX_PICTURES + 1]
    ]
