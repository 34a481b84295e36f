"""Sprites: the atlas rendered from Noto Color Emoji: `python -m training.sprites FONT FOLDER`."""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gemma_vision.synthetic.atlas import FILES, SIDE
from training.drawings import names
from training.drawings.render import to_sprite
from training.presets import WIDENING_PLANS

FONT_SIZE = 109  # the only size the bitmap font has

GLYPHS = {
    "cat": "🐱🐈",
    "dog": "🐶🐕🐩",
    "car": "🚗🚙🚘",
    "apple": "🍎🍏",
    "banana": "🍌",
    "bicycle": "🚲",
    "ball": "⚽🏀🎾",
    "fish": "🐟🐠",
    "butterfly": "🦋",
    "cactus": "🌵",
    "tree": "🌲🌳",
    "house": "🏠🏡",
    "airplane": "✈🛩",
    "boat": "⛵🚤",
    "train": "🚂",
    "umbrella": "☂☔",
    "guitar": "🎸",
    "camera": "📷📸",
    "clock": "⏰🕰",
    "key": "🔑🗝",
    "pizza": "🍕",
    "burger": "🍔",
    "cake": "🎂🍰",
    "strawberry": "🍓",
    "elephant": "🐘",
    "lion": "🦁",
    "frog": "🐸",
    "turtle": "🐢",
    "penguin": "🐧",
    "owl": "🦉",
    "horse": "🐎🐴",
    "cow": "🐄🐮",
    "pig": "🐖🐷",
    "sheep": "🐑🐏",
    "chicken": "🐓🐔",
    "bus": "🚌",
    "helicopter": "🚁",
    "rocket": "🚀",
    "balloon": "🎈",
    "flower": "🌻🌷🌹",
}
KNOWN = max(plan.num_names for plan in WIDENING_PLANS.values())
FURTHER = {  # what the embedded checkpoint knows besides
    name: glyphs for name, glyphs in list(names.GLYPHS.items())[:KNOWN] if name not in GLYPHS
}
DISTRACTORS = "🍇🍉🍋🥕🌽🍄👟👒📱💻🪑⌚🔨🎁🎻🥁🏆🐍🦀🐙🐝🐞🍦☕🔦💡🧸🪁🎲🧩🚜🏍"


def render(glyph: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """One glyph, centred, its longest side 120 pixels, its edge hard -> (128, 128, 4) uint8 RGBA.

    A hard edge (alpha 0 or 255) makes one answer to "where does the thing end": shadows, steam
    and glows are not part of it, and boxes are exact.
    """
    canvas = Image.new("RGBA", (2 * SIDE, 2 * SIDE))
    ImageDraw.Draw(canvas).text((40, 40), glyph, font=font, embedded_color=True)
    sprite = to_sprite(canvas)
    if sprite is None:
        raise ValueError(f"{glyph!r} is no drawing of this font; give one that has its emoji.")
    return sprite


def write_atlas(font_path: str, folder: str) -> None:
    """Render every glyph of the tables above into the library's two files."""
    font = ImageFont.truetype(font_path, FONT_SIZE)
    for file, glyphs, nameless in zip(FILES, (GLYPHS, FURTHER), (DISTRACTORS, ""), strict=True):
        write_file(font, Path(folder) / file, glyphs, nameless)


def write_file(
    font: ImageFont.FreeTypeFont, out: Path, glyphs: Mapping[str, str], nameless: str
) -> None:
    """Named glyphs, and some without a name, as one .npz file."""
    named = [(glyph, index) for index, row in enumerate(glyphs.values()) for glyph in row]
    drawn = named + [(glyph, -1) for glyph in nameless]
    np.savez_compressed(
        out,
        atlas=np.stack([render(glyph, font) for glyph, _ in drawn]),
        cls=np.array([name for _, name in drawn]),
        names=np.array(list(glyphs)),
    )


if __name__ == "__main__":
    write_atlas(*sys.argv[1:])
