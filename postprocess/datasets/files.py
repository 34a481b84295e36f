"""Files: names that are safe, text written whole or not at all, files read with errors in words."""

import codecs
import json
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from PIL.Image import Image

from postprocess.errors import UserError

T = TypeVar("T")

_UNSAFE = re.compile(r"[^\w-]+")
NAME_BYTES = 100  # two such names and what is between them: most systems take 255 bytes


VIA = "VGG Image Annotator's own form, which is not read. Export its annotations as COCO."


class ExportError(UserError):
    """Something that a format cannot hold, or a file that is not of the format."""

    CODE = "E_EXPORT"


def safe_name(text: str, otherwise: str) -> str:
    """Letters, digits, - and _ of a text, for a file's name: no folders, no leading dots.

    At most 100 bytes of UTF-8. Accents written apart, as macOS does, become one with their letter.
    """
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip("_")
    return safe.encode()[:NAME_BYTES].decode(errors="ignore") or otherwise


def write_json(path: Path, content: Any) -> Path:
    """Write JSON whole or not at all: a reader never meets half a file."""
    return write_text(path, json.dumps(content, ensure_ascii=False))


def write_text(path: Path, text: str) -> Path:
    """Write text as UTF-8, whole or not at all.

    A byte of a file's name that is no text is written as its escape, which JSON reads back.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)  # there only where something went wrong
    return path


def write_image(path: Path, image: Image, **options: Any) -> Path:
    """Write a picture in the format of its suffix, whole or not at all; options are Pillow's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}.{path.name}")  # the suffix names the format
    try:
        image.save(draft, **options)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def replaced(known: Sequence[tuple[str, T]], fresh: Sequence[tuple[str, T]]) -> list[T]:
    """What a file holds after it was added to: (name, content) of what it held and of what comes.

    What comes again takes the place that it had, the rest follows. Things that come together stay
    apart even where they share a name.
    """
    by_name: dict[str, list[T]] = {}
    for name, content in fresh:
        by_name.setdefault(name, []).append(content)
    names = set(by_name)
    kept = [
        one
        for name, content in known
        for one in (by_name.pop(name, []) if name in names else [content])
    ]
    return [*kept, *(one for several in by_name.values() for one in several)]


def read_text(path: Path) -> str:
    """The text of a file, without a byte-order mark; ExportError where there is none."""
    return decode_text(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """What a file holds; ExportError where it is not there."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ExportError(f"There is no file {path}. Check the path.") from None
    except (OSError, ValueError) as error:
        raise ExportError(f"{path} cannot be read ({error}). Check the file.") from error


def decode_text(data: bytes, path: Path, encoding: str = "utf-8-sig") -> str:
    """Bytes as text in UTF-8, in UTF-16 where they begin with its mark, or as `encoding` says."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return data.decode(encoding).replace("\r\n", "\n")
    except (UnicodeError, LookupError) as error:
        raise ExportError(f"{path} cannot be read as text ({error}). Save it as UTF-8.") from error


def check_filled(text: str, path: Path, kind: str) -> None:
    """Refuse a file with nothing in it, as a program leaves behind that ended while writing."""
    if not text.strip():
        message = f"{path} is empty and no {kind} file. Export it again, or take it away."
        raise ExportError(message)


def read_json(path: Path, kind: str = "JSON") -> Any:
    """The JSON of a file; ExportError where there is none. kind: what the file ought to be."""
    text = read_text(path)
    check_filled(text, path, kind)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path} is no {kind} file ({error}). Export it again.") from error
