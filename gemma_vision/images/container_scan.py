"""Container scan: what a picture file would cost, counted before any of it is decoded.

A small file can keep a decoder at work for minutes: by scans that each touch every pixel, by parts,
comments and tags of which it has a million, by run-lengths. What a camera or a program writes stays
far below each of these limits. Nothing is decoded here, and a file is walked over once.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

from gemma_vision.images.limits import ImageError, check_size
from gemma_vision.images.tag_scan import ComplexFile, check_count, scan_tags

MAX_SCANS = 100  # of a JPEG; progressive ones have about ten
MAX_SCANNED = 960_000_000  # pixels times scans: twelve of the largest picture
MAX_SEGMENTS = 1024  # of a JPEG's markers with a length; a depth map comes in hundreds
MAX_EXIF = 8  # segments of it, which are put together
MAX_DATA_PARTS = 2**14  # chunks of pixels; 50 MiB in the usual ones of 8 KiB are 6400
MAX_PARTS = 1024  # chunks, blocks and boxes of anything else
MAX_COMMENT = 2**16  # bytes of comments before a GIF's first frame
MAX_JUNK = 1024  # bytes of a GIF that belong to no block
MAX_RUN_PIXELS = 4_000_000  # of a BMP in run-lengths, which are decoded byte by byte
MAX_RUN_BYTES = 4 * 2**20

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # within a scan; fill bytes and restarts pass
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF0 to SOF15
_LONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_PNG_DATA = frozenset({b"IDAT", b"fdAT", b"fcTL"})


def scan_container(data: bytes, name: str) -> int:
    """How often a decoder goes over a picture's pixels: the scans of a JPEG, 1 of anything else.

    Refuses (ImageError) a file that would keep its decoder at work. name: of the file, for the
    message. Damaged files pass: their decoder says what is wrong.
    """
    scan = next((scan for mark, scan in _SCANS if mark(data)), None)
    try:
        return max(scan(data, name) or 1, 1) if scan is not None else 1
    except ComplexFile as error:
        message = f"{name} has too many {error}. Save it again as an ordinary PNG or JPEG."
        raise ImageError(message) from None
    except (struct.error, IndexError):
        return 1  # cut short


def scan_jpeg(data: bytes, name: str) -> int:
    """Scans times pixels, segments, and the tags of EXIF; how many scans there are."""
    scans, segments, exifs, pixels, place = 0, 0, 0, 0, 2
    while place < len(data):
        found = _MARKER.search(data, place)
        if found is None or data[found.start() + 1] == 0xD9:  # end of the image
            break
        kind, start = data[found.start() + 1], found.end()
        if kind in _LONE:
            place = start
            continue
        segments += 1
        check_count(segments, MAX_SEGMENTS, "segments")
        (length,) = struct.unpack_from(">H", data, start)
        if kind in _FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 3)
            pixels = width * height
        elif kind == 0xDA:
            scans += 1
            check_count(scans, MAX_SCANS, "scans")
            check_count(scans * pixels, MAX_SCANNED, "scans for its size")
        elif kind == 0xE1 and data[start + 2 : start + 8] == b"Exif\0\0":
            exifs += 1
            check_count(exifs, MAX_EXIF, "blocks of EXIF")
            scan_tags(data[start + 8 : start + length])
        place = start + max(length, 2)
    return scans


def scan_png(data: bytes, name: str) -> None:
    """Chunks, those of pixels apart, and the tags of EXIF."""
    counts = {True: 0, False: 0}
    for kind, start, length in png_chunks(data):
        is_data = kind in _PNG_DATA
        counts[is_data] += 1
        check_count(counts[is_data], MAX_DATA_PARTS if is_data else MAX_PARTS, "chunks")
        if kind == b"eXIf":
            scan_tags(data[start : start + length])


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and length of each chunk."""
    place = 8
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], place + 8, length
        place += 12 + length


def scan_gif(data: bytes, name: str) -> None:
    """Blocks and comments before the first frame."""
    place = 13 + _palette(data[10])
    blocks = comments = junk = 0
    while data[place] not in (0x2C, 0x3B):  # a frame, the end
        if data[place] != 0x21:
            junk += 1
            check_count(junk, MAX_JUNK, "bytes that belong to nothing")
            place += 1
            continue
        blocks += 1
        check_count(blocks, MAX_PARTS, "blocks")
        is_comment, start = data[place + 1] == 0xFE, place + 2
        place = start
        while length := data[place]:
            place += 1 + length
            if is_comment:
                check_count(comments + place - start, MAX_COMMENT, "comments")
        comments += (place - start) * is_comment
        place += 1


def scan_webp(data: bytes, name: str) -> None:
    """Chunks, and the size, for which room is made as soon as the header is read."""
    count, place = 0, 12
    while place + 8 <= len(data):
        kind, (length,) = data[place : place + 4], struct.unpack_from("<I", data, place + 4)
        count += 1
        check_count(count, MAX_DATA_PARTS, "chunks")
        body = data[place + 8 : place + 8 + min(length, 2**16)]
        if size := _webp_size(kind, body):
            check_size(size, name)
        if kind == b"EXIF":
            scan_tags(data[place + 8 : place + 8 + length].removeprefix(b"Exif\0\0"))
        place += 8 + length + length % 2


def scan_tiff(data: bytes, name: str) -> None:
    """The tags of the first page."""
    scan_tags(data)


def scan_bmp(data: bytes, name: str) -> None:
    """Run-lengths, which cost by the byte."""
    (header,) = struct.unpack_from("<I", data, 14)
    if header < 40:
        return
    width, height, _, _, packing = struct.unpack_from("<iiHHI", data, 18)
    if packing in (1, 2):
        check_count(abs(width * height), MAX_RUN_PIXELS, "pixels for run-lengths")
        check_count(len(data), MAX_RUN_BYTES, "bytes for run-lengths")


def scan_boxes(data: bytes, name: str) -> None:
    """The outer boxes of AVIF and HEIC."""
    count = place = 0
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, place + 8)
        count += 1
        check_count(count, MAX_PARTS, "boxes")
        if length < 8:  # 0: to the end
            return
        place += length


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int] | None:
    """(width, height) as a chunk of WebP has it; None where it has none."""
    if kind == b"VP8X" and len(body) >= 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(body) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    return None


_SCANS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes, str], int | None]], ...] = (
    (lambda data: data[:2] == b"\xff\xd8", scan_jpeg),
    (lambda data: data[:8] == b"\x89PNG\r\n\x1a\n", scan_png),
    (lambda data: data[:4] == b"GIF8", scan_gif),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", scan_webp),
    (lambda data: data[:2] in (b"II", b"MM"), scan_tiff),
    (lambda data: data[:2] == b"BM", scan_bmp),
    (lambda data: data[4:8] == b"ftyp", scan_boxes),
)
