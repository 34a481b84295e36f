"""The examples: a strip of pictures with their task and words; one click takes all three."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image, ImageOps

from gemma_vision.web.components.html import build_html
from gemma_vision.web.i18n.texts import script_words
from gemma_vision.web.server import uploads

THUMB = (168, 168)  # pixels; shown at half of that
FILMS = (".mp4",)

Example = dict[str, Any]


def load_examples(kind: str = "image") -> list[Example]:
    """The bundled examples of a kind, "image" or "video"; none where the folder is not there.

    Each is {kind: file name, "task", "text", "path"}, and one of the pictures has "answer": what
    the embedded checkpoint wrote. `examples.json` lists them all, without their paths.
    """
    folder = uploads.EXAMPLES
    listing = folder / "examples.json"
    if not listing.is_file():
        return []
    rows = json.loads(listing.read_text("utf-8"))
    return [row | {"path": str(folder / row[kind])} for row in rows if kind in row]


def thumbnail(path: str) -> Image.Image:
    """A small copy of a picture, or of a video's first frame."""
    if Path(path).suffix in FILMS:
        from gemma_vision.video import Source

        with Source(Path(path)) as film:
            small = next(film.frames()).image
    else:
        with Image.open(path) as image:
            small = image.convert("RGB")
    small.thumbnail(THUMB)
    return small


def collage(paths: Sequence[str]) -> Image.Image:
    """Up to four pictures as one small one."""
    half = (THUMB[0] // 2, THUMB[1] // 2)
    tiles = [ImageOps.fit(thumbnail(path), half) for path in paths[:4]]
    sheet = Image.new("RGB", (THUMB[0], half[1] * ((len(tiles) + 1) // 2)))
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (place % 2 * half[0], place // 2 * half[1]))
    return sheet


def data_address(image: Image.Image) -> str:
    """A picture as the data address of a JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def strip_value(tasks: Sequence[str], names: Sequence[str] = ()) -> dict[str, list[str]]:
    """Which cards are shown: those of these tasks, and where names are listed those with one."""
    return {"tasks": list(tasks), "names": list(names)}


def build_strip(
    examples: Sequence[Example], tasks: Sequence[str], tab: str = "", names: Sequence[str] = ()
) -> gr.HTML:
    """Cards that call `pick` with their index; those of other tasks are hidden.

    names: that the checkpoint lists; a card that asks for others alone is hidden. An example of
    several pictures has their paths under "paths". A `strip_value` shows others. The script writes
    texts as texts.
    """
    cards = [
        {"src": data_address(picture_of(row)), "task": row["task"], "text": row.get("text", "")}
        for row in examples
    ]
    value = strip_value(tasks, names)
    with gr.Column(elem_classes="gv-examples", visible=bool(cards)):
        return build_html(
            "example_strip",
            value=value,
            cards=cards,
            words=script_words(),
            elem_id=f"{tab}-examples" if tab else "examples",
        )


def picture_of(example: Example) -> Image.Image:
    """What stands on an example's card."""
    paths = example.get("paths")
    return collage(paths) if paths else thumbnail(example["path"])
