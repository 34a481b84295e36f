"""Uploads: which files a visitor may name. Called first by every handler and endpoint.

Gradio checks a path only when the client calls it a file; a client that leaves the marker out
could otherwise have any file of the server opened.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from postprocess.errors import UserError

MISSING = {"picture": "E_NO_IMAGE", "video": "E_NO_VIDEO"}
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


class UploadError(UserError):
    """A file that cannot be taken; `code` is stable, the message is one sentence."""

    CODE = "E_UPLOAD"


def upload_folder() -> Path:
    """Where Gradio keeps what visitors upload."""
    named = os.environ.get("GRADIO_TEMP_DIR")
    return Path(named or Path(tempfile.gettempdir()) / "gradio").resolve()


def resolve_upload(file: str | Mapping[str, Any] | None, what: str = "picture") -> Path:
    """The real path of an uploaded or bundled file; anything else raises UploadError.

    file: a path, or a client's file object {"path": ...}. Links are followed before the check.
    what: "picture" or "video", for the message.
    """
    path = file.get("path") if isinstance(file, Mapping) else file
    if not path:
        raise UploadError(f"There is no {what}; upload one and try again.", MISSING[what])
    if not isinstance(path, str) or "\0" in path:
        raise UploadError(f"The {what} has to be an uploaded file; upload it and try again.")
    try:
        real = Path(path).resolve()
        allowed = any(real.is_relative_to(folder) for folder in (upload_folder(), EXAMPLES))
        is_upload = allowed and real.is_file()
    except (ValueError, OSError):  # half a letter, or a name longer than any file may have
        is_upload = False
    if not is_upload:
        raise UploadError(f"The {what} is no uploaded file; upload it and try again.")
    return real
