"""Archives: zip files from strangers, read within bounds. Knows nothing of what is in them.

A zip of a kilobyte can unpack to gigabytes: by a way of packing that cannot be read in part, by a
list of a million names, by one member that several entries share, or by another zip inside. What an
archive claims is summed up from its list before anything of it is unpacked.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from postprocess.errors import UserError

MAX_LIST = 2**20  # bytes of the list of members: some ten thousand names
MAX_UNPACKED = 512 * 2**20  # bytes of all members together
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what can be unpacked in part
NESTED = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".7z", ".rar")

_BLOCK = 2**16  # bytes unpacked at once
_ENCRYPTED = 0x1  # of a member's flags
# What reading a damaged or oddly packed zip raises.
_DAMAGED = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError)


class ArchiveError(UserError):
    """An archive that is not read; the message is one sentence."""

    CODE = "E_ARCHIVE"


class Archive:
    """An open zip whose claims are within bounds."""

    def __init__(self, opened: zipfile.ZipFile, name: str) -> None:
        self._zip = opened
        self._name = name

    @property
    def names(self) -> list[str]:
        """The files in it, in its own order; a name may stand there twice."""
        return [one.filename for one in self._zip.infolist() if not one.is_dir()]

    def read(self, member: str, limit: int) -> bytes:
        """A member's bytes, one more than `limit` at most, so that too many show."""
        parts = bytearray()
        try:
            with self._zip.open(member) as packed:
                while len(parts) <= limit:
                    block = packed.read(min(_BLOCK, limit + 1 - len(parts)))
                    if not block:
                        break
                    parts += block
        except ArchiveError:
            raise
        except (*_DAMAGED, KeyError, ValueError) as error:
            message = f"{member} in {self._name} is damaged. Pack the zip again."
            raise ArchiveError(message) from error
        return bytes(parts)


@contextmanager
def open_archive(file: Path | IO[bytes], name: str = "") -> Iterator[Archive]:
    """A zip file, its claims checked; ArchiveError for one that is damaged or could be a bomb.

    name: what people call it, where that is not the name of the file.
    """
    named = name or (file.name if isinstance(file, Path) else "The archive")
    try:
        source = file.open("rb") if isinstance(file, Path) else file
    except OSError as error:
        raise ArchiveError(f"{named} cannot be read. Pack it again.") from error
    try:
        bounded: IO[bytes] = _BoundedReads(source, named)  # type: ignore[assignment]
        try:
            opened = zipfile.ZipFile(bounded)
        except (*_DAMAGED, ValueError) as error:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(f"{named} cannot be opened as a zip. Pack it again.") from error
        with opened:
            _check(opened.infolist(), named)
            yield Archive(opened, named)
    finally:
        if source is not file:
            source.close()


def _check(members: list[zipfile.ZipInfo], name: str) -> None:
    """Refuse what cannot be unpacked in part, and what comes to too much."""
    for one in members:
        if not one.filename:
            raise ArchiveError(f"{name} holds a file without a name. Pack it again.")
        if one.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"{name} is locked with a password. Pack it again without one.")
        if one.compress_type not in PACKINGS:
            message = f"{name} is packed in an unusual way. Pack it again as an ordinary zip."
            raise ArchiveError(message)
        if one.filename.lower().endswith(NESTED):
            raise ArchiveError(f"{name} holds another archive. Unpack that first.")
    total = sum(one.file_size for one in members)
    if total > MAX_UNPACKED:
        raise ArchiveError(
            f"{name} unpacks to more than {MAX_UNPACKED // 2**20} MiB. Pack fewer files into it."
        )


class _BoundedReads:
    """A file of which no more than a list's worth is read at once.

    `zipfile` reads the whole list by the length that the archive claims for it.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name

    def read(self, count: int = -1) -> bytes:
        data = self._file.read(MAX_LIST + 1 if count < 0 else min(count, MAX_LIST + 1))
        if len(data) > MAX_LIST:
            raise ArchiveError(f"{self._name} lists too many files. Pack fewer into it.")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        """The file is closed by whoever opened it."""
