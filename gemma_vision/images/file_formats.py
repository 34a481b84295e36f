"""File formats: which picture files are read, a row each.

What a picture file may be is said, filtered and documented from these rows alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from gemma_vision.extras import install_command

HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
AVIF_BRANDS = frozenset({b"avif", b"avis"})
BRANDS_END = 64  # bytes of a file that are searched for the brands of its container


@dataclass(frozen=True)
class FileFormat:
    """One format: what people and Pillow call it, how its files end in small letters."""

    name: str
    suffixes: tuple[str, ...]


FORMATS = (
    FileFormat("PNG", (".png",)),
    FileFormat("JPEG", (".jpg", ".jpeg")),
    FileFormat("WEBP", (".webp",)),
    FileFormat("AVIF", (".avif",)),
    FileFormat("TIFF", (".tif", ".tiff")),
    FileFormat("BMP", (".bmp",)),
    FileFormat("GIF", (".gif",)),
)
HEIC = FileFormat("HEIF", (".heic", ".heif"))  # what phones write; read with the extra `heic`
EXTRA = install_command("heic")

SUFFIXES = tuple(suffix for one in (*FORMATS, HEIC) for suffix in one.suffixes)
LISTED = f"{', '.join(one.name for one in FORMATS[:-1])} or {FORMATS[-1].name}"


def is_heic(data: bytes) -> bool:
    """Whether a file is of phones' format, told from the brands in its first bytes.

    AVIF files are of the same container and may name both.
    """
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), BRANDS_END)
    brands = {data[8:12], *(data[start : start + 4] for start in range(16, end, 4))}
    return bool(brands & HEIC_BRANDS) and not brands & AVIF_BRANDS
