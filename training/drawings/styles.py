"""Styles: what may happen to a drawing and to a whole picture, so that none is known by heart.

H, W height and width in pixels. All random, from a seeded generator.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

Image = np.ndarray  # (H, W, 4) float32 0..1, colours premultiplied by alpha
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def restyle(rng: Generator, drawn: Image, texture: Callable[[], np.ndarray]) -> Image:
    """One drawing as another artist might have made it, its outline the same.

    `texture()` gives a patch of a photograph, (h, w, 3) uint8.
    """
    colour, alpha = drawn[..., :3], drawn[..., 3:]
    is_lifelike = rng.random() < LIFELIKE
    for chance, effect in LIGHTS if is_lifelike else EFFECTS:
        if rng.random() < chance:
            colour = effect(rng, colour, alpha)
    if is_lifelike or rng.random() < TEXTURED:
        colour = weave(rng, colour, texture())
    styled = np.concatenate([np.clip(colour, 0, alpha), alpha], 2).astype(np.float32)
    if rng.random() < SOFTENED:
        styled = cv2.GaussianBlur(styled, (0, 0), rng.uniform(0.4, 1.2))
    return styled


def colour_in(rng: Generator, drawn: Image, palette: np.ndarray) -> Image:
    """A drawing of lines, or a shape cut out of black, as a child with crayons leaves it.

    palette: (P, 3) float32 0..1, one of which each enclosed place takes. Lines stay as they are
    mostly; where most is dark already, all of it takes colours.
    """
    alpha = drawn[..., 3:]
    solid, is_light = alpha[..., 0] >= 0.5, drawn[..., :3] @ LUMA >= 0.5 * alpha[..., 0]
    light, dark = ((solid & chosen).astype(np.uint8) for chosen in (is_light, ~is_light))
    keeps_lines = light.sum() > dark.sum() and rng.random() < LINES
    colour = drawn[..., :3].copy()
    for places in (light,) if keeps_lines else (light, dark):
        count, labels = cv2.connectedComponents(places, connectivity=4)
        paints = palette[rng.integers(len(palette), size=count)]
        colour = np.where(labels[..., None] > 0, paints[labels], colour)
    smooth = cv2.GaussianBlur(colour, (0, 0), 0.6)
    return np.concatenate([np.minimum(smooth, alpha), alpha], 2).astype(np.float32)


def deform(rng: Generator, drawn: Image) -> Image:
    """The same drawing with other proportions: its inside pushed about, its frame left where it is.

    An elastic deformation (Simard et al., "Best Practices for Convolutional Neural Networks", 2003)
    of few points, smooth between them. Another artist's cat has a larger head or a shorter leg;
    the outline goes along.
    """
    height, width = drawn.shape[:2]
    push = np.zeros((PUSHED + 2, PUSHED + 2, 2), np.float32)
    push[1:-1, 1:-1] = rng.normal(0, rng.uniform(0, FARTHEST), (PUSHED, PUSHED, 2))
    flow = cv2.resize(push, (width, height), interpolation=cv2.INTER_CUBIC)
    x = np.arange(width, dtype=np.float32) + flow[..., 0] * width
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1] * height
    return np.asarray(cv2.remap(drawn, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))


def turn_hue(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Another hue for all of it: a little, or anything."""
    return np.asarray(colour @ hue_matrix(rng.uniform(-np.pi, np.pi) * rng.choice((0.2, 1.0))))


