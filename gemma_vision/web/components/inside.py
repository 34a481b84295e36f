"""Stages: the tensors that a picture passes through, drawn for the page.

A stage becomes {"name", "shape", "facts", "pictures", ...}: pictures are small PNGs, one pixel for
one number of a tensor, as data addresses; the page enlarges them. Words stay words: the page
writes them as texts.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from gemma_vision.inside import Stage, Step

JSON = dict[str, Any]
Array = NDArray[Any]

MAX_COLUMNS = 192  # numbers of an embedding that are drawn
MAX_SIDE = 640  # pixels of a photograph that is shown
EDGES = ("y0", "x0", "y1", "x1")  # in the order in which they are written
IS_IMAGE, IS_WORD, IS_TOLD = (99, 102, 241), (45, 170, 160), (240, 150, 60)
DARK = (24, 29, 41)  # may not be looked at
COLD, PALE, WARM = (38, 84, 160), (244, 245, 248), (186, 72, 34)  # below, at and above zero


def describe(stage: Stage) -> JSON:
    """A stage as the page shows it."""
    return {"name": stage.name, "shape": list(stage.shape)} | DRAWN[stage.name](stage)


def crops(stage: Stage) -> JSON:
    """The picture, and where it is cropped, in parts of its sides."""
    image = Image.fromarray(stage.arrays["image"])
    boxes = [fractions(box, image.size) for box in stage.facts["boxes"]]
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return {"facts": {"n": len(boxes)}, "pictures": [photo("crops", image)], "boxes": boxes}


def pixels(stage: Stage) -> JSON:
    """What the model is given, with the patches ruled over it."""
    low = stage.facts["low"]
    levels = (stage.arrays["pixels"].transpose(1, 2, 0) - low) / (1 - low) * 255
    image = Image.fromarray(levels.round().clip(0, 255).astype(np.uint8))
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    plain = photo("pixels", image)
    return {"facts": stage.facts, "pictures": [plain, plain | {"key": "ruled"}]}


def colours(stage: Stage) -> JSON:
    """Every array of three colours per patch as a picture; blocks of the tower before the last."""
    pictures = []
    for name, values in stage.arrays.items():
        key, _, number = name.partition(" ")
        drawn = tiled(values, stage.facts["rows"], stage.facts["columns"])
        pictures.append(drawn | {"key": key, "n": int(number or 0)})
    return {"facts": stage.facts, "pictures": pictures}


def merged(stage: Stage) -> JSON:
    """The sequence as runs, its numbers, and the attention mask."""
    facts = stage.facts
    numbers = stage.arrays["embeds"][:, :MAX_COLUMNS]
    pictures = [{"key": "embeds", "src": png(diverging(numbers)), "n": numbers.shape[1]}]
    for key in ("mask", "window"):  # the second where layers with a window differ in more than that
        if key in stage.arrays:
            drawn = png(attention(stage.arrays[key], facts["pieces"]))
            pictures.append({"key": key, "src": drawn, "n": len(stage.arrays[key])})
    counts = {"images": facts["images"], "told": facts["told"], "prompt": len(facts["pieces"])}
    return {"facts": counts, "pictures": pictures, "runs": runs(facts["pieces"])}


def tokens(stage: Stage) -> JSON:
    """The tokens with their chances; the edges of each box with the distributions behind them."""
    steps = stage.facts["steps"]
    rows = [[step.text, step.probability, step.score, positions(step)] for step in steps]
    rivals = [[list(pair) for pair in step.rivals] for step in steps]
    written = [
        {"text": text, "p": round(p, 4), "score": round(score, 4), "at": at, "rivals": others}
        for (text, p, score, at), others in zip(rows, rivals, strict=True)
    ]
    return {"facts": {"n": len(steps)}, "pictures": [], "tokens": written, "boxes": boxes(steps)}


def masks(stage: Stage) -> JSON:
    """The 16 codes of each mask as a square of numbers, and the mask as chances."""
    found = zip(stage.arrays["codes"], stage.arrays["masks"], strict=True)
    labels, places = stage.facts["labels"], stage.facts["boxes"]
    rows = [
        {"label": label, "codes": codes.tolist(), "src": png(grey(mask)), "box": list(box)}
        for label, box, (codes, mask) in zip(labels, places, found, strict=True)
    ]
    return {"facts": {"n": len(rows)}, "pictures": [], "masks": rows}


DRAWN: Mapping[str, Callable[[Stage], JSON]] = {
    "crops": crops,
    "pixels": pixels,
    "patches": colours,
    "features": colours,
    "soft": colours,
    "merged": merged,
    "tokens": tokens,
    "masks": masks,
}


def runs(pieces: list[str | None]) -> list[JSON]:
    """Soft tokens side by side as one run, every other token by itself.

    None None <bos> a  ->  {"soft": 2}  {"text": "<bos>"}  {"text": "a"}
    """
    found: list[JSON] = []
    for piece in pieces:
        if piece is not None:
            found.append({"text": piece.replace("\u2581", " ")})
        elif found and "soft" in found[-1]:
            found[-1]["soft"] += 1
        else:
            found.append({"soft": 1})
    return found


def positions(step: Step) -> int | None:
    """The position that a token stands for, 0 to 1023."""
    return int(step.text[4:8]) if step.positions is not None else None


def boxes(steps: tuple[Step, ...]) -> list[JSON]:
    """Runs of four positions: where each edge went, and the chances of all places it could have
    gone to, as 256 bytes in base64, 255 for the likeliest.
    """
    found: list[JSON] = []
    run: list[Step] = []
    for step in steps:
        run = [*run, step] if step.positions is not None else []
        if len(run) == len(EDGES):
            edges = {name: edge(one) for name, one in zip(EDGES, run, strict=True)}
            found.append({"edges": edges})
            run = []
    return found


def edge(step: Step) -> JSON:
    """A position and the distribution it was picked from."""
    assert step.positions is not None
    coarse = step.positions.reshape(256, 4).sum(1)
    levels = (coarse / coarse.max() * 255).round().astype(np.uint8)
    return {
        "at": positions(step),
        "score": round(step.score, 4),
        "levels": base64.b64encode(levels.tobytes()).decode(),
    }


def fractions(box: tuple[int, int, int, int], size: tuple[int, int]) -> list[float]:
    """Pixels as parts of the picture's sides."""
    width, height = size
    return [box[0] / width, box[1] / height, box[2] / width, box[3] / height]


