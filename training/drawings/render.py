"""Render: one drawing of any set -> a sprite of the atlas, with a hard edge.

A hard edge (alpha 0 or 255) makes one answer to "where does the thing end": shadows, steam and
glows are no part of it, and boxes are exact.
"""

import io
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gemma_vision.synthetic.atlas import MARGIN, SIDE

LARGE = 4 * SIDE  # of a drawing before it is cut out and scaled down
GAPS = 50  # between lines, as a share of the width
DPI = 96  # what a point of an SVG is measured by; none makes it nothing
ABSENT = "\uffff"  # a character that no font has
THINNEST = 0.02  # of the square: a drawing that covers less shows nothing


def render_svg(svg: str) -> Image.Image:
    """An SVG, its longer side 512 pixels -> RGBA."""
    import resvg_py  # in the extra "dev"

    png = resvg_py.svg_to_bytes(svg_string=svg, width=LARGE, dpi=DPI)
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


def draw_outlines(glyph: str, fonts: Sequence[ImageFont.FreeTypeFont]) -> Image.Image | None:
    """A glyph in black by the first font that has it, its longer side 512 pixels at most -> RGBA.

    None where no font draws it, or with what it draws for any that it lacks.
    """
    for font in fonts:
        if bytes(font.getmask(glyph)) in (b"", bytes(font.getmask(ABSENT))):
            continue
        canvas = Image.new("RGBA", (4 * int(font.size), 4 * int(font.size)))
        ImageDraw.Draw(canvas).text((font.size, font.size), glyph, font=font, fill="black")
        drawn = canvas.crop(canvas.getbbox())
        drawn.thumbnail((LARGE - 2, LARGE - 2))
        framed = Image.new("RGBA", (LARGE, LARGE))
        framed.paste(drawn, ((LARGE - drawn.width) // 2, (LARGE - drawn.height) // 2))
        return framed
    return None


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


def on_paper(drawing: Image.Image, *, is_hollow: bool) -> Image.Image:
    """Lines in RGBA with white paper under them, cut to the outline of the whole.

    Gaps of up to a fiftieth of the width are part of the outline. is_hollow: what is seen
    through stays so, such as a wheel; colours lie on paper only where lines are.
    """
    pixels = np.array(drawing)
    solid = (pixels[..., 3] >= 128).astype(np.uint8)
    gap = np.ones((LARGE // GAPS, LARGE // GAPS), np.uint8)
    framed = np.pad(cv2.morphologyEx(solid, cv2.MORPH_CLOSE, gap), 1)
    outside = framed.copy()
    cv2.floodFill(outside, None, (0, 0), 2)
    holes = ((outside == 0) & (framed == 0)).astype(np.uint8)[1:-1, 1:-1]
    if not is_hollow:
        solid |= cv2.dilate(holes, gap) & (outside[1:-1, 1:-1] != 2)
    alpha = pixels[..., 3:].astype(np.float32) / 255
    colours = pixels[..., :3] * alpha + 255 * (1 - alpha)
    return Image.fromarray(np.dstack([colours.round().astype(np.uint8), 255 * solid]), "RGBA")


def harden(alpha: int) -> int:
    """Half covered or more is covered."""
    return 255 if alpha >= 128 else 0
