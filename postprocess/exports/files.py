"""Files: names that are safe, text written whole or not at all, files read with errors in words."""

import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

from postprocess.errors import UserError

_UNSAFE = re.compile(r"[^\w-]+")
NAME_BYTES = 100  # two such names and what is between them: most systems take 255 bytes


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


def read_text(path: Path) -> str:
    """The text of a file; ExportError where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ExportError(f"There is no file {path}. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path} cannot be read as text ({error}). Check the file.") from error


def read_json(path: Path) -> Any:
    """The JSON of a file; ExportError where there is none."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ExportError(f"{path} is not JSON: {error}. Export it again.") from error
