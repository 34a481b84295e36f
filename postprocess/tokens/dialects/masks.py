"""Masks in JSON: PNG pictures, code tokens and polygons, checked before anybody draws them."""

import base64
import binascii
import re
import zlib
from typing import Any

from postprocess.tokens.dialects.things import Scale, lists_of_numbers, rings_of, yx
from postprocess.tokens.language import CODES_PER_MASK, NUM_CODES, DrawnMask

_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD = b"IHDR"  # the part with the sides, which comes first and once
_ADDRESS = re.compile(r"\s*data:image/png;base64,", re.IGNORECASE)
_BASE64_OF_PNG = "iVBORw0KGgo"
_CODE = re.compile(r"<seg_?(\d{1,3})>", re.IGNORECASE)
_MAX_SIDE = 4096  # pixels; Gemini's are 256 and less
_HEADER = 8 + 4 + 4 + 13  # the signature, a length, a name, and what IHDR holds

Read = tuple[tuple[int, ...], DrawnMask | None]


def read_mask(value: Any, scale: Scale) -> Read | None:
    """Codes or a drawn mask; None for what cannot be read. Polygons are x before y, in `scale`."""
    if isinstance(value, str):
        return _read_text(value)
    lists = lists_of_numbers(value)
    if lists and all(len(one) == 2 for one in lists):  # points
        lists = [[number for point in lists for number in point]]
    drawn = rings_of([yx(one) for one in lists], scale)
    return None if drawn is None else ((), drawn)


def _read_text(text: str) -> Read | None:
    codes = tuple(int(code) for code in _CODE.findall(text))
    if codes:
        is_whole = len(codes) == CODES_PER_MASK and max(codes) < NUM_CODES
        return (codes, None) if is_whole else None
    address = _ADDRESS.match(text)
    if address is None and not text.startswith(_BASE64_OF_PNG):
        return None
    try:
        png = base64.b64decode(text[address.end() if address else 0 :].strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return ((), DrawnMask(png=png)) if _is_whole_png(png) else None


def _is_whole_png(png: bytes) -> bool:
    """Whether its parts are all there with their sums, and its sides are those of a mask."""
    if len(png) < _HEADER or not png.startswith(_PNG) or png[12:16] != _HEAD:
        return False
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        return False
    place, name = len(_PNG), b""
    while name != b"IEND":
        end = place + 8 + int.from_bytes(png[place : place + 4])
        name = png[place + 4 : place + 8]
        if name == _HEAD and place > len(_PNG):  # a second one would count, and has any sides
            return False
        if end + 4 > len(png) or zlib.crc32(png[place + 4 : end]) != int.from_bytes(
            png[end : end + 4]
        ):
            return False
        place = end + 4
    return True
