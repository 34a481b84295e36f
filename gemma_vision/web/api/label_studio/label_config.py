"""Label config: what a project's interface wants marked in which picture, and how it is called."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, field

from postprocess.datasets.label_studio import BOX, BRUSH, OUTLINE, POINT
from postprocess.errors import UserError

MAX_CONFIG = 2**20  # characters
TAGS = {
    "RectangleLabels": BOX,
    "BrushLabels": BRUSH,
    "PolygonLabels": OUTLINE,
    "KeyPointLabels": POINT,
}
DECLARING = ("<!DOCTYPE", "<!ENTITY")  # texts that can unfold without end
KNOWN = ", ".join(TAGS)


class LabelConfigError(UserError):
    """An interface in which nothing can be predicted."""

    CODE = "E_LABEL_CONFIG"


@dataclass(frozen=True)
class Control:
    """One control of an interface.

    kind: of its results, as "rectanglelabels". image: the name of the picture that it marks.
    labels: those that it has, each with the words that ask for it.
    """

    name: str
    kind: str
    image: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelConfig:
    """An interface: its controls, and by the name of each picture where a task says which it is."""

    controls: tuple[Control, ...]
    images: Mapping[str, str]

    def of(self, image: str) -> tuple[Control, ...]:
        """The controls of a picture."""
        return tuple(one for one in self.controls if one.image == image)


def read_config(text: str) -> LabelConfig:
    """The interface that an XML text describes; LabelConfigError where nothing can be predicted.

    A label is called by its alias where it has one, and asked for by its `predicted_values` (with
    commas between them) or else by its value.
    """
    if len(text) > MAX_CONFIG or any(mark in text for mark in DECLARING):
        message = "The labelling interface is too long or declares things of its own."
        raise LabelConfigError(message)
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError):
        raise LabelConfigError("The labelling interface is no XML.") from None
    images = {
        tag.get("name", ""): tag.get("value", "").removeprefix("$")
        for tag in root.iter("Image")
        if tag.get("name") and tag.get("value", "").startswith("$")
    }
    controls = tuple(
        control for tag in root.iter() if (control := read_control(tag, images)) is not None
    )
    if not controls:
        message = f"The labelling interface has none of {KNOWN} with labels over an Image."
        raise LabelConfigError(message)
    return LabelConfig(controls, images)


def read_control(tag: ElementTree.Element, images: Mapping[str, str]) -> Control | None:
    """A tag as a control; None for one that marks no picture, or has no labels of its own."""
    name, kind = tag.get("name"), TAGS.get(str(tag.tag))
    image = tag.get("toName", "")
    if not name or kind is None or image not in images:
        return None
    labels = dict(words_of(label) for label in tag.iter("Label") if label.get("value"))
    return Control(name, kind, image, labels) if labels else None


def words_of(label: ElementTree.Element) -> tuple[str, tuple[str, ...]]:
    """What a label is called, and the words that ask for it."""
    value = label.get("value", "")
    words = tuple(word.strip() for word in label.get("predicted_values", "").split(","))
    return label.get("alias") or value, tuple(filter(None, words)) or (value,)
