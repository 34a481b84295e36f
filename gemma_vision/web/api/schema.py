"""The JSON of an answer as types: the clients' schemas are made from them.

No `from __future__ import annotations` here: Gradio reads the hints as they stand.
"""

from typing import Any, TypedDict


class ImageSize(TypedDict):
    """The upright picture's size in pixels."""

    width: int
    height: int


class WarningJSON(TypedDict):
    """Something odd in the answer: what, at which character, a sentence."""

    code: str
    start: int
    message: str


class RunLength(TypedDict):
    """A mask as COCO run-lengths; size is [height, width]."""

    size: list[int]
    counts: str


class InstanceJSON(TypedDict):
    """A thing in the picture, in pixels: box is x0, y0, x1, y1, point x, y where it is one."""

    label: str
    box: list[float]
    point: list[float] | None
    pixels: list[int]
    score: float | None
    mask: RunLength | None
    polygons: list[list[list[float]]] | None


class PartialJSON(TypedDict):
    """The record that is being written: 0-4 positions in units, 0-16 codes."""

    label: str
    positions: list[int]
    codes: list[int]
    units: int


class AnswerJSON(TypedDict, total=False):
    """An answer; "partial" is there only while it grows (null between records), "crops" only with
    pan-and-scan: for each picture the rectangles looked at besides the whole, x0, y0, x1, y1 in
    pixels. "thought" is what the model said to itself, "masks_by" the checkpoint that made the
    masks where "model" did not, "probabilities" those of the two words that an answer is one of.
    """

    model: str | None
    task: str | None
    prompt: str | None
    text: str
    plain: str
    image: ImageSize
    policy: str
    finish: str | None
    warnings: list[WarningJSON]
    instances: list[InstanceJSON]
    timing: dict[str, float]
    partial: PartialJSON | None
    crops: list[list[list[int]]]
    thought: str
    masks_by: str
    probabilities: dict[str, float]


class ModelJSON(TypedDict):
    """A checkpoint: what it is, what it can do, whether it is on this machine."""

    id: str
    family: str
    tasks: list[str]
    side: int | None
    parameters: int | None
    licence: str | None
    here: bool


class ModelsJSON(TypedDict):
    """The checkpoints there are; the one that answers here comes first."""

    models: list[ModelJSON]


Options = dict[str, Any]
