"""Pictures made to keep a decoder at work or to fill its memory, a few bytes each."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

LARGE = (10_000, 8_000)  # 80 million pixels, which is allowed


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(size: tuple[int, int], depth: int, color: int, row: bytes, *before: bytes) -> bytes:
    """A PNG of equal rows; before: chunks in front of its pixels."""
    pack = zlib.compressobj(9)
    parts = [pack.compress(b"\0" + row) for _ in range(size[1])] + [pack.flush()]
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0))
    body = png_chunk(b"IDAT", b"".join(parts))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(before) + body + png_chunk(b"IEND", b"")


def jpeg_of_scans(size: tuple[int, int], count: int) -> bytes:
    """A progressive JPEG whose last scan, which touches every block, comes again and again."""
    data = encoded(Image.new("L", size, 90), "JPEG", progressive=True, quality=50)
    last = data.rindex(b"\xff\xda")
    tables = max(data.rfind(b"\xff\xc4", 0, last), 2)
    return data[:-2] + data[tables:-2] * count + b"\xff\xd9"


def jpeg_of_segments(count: int, kind: int = 0xFE, body: bytes = b"abc") -> bytes:
    data = encoded(Image.new("RGB", (8, 8)), "JPEG")
    one = b"\xff" + bytes([kind]) + struct.pack(">H", len(body) + 2) + body
    return data[:2] + one * count + data[2:]


def tags(count: int, values: int, order: str = "<") -> bytes:
    """A list of tags that all name the same values."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8)
    entries = b"".join(
        struct.pack(f"{order}HHLL", 0x9000 + number, 3, values, 0) for number in range(count)
    )
    return head + struct.pack(f"{order}H", count) + entries + bytes(4)


def gif(before: bytes) -> bytes:
    """A GIF with something in front of its frame."""
    data = encoded(Image.new("P", (8, 8)), "GIF")
    start = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    return data[:start] + before + data[start:]


def gif_comment(num_bytes: int) -> bytes:
    return gif(b"\x21\xfe" + (b"\xff" + b"x" * 255) * (num_bytes // 255) + b"\0")


def bmp_of_runs(size: tuple[int, int], body: bytes) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, *size, 1, 8, 1, len(body), 0, 0, 256, 0)
    offset = 14 + len(head) + 1024
    return (
        b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset) + head + bytes(1024) + body
    )


def webp_chunks(count: int) -> bytes:
    data = encoded(Image.new("RGB", (8, 8)), "WEBP")
    body = data[8:] + (b"junk" + struct.pack("<I", 0)) * count
    return b"RIFF" + struct.pack("<I", len(body)) + body


def big_tiff(count: int) -> bytes:
    """A BigTIFF that says it has so many tags."""
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, count) + bytes(2 * 2**20)


# What is refused by a look at the container, within a moment.
REFUSED = {
    "a JPEG of 2000 scans": lambda: jpeg_of_scans((500, 500), 2000),
    "a large JPEG of 60 scans": lambda: jpeg_of_scans((6000, 5000), 60),
    "a JPEG of 100,000 comments": lambda: jpeg_of_segments(100_000),
    "a JPEG of 700 blocks of EXIF": lambda: jpeg_of_segments(
        700, 0xE1, b"Exif\0\0" + bytes(60_000)
    ),
    "EXIF tags that share their values": lambda: jpeg_of_segments(
        1, 0xE1, b"Exif\0\0" + tags(500, 30_000) + bytes(50_000)
    ),
    "EXIF tags in a PNG": lambda: png(
        (8, 8), 8, 0, bytes(8), png_chunk(b"eXIf", tags(500, 500_000, ">") + bytes(2**20))
    ),
    "a PNG of a million chunks": lambda: png(
        (8, 8), 8, 0, bytes(8), png_chunk(b"abCd", b"") * 10**6
    ),
    "a PNG of a million empty pixels": lambda: png(
        (8, 8), 8, 0, bytes(8), png_chunk(b"IDAT", b"") * 10**6
    ),
    "a GIF with a long comment": lambda: gif_comment(20 * 2**20),
    "a GIF of many comments": lambda: gif(b"\x21\xfe\x01x\0" * 10**6),
    "a GIF of junk": lambda: gif(bytes(20 * 2**20)),
    "a BMP of line ends": lambda: bmp_of_runs((16_000, 5_000), b"\0\0" * 5_000 + b"\0\1"),
    "a BMP of single runs": lambda: bmp_of_runs((2000, 2000), b"\1\1" * 10**7),
    "a WebP of a million chunks": lambda: webp_chunks(10**6),
    "a TIFF of tags that share their values": lambda: tags(500, 2**20) + bytes(2**22),
    "a BigTIFF of 2^40 tags": lambda: big_tiff(2**40),
    "boxes of AVIF": lambda: b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x08free" * 10**6,
    "a PNG that says 2^31": lambda: png((2**31 - 1, 1), 8, 0, b""),
    "a WebP of 268 million pixels": lambda: encoded(
        Image.new("RGB", (16_383, 1)), "WEBP", lossless=True
    ).replace(struct.pack("<I", 16_382 | 0 << 14)[:2], struct.pack("<H", 0xFFFE)),
}
