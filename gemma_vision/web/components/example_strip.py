"""The examples: a strip of pictures with their task and words; one click takes all three."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence

import gradio as gr
from PIL import Image

from gemma_vision.web.components.html import build_html
from gemma_vision.web.i18n.texts import script_words
from gemma_vision.web.server import uploads

THUMB = (168, 168)  # pixels; shown at half of that

Example = dict[str, str]


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


def thumbnail(path: str) -> str:
    """A small JPEG of a picture as a data address."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail(THUMB)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def build_strip(examples: list[Example], tasks: Sequence[str]) -> gr.HTML:
    """Cards that call `pick` with their index; those of other tasks are hidden.

    The value {"tasks": [...]} shows others. The script writes texts as texts.
    """
    cards = [
        {"src": thumbnail(row["path"]), "task": row["task"], "text": row.get("text", "")}
        for row in examples
    ]
    value = {"tasks": list(tasks)}
    return build_html(
        "example_strip", value=value, cards=cards, words=script_words(), elem_id="examples"
    )
