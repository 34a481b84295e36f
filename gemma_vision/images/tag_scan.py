"""Tag scan: the tags of TIFF and of EXIF, counted before they are read.

Each tag names where its values lie. A thousand of them may name the same megabyte, which would be
read and taken apart a thousand times.
"""

from __future__ import annotations

import struct

MAX_TAGS = 512  # of one list; cameras write under a hundred
MAX_VALUES = 8 * 2**20  # bytes of all values together: strips of the largest picture are 128 KiB
POINTERS = frozenset({0x8769, 0x8825, 0xA005})  # to the lists of EXIF, GPS, interoperability
_MAX_LISTS = 8
# Bytes of a value by its type, those of BigTIFF last.
_SIZES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), 1)) | {16: 8, 17: 8, 18: 8}


class ComplexFile(Exception):
    """Something of which a file has too many; the message names it."""


def check_count(count: int, most: int, what: str) -> None:
    """ComplexFile where there are more than that."""
    if count > most:
        raise ComplexFile(what)


def scan_tags(data: bytes) -> None:
    """Count the tags of the first list and of those that it points to, and their values."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    is_big = version == 43
    pending = [*struct.unpack_from(f"{order}{'Q' if is_big else 'L'}", data, 8 if is_big else 4)]
    total = seen = 0
    while pending:
        seen += 1
        check_count(seen, _MAX_LISTS, "lists of tags")
        start = pending.pop()
        try:
            size, pointers = _scan_list(data, start, order, is_big=is_big)
        except struct.error:
            continue  # cut short
        total += size
        check_count(total, MAX_VALUES, "values of tags")
        pending += pointers


def _scan_list(data: bytes, start: int, order: str, *, is_big: bool) -> tuple[int, list[int]]:
    """The bytes of the values of a list of tags, and where it points to."""
    head, entry = (f"{order}Q", f"{order}HHQQ") if is_big else (f"{order}H", f"{order}HHLL")
    (count,) = struct.unpack_from(head, data, start)
    check_count(count, MAX_TAGS, "tags")
    place, total, pointers = start + struct.calcsize(head), 0, []
    for _ in range(count):
        tag, kind, values, value = struct.unpack_from(entry, data, place)
        total += values * _SIZES.get(kind, 0)
        check_count(total, MAX_VALUES, "values of tags")
        if tag in POINTERS:
            pointers.append(value)
        place += struct.calcsize(entry)
    return total, pointers