def fade(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Paler, or grey."""
    grey = (colour @ LUMA)[..., None]
    return np.asarray(grey + (colour - grey) * rng.uniform(0, 0.6))


def posterise(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Few shades."""
    levels = int(rng.integers(3, 7))
    return np.round(colour * levels) / levels


def two_tone(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Light and dark in any two colours, the darker one for dark mostly."""
    dark, light = rng.uniform(0, 0.6, 3), rng.uniform(0.4, 1.0, 3)
    if rng.random() < 0.2:
        dark, light = light, dark
    grey = (colour @ LUMA)[..., None]
    return np.asarray(alpha * dark + grey * (light - dark))


def grain(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Noise in light and dark."""
    noise = rng.normal(0, rng.uniform(0.02, 0.1), colour.shape[:2]).astype(np.float32)
    return np.asarray(colour + noise[..., None] * alpha)


def bend(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lighter or darker middle tones."""
    gamma = float(np.exp(rng.uniform(-0.5, 0.5)))
    return np.asarray(alpha * np.clip(colour / np.maximum(alpha, 1e-3), 0, 1) ** gamma)


def weave(rng: Generator, colour: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """The light and dark of a (h, w, 3) uint8 texture over it."""
    size = (colour.shape[1], colour.shape[0])
    patch = cv2.resize(texture, size, interpolation=cv2.INTER_LINEAR).astype(np.float32) @ LUMA
    patch /= max(float(patch.mean()), 12.0)
    return np.asarray(colour * (1 + rng.uniform(0.3, 1.0) * (patch[..., None] - 1)))


def hue_matrix(angle: float) -> np.ndarray:
    """Colours turned around the grey axis, as a (3, 3) matrix for rows."""
    cos, sin = np.cos(angle), np.sin(angle)
    third, root = (1 - cos) / 3, np.sqrt(1 / 3) * sin
    turn = np.full((3, 3), third)
    turn += np.diag([cos] * 3)
    turn += root * np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return np.asarray(turn.T, np.float32)


def shade(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Light from one side."""
    height, width = colour.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    light = 1 + rng.uniform(0.1, 0.5) * (x + y)[..., None] - rng.uniform(0, 0.15)
    return np.asarray(colour * light)


def ink_edges(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lines where colours change, as an ink drawing has them."""
    grey = np.clip(255 * (colour @ LUMA), 0, 255).astype(np.uint8)
    lines = cv2.Canny(grey, 40, 90).astype(np.float32)[..., None] / 255
    if min(grey.shape) > 60 and rng.random() < 0.6:
        lines = cv2.dilate(lines, np.ones((2, 2)))[..., None]
    if rng.random() < 0.3:  # the lines alone, on white
        colour = np.repeat(alpha, 3, 2) * np.float32(rng.uniform(0.85, 1.0))
    return np.asarray(colour * (1 - rng.uniform(0.6, 1.0) * lines * (alpha > 0.5)))


def contour(rng: Generator, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A line along the inside of the edge, dark mostly."""
    width = int(rng.integers(1, max(2, min(alpha.shape[:2]) // 30) + 1))
    solid = (alpha[..., 0] >= 0.5).astype(np.uint8)
    inner = cv2.erode(solid, np.ones((2 * width + 1, 2 * width + 1)))
    rim = ((solid > inner).astype(np.float32))[..., None]
    paint = rng.uniform(0, 0.2, 3) if rng.random() < 0.8 else rng.uniform(0, 1, 3)
    return np.asarray(colour * (1 - rim) + rim * alpha * paint)


Effect = Callable[[Generator, np.ndarray, np.ndarray], np.ndarray]
EFFECTS: tuple[tuple[float, Effect], ...] = (  # how often each happens, in this order
    (0.3, turn_hue),
    (0.12, fade),
    (0.12, two_tone),
    (0.12, posterise),
    (0.25, shade),
    (0.12, ink_edges),
    (0.15, contour),
    (0.15, grain),
    (0.2, bend),
)
LIGHTS: tuple[tuple[float, Effect], ...] = (  # and of what shall look as cameras see things
    (0.4, turn_hue),
    (0.8, fade),
    (0.8, shade),
    (0.5, grain),
    (0.5, bend),
)
LIFELIKE, TEXTURED, SOFTENED = 0.15, 0.15, 0.15
LINES = 0.7  # share of the drawings of lines whose lines stay when they are coloured in
PUSHED, FARTHEST = 3, 0.045  # points along a side, and how far they are pushed, of that side


def disturb(rng: Generator, pixels: np.ndarray) -> np.ndarray:
    """A whole (H, W, 3) uint8 picture, as cameras and files change it."""
    if rng.random() < 0.25:
        gain, shift = rng.uniform(0.6, 1.35), rng.uniform(-25, 25)
        table = np.clip((np.arange(256) - 128) * gain + 128 + shift, 0, 255).astype(np.uint8)
        pixels = cv2.LUT(pixels, table)
    if rng.random() < 0.05:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        pixels = np.repeat(grey[..., None], 3, 2)
    if rng.random() < 0.1:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.5, 1.1))
    if rng.random() < 0.12:
        noise = np.empty(pixels.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(2**31)))
        cv2.randn(noise, 0, rng.uniform(3, 14))
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        packed = cv2.imencode(".jpg", pixels, quality)[1]
        pixels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return pixels