def tiled(values: Array, rows: int, columns: int) -> JSON:
    """(N, 3) in 0..1 as a picture of N pixels: rows x columns, or square tiles of so many."""
    side = round((rows * columns / len(values)) ** 0.5)
    levels = (values.reshape(rows // side, columns // side, 3) * 255).round().astype(np.uint8)
    return {"src": png(Image.fromarray(levels))}


def diverging(values: Array) -> Image.Image:
    """Numbers as colours: blue below zero, pale at zero, orange above; the top 2 % are cut."""
    scale = max(float(np.percentile(np.abs(values), 98)), 1e-12)
    strength = (values / scale).clip(-1, 1)[..., None]
    ends = np.where(strength < 0, COLD, WARM)
    mixed = np.array(PALE) + (ends - np.array(PALE)) * np.abs(strength)
    return Image.fromarray(mixed.round().astype(np.uint8)).quantize(64)


def attention(allowed: Array, pieces: list[str | None]) -> Image.Image:
    """(T, T) bool: where a row may look, in the colour of what it looks at; else dark."""
    kinds = [IS_IMAGE if piece is None else IS_WORD for piece in pieces]
    columns = np.array(kinds + [IS_TOLD] * (len(allowed) - len(kinds)))
    return Image.fromarray(np.where(allowed[..., None], columns, DARK).astype(np.uint8))


def grey(values: Array) -> Image.Image:
    """Numbers in 0..1 as shades."""
    return Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))


def photo(key: str, image: Image.Image) -> JSON:
    """A photograph as a JPEG."""
    return {"key": key, "src": address(image, "JPEG", quality=88)}


def png(image: Image.Image) -> str:
    """A picture as it is."""
    return address(image, "PNG", optimize=True)


def address(image: Image.Image, form: str, **options: Any) -> str:
    """A picture as a data address."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/{form.lower()};base64,{encoded}"
