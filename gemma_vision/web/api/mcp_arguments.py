"""MCP arguments: what an assistant sends a tool, read, or refused in words that say what to send.

No sentence quotes the caller.
"""

from __future__ import annotations

import base64
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gemma_vision.web.api.endpoints import Endpoint
from gemma_vision.web.server.uploads import UploadError, resolve_upload

MAX_DATA = 27_000_000  # characters of a data address: 20 MB in base64
PICTURE = "A data: address (data:image/png;base64,...) or the path that /gradio_api/upload gave."
NO_PICTURE = (
    "The image is no data: address and no uploaded file, and nothing else is opened or fetched; "
    "send data:image/png;base64,... or the path that POST /gradio_api/upload gave."
)


def misfit(endpoint: Endpoint, sent: Mapping[str, Any]) -> str:
    """What a call lacks and whether it has too much."""
    taken = inspect.signature(endpoint).parameters
    needed = [name for name, one in taken.items() if one.default is one.empty]
    lacks = " and ".join(name for name in needed if name not in sent)
    why = [f"lacks {lacks}"] if lacks else []
    if sent.keys() - taken.keys():
        why.append("has arguments of other names, to be left out")
    told = ", ".join(taken)
    return f"The call {' and '.join(why)}; {endpoint.__name__} takes {told}."


def picture(image: str) -> Path | bytes:
    """What a tool's caller means by a picture, opened by nobody yet."""
    if not isinstance(image, str) or image[:5].lower() != "data:":
        try:
            return resolve_upload(image)
        except UploadError as error:
            raise UploadError(NO_PICTURE, error.code) from None
    head, _, data = image.partition(",")
    if not head.lower().endswith(";base64"):
        raise UploadError("The data address is not in base64; write data:image/png;base64,...")
    if len(data) > MAX_DATA:
        raise UploadError("The data address holds more than 20 MB; send a smaller picture.")
    try:
        return base64.b64decode("".join(data.split()), validate=True)  # mail cuts it into lines
    except ValueError:  # letters outside base64, or too few of them
        raise UploadError("The data address is damaged; encode the picture again.") from None
