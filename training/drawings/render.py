"""Render: one drawing of any set -> a sprite of the atlas, with a hard edge.

A hard edge (alpha 0 or 255) makes one answer to "where does the thing end": shadows, steam and
glows are no part of it, and boxes are exact.
"""

import io
from typing import Any

import numpy as np
from PIL import Image

from gemma_vision.synthetic.atlas import MARGIN, SIDE

LARGE = 4 * SIDE  # of a drawing before it is cut out and scaled down
THINNEST = 0.02  # of the square: a drawing that covers less shows nothing


def render_svg(svg: str) -> Image.Image:
    """An SVG, its longer side 512 pixels -> RGBA."""
    import resvg_py  # in the extra "dev"

    png = resvg_py.svg_to_bytes(svg_string=svg, width=LARGE)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def iconify_svg(icons: dict[str, Any], name: str) -> str | None:
    """The SVG of an icon of iconify's JSON, aliases followed; None where it is not there."""
    parent = icons.get("aliases", {}).get(name)
    if parent is not None and set(parent) <= {"parent"}:
        return iconify_svg(icons, parent["parent"])
    icon = icons["icons"].get(name)
    if icon is None:
        return None
    width = icon.get("width", icons.get("width", 16))
    height = icon.get("height", icons.get("height", 16))
    left, top = icon.get("left", 0), icon.get("top", 0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{width}" height="{height}">'
        f"{icon['body']}</svg>"
    )


def to_sprite(drawing: Image.Image) -> np.ndarray | None:
    """A drawing in RGBA, centred, its longest side 120 pixels -> (128, 128, 4) uint8 RGBA.

    None where there is nothing to see.
    """
    solid = drawing.getchannel("A").point(harden).getbbox()
    if solid is None:
        return None
    drawn = drawing.crop(solid)
    scale = (SIDE - 2 * MARGIN) / max(drawn.size)
    width, height = (max(1, round(side * scale)) for side in drawn.size)
    sprite = Image.new("RGBA", (SIDE, SIDE))
    drawn = drawn.resize((width, height), Image.Resampling.LANCZOS)
    sprite.paste(drawn, ((SIDE - width) // 2, (SIDE - height) // 2))
    sprite.putalpha(sprite.getchannel("A").point(harden))
    pixels = np.array(sprite)
    pixels[pixels[..., 3] == 0] = 0
    return pixels if (pixels[..., 3] > 0).mean() > THINNEST else None


def harden(alpha: int) -> int:
    """Half covered or more is covered."""
    return 255 if alpha >= 128 else 0
