"""The brush of Label Studio: masks as packed runs of a picture's four channels.

A stream of bits, the highest first: 32 for the number of values, 5 for the bits of a value less
one, four times 4 for the bits of the four kinds of lengths less one; then blocks, each with a bit
that says whether it repeats one value, two that choose the kind of its length, its length less one,
and its one value or its many. The values are those of RGBA, and alpha is the mask.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from postprocess.datasets.numbers import read_numbers
from postprocess.datasets.picture_files import Size

Mask = npt.NDArray[np.bool_]

_WORD = 8
_LENGTHS = (3, 7, 11, 16)  # bits of the four kinds of lengths that are written
_CHANNELS = 4


def pack_brush(mask: Mask) -> list[int]:
    """(H, W) -> the bytes of its packed form."""
    flat = np.repeat(mask.ravel(), _CHANNELS)
    ends = np.flatnonzero(np.r_[flat[1:] != flat[:-1], True]) + 1
    head = [(flat.size, 32), (_WORD - 1, 5), *((bits - 1, 4) for bits in _LENGTHS)]
    bits = [_in_bits(head)]
    start = 0
    for end in ends.tolist():
        bits += _run(end - start, 255 * int(flat[start]))
        start = end
    text = "".join(bits)
    packed = np.packbits(np.frombuffer(text.encode(), np.uint8) - ord("0"))
    return [int(byte) for byte in packed]


def unpack_brush(values: Any, size: Size) -> Mask:
    """The bytes of a packed form -> the (H, W) mask; ValueError where they are none of it."""
    numbers = read_numbers(values)
    if numbers is None or any(not 0 <= number <= 255 for number in numbers):
        raise ValueError("a brush mask is no list of bytes")
    bits = _Bits("".join(f"{int(number):08b}" for number in numbers))
    width, height = size
    total = bits.take(32)
    if total != width * height * _CHANNELS:
        raise ValueError(f"a brush mask is of another size than its picture, {width} x {height}")
    word = bits.take(5) + 1
    lengths = [bits.take(4) + 1 for _ in range(4)]
    flat = np.zeros(total, np.uint8)
    place = 0
    while place < total:
        repeats = bits.take(1)
        end = min(place + bits.take(lengths[bits.take(2)]) + 1, total)
        if repeats:
            flat[place:end] = bits.take(word) > 0
        else:
            flat[place:end] = [bits.take(word) > 0 for _ in range(end - place)]
        place = end
    alpha: Mask = flat.reshape(height, width, _CHANNELS)[..., -1] > 0
    return alpha


class _Bits:
    """A text of 0 and 1, taken from the front."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def take(self, count: int) -> int:
        """The number in the next bits."""
        found = self.text[self.place : self.place + count]
        if len(found) < count:
            raise ValueError("a brush mask is cut off")
        self.place += count
        return int(found, 2)


def _run(length: int, value: int) -> list[str]:
    """The blocks for `length` times one value."""
    blocks = []
    most = 1 << _LENGTHS[-1]
    while length > 0:
        part = min(length, most)
        kind = next(k for k, bits in enumerate(_LENGTHS) if part <= 1 << bits)
        fields: Sequence[tuple[int, int]] = ((1, 1), (kind, 2), (part - 1, _LENGTHS[kind]))
        blocks.append(_in_bits([*fields, (value, _WORD)]))
        length -= part
    return blocks


def _in_bits(fields: Sequence[tuple[int, int]]) -> str:
    """Numbers in so many bits each, one behind the other."""
    return "".join(f"{number:0{count}b}" for number, count in fields)
