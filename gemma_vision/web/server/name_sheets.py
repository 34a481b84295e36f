"""Name sheets: the drawings of what a checkpoint inside knows, sent when a page shows them."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gemma_vision.checkpoints.file_names import CHECKPOINTS, GALLERY
from gemma_vision.web.server.page_delivery import FOR_GOOD

THUMB = 64  # pixels, of a drawing on the sheet
ADDRESS = "drawings"


@cache
def sheets() -> dict[str, dict[str, Any]]:
    """Checkpoint inside -> the address of its sheet below the page, and how many are in a row.

    The address changes with the drawings, so that a browser may keep what it has.
    """
    found = {}
    for path in CHECKPOINTS.glob(f"*/{GALLERY}"):
        name, version = path.parent.name, hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        with Image.open(path) as sheet:
            columns = sheet.width // THUMB
        found[name] = {"src": f"{ADDRESS}/{name}.webp?{version}", "columns": columns}
    return found


def sheet_routes() -> list[Route]:
    """GET drawings/NAME.webp, of those checkpoints alone."""
    return [
        Route(f"/{ADDRESS}/{name}.webp", sender(name), methods=["GET"], name=f"drawings of {name}")
        for name in sheets()
    ]


def sender(name: str) -> Any:
    """What answers for the sheet of one checkpoint."""
    data = (CHECKPOINTS / name / GALLERY).read_bytes()

    async def send(request: Request) -> Response:
        return Response(data, media_type="image/webp", headers={"Cache-Control": FOR_GOOD})

    return send
