"""Fonts: letters of every script from the fonts of the machine, each text cut into runs.

Pillow's own font knows little more than ASCII. For other letters the machine's fonts are looked
through, well-known ones first, and then those for Thai and Devanagari that come along, which slim
machines lack. What none of them has is written with letters that can be drawn: without its accents,
or as its code point, `U+732B`. Nothing is dropped and no box stands for it.
"""

import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

# Well-known fonts by the names of their files: many scripts at once, then one or two each.
_KNOWN = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "NotoSans-Regular.ttf",
    "NotoSansThai-Regular.ttf", "NotoSansDevanagari-Regular.ttf", "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf", "Lohit-Devanagari.ttf", "Loma.ttf", "Garuda.ttf", "Waree.ttf",
    "DejaVuSans.ttf", "wqy-zenhei.ttc", "ipag.ttf", "NanumGothic.ttf", "FreeSans.ttf",
    "Arial Unicode.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc",
    "msyh.ttc", "msgothic.ttc", "malgun.ttf", "leelawui.ttf", "Nirmala.ttf", "seguiemj.ttf",
    "Arial.ttf", "unifont.otf", "unifont.ttf", "NotoColorEmoji.ttf", "Apple Color Emoji.ttc",
)  # fmt: skip
_OWN = Path(__file__).with_name("data")
_SUFFIXES = (".ttf", ".otf", ".ttc")
_MOST_FONTS = 400  # more are not looked through for one letter
_STRIKE = 109  # pixels: the one size of Noto's coloured emoji, and near that of others
_NO_LETTER = "\uffff"  # every font shows its sign for a missing letter here
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"  # they join or choose forms of letters, and show nothing
_EMOJI = re.compile("[\U0001f000-\U0001faff\ufe0f]")
_PLAIN = {
    "\u00df": "ss", "\u00e6": "ae", "\u00c6": "AE", "\u0153": "oe", "\u0152": "OE", "\u00f8": "o",
    "\u00d8": "O", "\u0142": "l", "\u0141": "L", "\u0111": "d", "\u0110": "D", "\u0131": "i",
    "\u00fe": "th", "\u00de": "Th", "\u00f0": "d", "\u2026": "...", "\u2013": "-", "\u2014": "-",
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"',
}  # fmt: skip


@dataclass(frozen=True)
class GlyphRun:
    """Letters that one font draws. `scale` is below 1 for fonts of one large size."""

    text: str
    font: Font
    scale: float = 1.0

    @property
    def length(self) -> float:
        """Its length in pixels."""
        return self.font.getlength(self.text) * self.scale


@lru_cache(maxsize=2048)
def runs_of(text: str, height: int) -> tuple[GlyphRun, ...]:
    """A text as runs in letters of this height; what no font has is spelled."""
    runs: list[GlyphRun] = []
    for cluster, path in _with_fonts(text):
        font, scale = _opened(path, height)
        if runs and runs[-1].font is font:
            runs[-1] = GlyphRun(runs[-1].text + cluster, font, scale)
        else:
            runs.append(GlyphRun(cluster, font, scale))
    return tuple(runs)


def _with_fonts(text: str) -> Iterator[tuple[str, str]]:
    """The text with the one font that has all of it, or cut up, each part with its font."""
    whole = _font_for(text)
    if whole is not None:
        yield text, whole
        return
    was_spelled = False
    for cluster in clusters(text):
        path = _font_for(cluster)
        letters = cluster if path is not None else spelled(cluster)
        is_spelled = letters.startswith("U+")
        yield (f" {letters}" if was_spelled and is_spelled else letters), path or ""
        was_spelled = is_spelled


def clusters(text: str) -> list[str]:
    """Letters with what belongs to them: accents, vowel signs, the parts of one emoji."""
    found: list[str] = []
    for letter in text:
        is_part = unicodedata.combining(letter) or unicodedata.category(letter).startswith("M")
        is_tone = "\U0001f3fb" <= letter <= "\U0001f3ff"
        follows_joiner = found and found[-1][-1] == "\u200d"
        if found and (is_part or is_tone or letter in _JOINERS or follows_joiner):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def spelled(cluster: str) -> str:
    """In ASCII: without accents where that is enough, else as code points."""
    letters = unicodedata.normalize("NFKD", cluster)
    bare = "".join(one for one in letters if not unicodedata.combining(one))
    plain = "".join(_PLAIN.get(letter, letter) for letter in bare)
    if plain.isascii() and plain.isprintable():
        return plain
    return " ".join(f"U+{ord(letter):04X}" for letter in cluster if letter not in _JOINERS)


def folders() -> Iterator[Path]:
    """Where the machine keeps its fonts."""
    home = Path.home()
    if sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
        yield home / "AppData/Local/Microsoft/Windows/Fonts"
    elif sys.platform == "darwin":
        yield from (home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    else:
        shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        yield from (home / ".local/share/fonts", home / ".fonts")
        yield from (Path(folder) / "fonts" for folder in shared.split(":") if folder)


@lru_cache(maxsize=1)
def font_files() -> tuple[str, ...]:
    """The machine's well-known font files, our own, and the other ones, regular styles first."""
    found = {
        path.name: str(path)
        for folder in folders()
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _SUFFIXES
    }
    known = [found.pop(name) for name in _KNOWN if name in found]
    rest = sorted(found.values(), key=lambda path: ("Regular" not in path, path))
    own = [str(path) for path in sorted(_OWN.glob("*.ttf"))]
    return tuple(known + own + rest)[:_MOST_FONTS]


@lru_cache(maxsize=4096)
def _font_for(cluster: str) -> str | None:
    """The first font that has every letter of a cluster; "" is Pillow's own, None is none."""
    letters = [one for one in cluster if one not in _JOINERS and not one.isspace()]
    files = font_files() if not cluster.isascii() else ()
    if _EMOJI.search(cluster):
        files = tuple(sorted(files, key=lambda path: "emoji" not in path.lower()))
    for path in ("", *files):
        if all(_has(path, letter) for letter in letters):
            return path
    return "" if cluster.isascii() and cluster.isprintable() else None


@lru_cache(maxsize=65536)
def _has(path: str, letter: str) -> bool:
    """Whether a font draws a letter, and not its sign for a missing one."""
    try:
        font, _ = _opened(path, 16)
        return bytes(font.getmask(letter)) not in (b"", _missing(path))
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=512)
def _missing(path: str) -> bytes:
    return bytes(_opened(path, 16)[0].getmask(_NO_LETTER))


@lru_cache(maxsize=1024)
def _opened(path: str, height: int) -> tuple[Font, float]:
    """A font in this height, and by how much what it draws is to be shrunk."""
    if not path:
        return ImageFont.load_default(height), 1.0
    try:
        return ImageFont.truetype(path, height), 1.0
    except OSError:  # of coloured pictures in one size
        return ImageFont.truetype(path, _STRIKE), height / _STRIKE
