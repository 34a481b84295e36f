"""Sprites: the atlas rendered from Noto Color Emoji: `python -m training.sprites FONT OUT`."""

import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gemma_vision.synthetic.atlas import SIDE
from training.drawings.render import to_sprite

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


def write_atlas(font_path: str, out: str) -> None:
    """Render every glyph of the two tables above into one .npz file."""
    font = ImageFont.truetype(font_path, FONT_SIZE)
    named = [(glyph, index) for index, glyphs in enumerate(GLYPHS.values()) for glyph in glyphs]
    glyphs = named + [(glyph, -1) for glyph in DISTRACTORS]
    np.savez_compressed(
        out,
        atlas=np.stack([render(glyph, font) for glyph, _ in glyphs]),
        cls=np.array([name for _, name in glyphs]),
        names=np.array(list(GLYPHS)),
    )


if __name__ == "__main__":
    write_atlas(*sys.argv[1:])
