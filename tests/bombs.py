"""Files and bodies made to hurt: small to send, costly to believe.

`crafted_pictures` has the pictures that a look at the container refuses; here are their neighbours.
"""

from __future__ import annotations

import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from crafted_pictures import (
    LARGE,
    REFUSED,
    bmp_of_runs,
    encoded,
    gif,
    jpeg_of_scans,
    png,
    png_chunk,
    tags,
)
from films import film
from PIL import Image
from test_archives import BOMBS, with_size, zipped

MIB, GIB = 2**20, 2**30
Made = Callable[[], bytes]


@cache
def packed(size: int) -> bytes:
    """So many zeros, by deflate, without ever having them all."""
    pack, block = zlib.compressobj(9), bytes(MIB)
    return b"".join(pack.compress(block) for _ in range(size // MIB)) + pack.flush()


def small_png(*before: bytes) -> bytes:
    return png((8, 8), 8, 0, bytes(8), *before)


def png_claim(width: int, height: int) -> bytes:
    """A PNG that says its size and has nothing of it."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


def gif_canvas(size: tuple[int, int]) -> bytes:
    """A GIF whose canvas is large and whose frame is small."""
    data = bytearray(encoded(Image.new("P", (8, 8)), "GIF"))
    data[6:10] = struct.pack("<HH", *size)
    return bytes(data)


def gif_frame(size: tuple[int, int]) -> bytes:
    """A GIF of a small canvas whose frame is large."""
    data = bytearray(encoded(Image.new("P", (8, 8)), "GIF"))
    at = data.rindex(b"\x2c") if b"\x2c" in data else 13
    data[at + 5 : at + 9] = struct.pack("<HH", *size)
    return bytes(data)


def animated(kind: str, count: int, size: tuple[int, int] = (64, 64)) -> bytes:
    frames = [Image.new("RGB", size, (n % 256, n // 256, 0)) for n in range(count)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def tiff(entries: list[tuple[int, int, int, int]], body: bytes = b"") -> bytes:
    """A TIFF of these tags: (tag, kind, count, value)."""
    rows = b"".join(struct.pack("<HHLL", *one) for one in sorted(entries))
    return b"II*\0" + struct.pack("<LH", 8, len(entries)) + rows + bytes(4) + body


def tiff_of(width: int, height: int, **other: int) -> bytes:
    """Tags of a picture in one strip; other: tags by number, as t259=5."""
    own = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: height}
    own |= {279: 64} | {int(name[1:]): value for name, value in other.items()}
    return tiff([(tag, 4, 1, value) for tag, value in own.items()], bytes(256))


def tiff_loop() -> bytes:
    """A TIFF whose next page is its first."""
    data = tiff_of(8, 8)
    count = struct.unpack_from("<H", data, 8)[0]
    at = 10 + 12 * count
    return data[:at] + struct.pack("<L", 8) + data[at + 4 :]


def bmp_claim(width: int, height: int, bits: int = 24, packing: int = 0) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + head + bytes(64)


def avif_claim(width: int, height: int) -> bytes:
    """An AVIF that says another size than it has."""
    data = encoded(Image.new("RGB", (64, 64)), "AVIF")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">LL", width, height) + data[at + 8 :]


def jpeg_claim(width: int, height: int) -> bytes:
    data = encoded(Image.new("RGB", (64, 64)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def icc_png(size: int) -> bytes:
    return small_png(png_chunk(b"iCCP", b"a\0\0" + packed(size)))


def text_png(kind: bytes, size: int, count: int = 1) -> bytes:
    head = {b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0"}[kind]
    return small_png(*[png_chunk(kind, head + packed(size))] * count)


def overfull_png(size: int) -> bytes:
    """A PNG of 8 x 8 whose pixels unpack to much more."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", packed(size)) + png_chunk(b"IEND", b"")


def svg_of_entities() -> bytes:
    rows = [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    return f'<!DOCTYPE s [<!ENTITY a0 "a">{"".join(rows)}]><svg>&a9;</svg>'.encode()


PICTURES: dict[str, Made] = {
    **REFUSED,
    "a PNG of 16 bits, 80 MP": lambda: png(LARGE, 16, 0, b"\1\2" * LARGE[0]),
    "a PNG of 16 bits and colours, 80 MP": lambda: png(LARGE, 16, 2, b"\1\2" * 3 * LARGE[0]),
    "a see-through PNG of 80 MP": lambda: png(LARGE, 8, 6, b"\1\2\3\4" * LARGE[0]),
    "a PNG of 1 bit, 80 MP": lambda: png(LARGE, 1, 0, bytes(LARGE[0] // 8)),
    "a PNG of 81 MP": lambda: png((9000, 9001), 1, 0, bytes(9000 // 8)),
    "a PNG of 2^31 a side": lambda: png_claim(2**31 - 1, 2**31 - 1),
    "a PNG of 2^32 a side": lambda: png_claim(2**32 - 1, 2**32 - 1),
    "a PNG with a profile of 1 GB": lambda: icc_png(GIB),
    "a PNG with text of 1 GB": lambda: text_png(b"zTXt", GIB),
    "a PNG with many texts": lambda: text_png(b"zTXt", MIB, 900),
    "a PNG with text in Unicode of 1 GB": lambda: text_png(b"iTXt", GIB),
    "a PNG whose pixels unpack to 1 GB": lambda: overfull_png(GIB),
    "a moving PNG of 2000 frames": lambda: animated("PNG", 2000, (16, 16)),
    "a progressive JPEG of 72 MP": lambda: jpeg_of_scans((9000, 8000), 6),
    "a JPEG of 65,535 a side": lambda: jpeg_claim(65_535, 65_535),
    "a JPEG of 80 MP that ends at once": lambda: jpeg_claim(10_000, 8_000),
    "a JPEG without pixels": lambda: jpeg_claim(0, 0),
    "a GIF canvas of 65,535 a side": lambda: gif_canvas((65_535, 65_535)),
    "a GIF canvas of 80 MP": lambda: gif_canvas(LARGE),
    "a GIF frame of 65,535 a side": lambda: gif_frame((65_535, 65_535)),
    "a GIF of 3000 frames": lambda: animated("GIF", 3000),
    "a GIF of extensions": lambda: gif(b"\x21\xf9\x04\0\0\0\0\0" * 200_000),
    "a moving WebP of 1000 frames": lambda: animated("WEBP", 1000, (32, 32)),
    "a WebP of 35 MP": lambda: encoded(
        Image.new("RGB", (7000, 5000)), "WEBP", lossless=True, quality=0, method=0
    ),
    "an AVIF of 2^31 a side": lambda: avif_claim(2**31 - 1, 2**31 - 1),
    "an AVIF of 65,535 a side": lambda: avif_claim(65_535, 65_535),
    "an AVIF of 16,384 x 16,384": lambda: avif_claim(16_384, 16_384),
    "a TIFF of 2^31 a side": lambda: tiff_of(2**31 - 1, 2**31 - 1),
    "a TIFF of 80 MP in one strip": lambda: tiff_of(*LARGE),
    "a TIFF of 80 MP by LZW": lambda: tiff_of(*LARGE, t259=5),
    "a TIFF of tiles of 2^31": lambda: tiff_of(64, 64, t322=2**31 - 16, t323=2**31 - 16, t324=200),
    "a TIFF of 65,535 samples": lambda: tiff_of(1000, 1000, t277=65_535),
    "a TIFF of pages in a ring": tiff_loop,
    "a TIFF by fax": lambda: tiff_of(*LARGE, t259=4, t258=1),
    "a TIFF of tags without end": lambda: tags(25_000, 1) + bytes(MIB),
    "a BMP of 2^31 a side": lambda: bmp_claim(2**31 - 1, 2**31 - 1),
    "a BMP of -2^31 rows": lambda: bmp_claim(64, -(2**31)),
    "a BMP of 80 MP without pixels": lambda: bmp_claim(*LARGE),
    "a BMP of runs, 4 MP": lambda: bmp_of_runs((2000, 2000), b"\xff\1" * 100_000),
    "an SVG of entities": svg_of_entities,
    "words": lambda: b"words " * 10**6,
    "nothing": lambda: b"",
}


def stored(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


ARCHIVES: dict[str, Made] = {
    **{f"a zip: {name}": make for name, make in BOMBS.items()},
    "a zip of 3 PNGs of 80 MP": lambda: stored(
        *[(f"{n}.png", png(LARGE, 1, 0, bytes(LARGE[0] // 8))) for n in range(3)]
    ),
    "a zip of crafted pictures": lambda: stored(
        ("a.jpg", jpeg_of_scans((500, 500), 2000)),
        ("b.gif", gif_canvas((65_535, 65_535))),
        ("c.png", icc_png(512 * MIB)),
    ),
    "a zip of 33 pictures": lambda: stored(*[(f"{n}.png", small_png()) for n in range(33)]),
    "a zip of names of 60,000 letters": lambda: stored(("a" * 60_000 + ".png", small_png())),
    "a zip that claims nothing": lambda: with_size(zipped(zipfile.ZIP_DEFLATED), 0),
    "a zip that claims 2^32": lambda: with_size(zipped(zipfile.ZIP_DEFLATED), 2**32 - 1),
    "a zip in a picture's name": lambda: zipped(zipfile.ZIP_DEFLATED, "a.zip.png"),
    "a zip cut in the middle": lambda: zipped(zipfile.ZIP_DEFLATED)[: 20 * 1024],
    "a zip of bzip2 of zeros": lambda: zipped(zipfile.ZIP_BZIP2, size=200 * MIB),
    "a zip of lzma of zeros": lambda: zipped(zipfile.ZIP_LZMA, size=200 * MIB),
}


def clip(name: str = "a.mp4", **options: object) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return film(Path(folder) / name, **options).read_bytes()  # type: ignore[arg-type]


def patched(data: bytes, box: bytes, at: int, values: bytes) -> bytes:
    """A video with other bytes so far behind the name of a box."""
    start = data.index(box) + 4 + at
    return data[:start] + values + data[start + len(values) :]


def one_size_samples(count: int) -> bytes:
    """An MP4 whose list of samples says: so many, each of one byte, in one chunk."""
    data = patched(clip(), b"stsz", 4, struct.pack(">LL", 1, count))
    data = patched(data, b"stsc", 4, struct.pack(">LLLL", 1, 1, count, 1))
    return patched(data, b"stts", 4, struct.pack(">LLL", 1, count, 1))


def deep_boxes(depth: int) -> bytes:
    """Boxes in boxes."""
    data = b""
    for _ in range(depth):
        data = struct.pack(">L", len(data) + 8) + b"moov" + data
    return clip()[:32] + data


def garbage_samples() -> bytes:
    """A video of a real start and pixels of noise."""
    data = bytearray(clip(count=200, size=(64, 64)))
    start = data.index(b"mdat") + 4
    noise = np.random.default_rng(0).bytes(len(data) // 2 - start)
    data[start : start + len(noise)] = noise
    return bytes(data)


def fragmented(count: int) -> bytes:
    """A video in fragments, the first of which says that it has so many samples, all alike."""
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mp4"
        with av.open(str(path), "w", options=flags) as container:
            stream = container.add_stream("libx264", 10)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            container.mux(stream.encode(av.VideoFrame(128, 96, "yuv420p")))
            container.mux(stream.encode(None))
        data = path.read_bytes()
    return patched(data, b"trun", 0, struct.pack(">LL", 1, count))


def repeated_edits(count: int, samples: int) -> bytes:
    """A video of so many samples, of which an editor shows all, again and again."""
    data = one_size_samples(samples)
    at = data.index(b"edts") - 4
    own = int.from_bytes(data[at : at + 4], "big")
    rows = struct.pack(">LLL", 2**31 - 1, 0, 0x10000) * count
    table = struct.pack(">L4sLL", 16 + len(rows), b"elst", 0, count) + rows
    box = struct.pack(">L4s", 8 + len(table), b"edts") + table
    data = data[:at] + box + data[at + own :]
    for name in (b"moov", b"trak"):
        start = data.index(name) - 4
        size = int.from_bytes(data[start : start + 4], "big") + len(box) - own
        data = data[:start] + struct.pack(">L", size) + data[start + 4 :]
    return data


def packed_contents() -> bytes:
    """A table of contents packed by deflate, as QuickTime once wrote it, that claims 2^31 bytes."""
    inside = struct.pack(">L", 2**31 - 1) + packed(64 * MIB)
    cmvd = struct.pack(">L4s", 8 + len(inside), b"cmvd") + inside
    body = struct.pack(">L4s4s", 12, b"dcom", b"zlib") + cmvd
    cmov = struct.pack(">L4s", 8 + len(body), b"cmov") + body
    return clip()[:32] + struct.pack(">L4s", 8 + len(cmov), b"moov") + cmov


VIDEOS: dict[str, Made] = {
    "an MP4 of 4096 x 4096": lambda: clip(size=(4096, 4096), count=2),
    "an MP4 of 300,000 bytes that are frames": lambda: one_size_samples(300_000) + bytes(300_000),
    "an MP4 of 30,000,000 bytes that are frames": lambda: (
        one_size_samples(30_000_000) + bytes(30_000_000)
    ),
    "a fragment of 80,000,000 samples": lambda: fragmented(80_000_000),
    "a fragment of 3,000,000 samples": lambda: fragmented(3_000_000),
    "fragments without end": lambda: clip() + b"\0\0\0\x08moof" * 10**6,
    "edits that repeat": lambda: repeated_edits(20_000, 2000),
    "contents that unpack": packed_contents,
    "an MP4 of 8192 x 8192": lambda: clip(size=(8192, 8192), count=1),
    "an MP4 of 16,384 a side": lambda: patched(
        clip(), b"avc1", 24, struct.pack(">HH", 16_384, 16_384)
    ),
    "an AVI of 8192 x 8192": lambda: clip(
        "a.avi", size=(8192, 8192), count=3, codec="mjpeg", pix_fmt="yuvj420p"
    ),
    "a WebM of 4096 x 4096": lambda: clip("a.webm", size=(4096, 4096), count=2),
    "an MP4 of 2^27 samples": lambda: one_size_samples(2**27),
    "an MP4 of 2^31 samples": lambda: one_size_samples(2**31 - 1),
    "an MP4 of 2^31 sizes": lambda: patched(clip(), b"stsz", 8, struct.pack(">L", 2**31 - 1)),
    "an MP4 of 2^31 times": lambda: patched(clip(), b"stts", 4, struct.pack(">L", 2**31 - 1)),
    "an MP4 of 2^31 chunks": lambda: patched(clip(), b"stco", 4, struct.pack(">L", 2**31 - 1)),
    "an MP4 of boxes in boxes": lambda: deep_boxes(5000),
    "an MP4 of noise": garbage_samples,
    "an MP4 of 240,000 frames a second": lambda: patched(
        clip(), b"mdhd", 12, struct.pack(">L", 240_000)
    ),
    "an MP4 cut in the middle": lambda: clip()[:2000],
    "a playlist": lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXTINF:1,\nhttp://[::1]/\n",
    "a list of files": lambda: b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "a very long video": lambda: clip(rate=Fraction(1, 1000), count=30),
}

LETTERS = "<loc0102><loc0102><loc0512><loc0460>"
ANSWERS: dict[str, str] = {
    "200,000 codes": "<seg001>" * 25_000,
    "200,000 places": "<loc0001>" * 22_000,
    "unfinished marks": "<loc" * 50_000,
    "open lists": "[" * 200_000,
    "open braces": "{" * 200_000,
    "open words": '"' * 199_999,
    "lists in lists": "[" * 99_000 + "]" * 99_000,
    "a number of 190,000 digits": '[{"box_2d": [1, 2, 3, ' + "9" * 190_000 + "]}]",
    "129 masks": " ; ".join([LETTERS + "<seg001>" * 16 + " a"] * 129),
    "10,000 boxes": " ; ".join([LETTERS + " a"] * 4_900),
    "fences": "```json\n" * 25_000,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 20_000,
    "marks of direction": "\u202e" * 200_000,
    "spaces": " " * 200_000,
    "entities": "&lt;" * 50_000,
    "too much": "a" * 200_001,
}


def all_files() -> Iterator[tuple[str, str, str, Made]]:
    """(kind, name, file name, what makes it) of every file."""
    for kind, table, name in (
        ("picture", PICTURES, "a.png"),
        ("archive", ARCHIVES, "a.zip"),
        ("video", VIDEOS, "a.mp4"),
    ):
        for title, make in table.items():
            yield kind, title, name, make
