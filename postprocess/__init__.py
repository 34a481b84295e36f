"""Answers of PaliGemma and Gemma 3 -> boxes, masks and labels in a picture, drawn and exported.

    from postprocess import MaskDecoder, draw, locate, parse

    mentions = parse("<loc0102><loc0200><loc0800><loc0900> cat")
    instances = locate(mentions, image.size)
    draw(image, instances).save("cat.png")

Nothing is loaded before it is used: torch comes in with the mask decoder alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from postprocess.exports import EXPORTERS
    from postprocess.instances import Instance, locate
    from postprocess.mask_decoder import MaskDecoder
    from postprocess.overlay import draw
    from postprocess.tokens import (
        Mention,
        Notice,
        Parser,
        Partial,
        Spelling,
        parse,
        parse_ids,
        read_pieces,
        write,
    )

_HOMES = {
    "parse": "tokens",
    "parse_ids": "tokens",
    "read_pieces": "tokens",
    "Spelling": "tokens",
    "write": "tokens",
    "Parser": "tokens",
    "Mention": "tokens",
    "Notice": "tokens",
    "Partial": "tokens",
    "locate": "instances",
    "Instance": "instances",
    "MaskDecoder": "mask_decoder",
    "draw": "overlay",
    "EXPORTERS": "exports",
}

__all__ = [
    "EXPORTERS",
    "Instance",
    "MaskDecoder",
    "Mention",
    "Notice",
    "Parser",
    "Partial",
    "Spelling",
    "draw",
    "locate",
    "parse",
    "parse_ids",
    "read_pieces",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
