"""Build: fetch the sets of drawings and render them: `python -m training.drawings.build OUT`.

OUT gets atlas.npz and photographs/, over a gigabyte that nobody need keep: they are made again
from the same packages. Needs npm, apt, the font of Noto Color Emoji, Debian's libegl1, and
resvg-py, vtk and OpenEXR of the extra "dev".
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.drawings.clipart import read_clipart
from training.drawings.facing import facing_other_way
from training.drawings.names import GLYPHS, UNNAMED
from training.drawings.own_names import JOINED, MISTAKEN, read_own_names
from training.drawings.packages import fetch
from training.drawings.render import draw_outlines, iconify_svg, on_paper, render_svg, to_sprite
from training.drawings.sets import PANORAMAS, PHOTOGRAPHS, SETS, DrawingSource
from training.solids.catalogue import FRONTED, render_makings
from training.solids.furniture import render_models, unpack
from training.solids.stage import SolidStage
from training.solids.surroundings import photographs_of, read_panoramas

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
FONT_SIZE = 109  # the only size the bitmap font has
FONT_FILES, OUTLINES_SIZE = "*-400-normal.woff", 400  # a font in parts, of one weight
CLIPART_ROOT = Path("usr/share/openclipart/svg")
HOLLOW = ("bicycle",)  # what is behind it is seen through it
LONGEST = 720  # of a photograph, in pixels


@dataclass(frozen=True)
class Drawing:
    """One rendered drawing: whose, of which name (-1: none), and the emoji that it shows."""

    artist: str
    name: int
    glyph: str
    sprite: np.ndarray


def items() -> list[tuple[int, str]]:
    """Every emoji that is drawn, with the index of its name."""
    named = [(number, glyph) for number, glyphs in enumerate(GLYPHS.values()) for glyph in glyphs]
    return named + [(-1, glyph) for glyph in UNNAMED]


def drawings_of(source: DrawingSource, folder: Path) -> Iterator[Drawing]:
    """Everything that one set shows of what is asked for, named things first."""
    if source.kind == "font":
        font = ImageFont.truetype(str(FONT), FONT_SIZE)
        yield from _kept(source, ((n, g, draw_glyph(g, font)) for n, g in items()))
        return
    if source.kind == "makings":
        panoramas = read_panoramas(fetch(PANORAMAS, folder))
        stages = [SolidStage(), *(SolidStage(panorama) for panorama in panoramas.values())]
        yield from _kept(source, _makings(stages))
        return
    place = fetch(source, folder)
    if source.kind == "webp":
        files = {_plain(file.stem): file for file in (place / "assets").glob("*.webp")}
        found = ((n, g, files.get(code_points(g))) for n, g in items())
        rows = ((n, g, Image.open(f).convert("RGBA")) for n, g, f in found if f is not None)
        yield from _kept(source, rows)
    elif source.kind == "outlines":
        yield from _kept(source, _outlines(source, place))
    elif source.kind == "deb":
        yield from _kept(source, _clipart(place / CLIPART_ROOT))
    elif source.kind == "models":
        yield from _kept(source, _models(place))
    else:
        icons = json.loads((place / "icons.json").read_text("utf-8"))
        slugs = short_names(folder)
        yield from _kept(source, _iconify(source, icons, slugs))


def _kept(source: DrawingSource, rows: Iterator[tuple[int, str, Image.Image]]) -> Iterator[Drawing]:
    for name, glyph, image in rows:
        sprite = to_sprite(image)
        if sprite is not None:
            yield Drawing(source.name, name, glyph, sprite)


def _outlines(source: DrawingSource, place: Path) -> Iterator[tuple[int, str, Image.Image]]:
    files = sorted(place.rglob("*.ttf")) or sorted(place.rglob(FONT_FILES))
    fonts = [ImageFont.truetype(str(file), OUTLINES_SIZE) for file in files]
    for number, glyph in items():
        drawn = draw_outlines(glyph, fonts)
        if drawn is not None and glyph not in MISTAKEN.get(source.name, ""):
            is_hollow = number >= 0 and list(GLYPHS)[number] in HOLLOW
            yield number, glyph, on_paper(drawn, is_hollow=is_hollow)


def _clipart(root: Path) -> Iterator[tuple[int, str, Image.Image]]:
    for number, name in [*enumerate(GLYPHS), (-1, "")]:
        for file in read_clipart().get(name, ()):
            svg = (root / f"{file}.svg").read_text("utf-8", "replace")
            yield number, "", render_svg(svg)


def _models(package: Path) -> Iterator[tuple[int, str, Image.Image]]:
    folder, stage = unpack(package), SolidStage()
    for number, name in [*enumerate(GLYPHS), (-1, "")]:
        for view in render_models(folder, name, stage, is_fronted=name in FRONTED):
            yield number, "", view


def _makings(stages: Sequence[SolidStage]) -> Iterator[tuple[int, str, Image.Image]]:
    for number, name in enumerate(GLYPHS):
        for view in render_makings(name, stages):
            yield number, "", view


def _iconify(
    source: DrawingSource, icons: dict[str, Any], slugs: dict[str, str]
) -> Iterator[tuple[int, str, Image.Image]]:
    own, names = read_own_names().get(source.name), list(GLYPHS)
    join = source.name in JOINED
    unnamed = (
        (glyph, slugs[glyph].replace("-", "") if join else slugs[glyph])
        for glyph in UNNAMED
        if glyph not in MISTAKEN.get(source.name, "")
    )
    if own is None:
        wanted = [(number, glyph, slugs[glyph]) for number, glyph in items()]
    else:
        wanted = [
            (names.index(name), "", icon) for name, few in own.items() for icon in few.split()
        ]
        wanted += [(-1, glyph, icon) for glyph, icon in unnamed]
    named = {icon for number, _, icon in wanted if number >= 0}
    for number, glyph, icon in wanted:
        svg = iconify_svg(icons, icon)
        if svg is not None and (number >= 0 or icon not in named):
            drawing = render_svg(svg)
            if source.is_ink:
                is_hollow = number >= 0 and names[number] in HOLLOW
                drawing = on_paper(drawing, is_hollow=is_hollow)
            yield number, glyph, drawing


def short_names(folder: Path) -> dict[str, str]:
    """Emoji -> what Unicode calls it, as the set that lists them all says."""
    place = fetch(next(one for one in SETS if one.name == "noto"), folder)
    listed = json.loads((place / "chars.json").read_text("utf-8"))
    known = {_plain(points): name for points, name in listed.items()}
    return {glyph: known[code_points(glyph)] for _, glyph in items()}


def code_points(glyph: str) -> str:
    """An emoji as its code point in hexadecimal, four digits at least."""
    return f"{ord(glyph):04x}"


def _plain(points: str) -> str:
    return points.removesuffix("-fe0f").zfill(4)


def draw_glyph(glyph: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    canvas = Image.new("RGBA", (256, 256))
    ImageDraw.Draw(canvas).text((40, 40), glyph, font=font, embedded_color=True)
    return canvas


def write_atlas(drawings: Sequence[Drawing], path: Path) -> None:
    """All drawings as the arrays of `DrawingAtlas`."""
    artists = list(dict.fromkeys(one.artist for one in drawings))
    named = dict.fromkeys((d.name, d.glyph) for d in drawings if d.name >= 0 and d.glyph)
    kinds = {key: number for number, key in enumerate(named)}
    images = np.stack([one.sprite for one in drawings])
    name_of = np.array([one.name for one in drawings])
    artist_of = np.array([artists.index(one.artist) for one in drawings])
    kind_of = np.array([kinds.get((one.name, one.glyph), -1) for one in drawings])
    np.savez(
        path,
        images=images,
        name_of=name_of,
        artist_of=artist_of,
        kind_of=kind_of,
        flipped=facing_other_way(images, name_of, artist_of, kind_of),
        names=np.array(list(GLYPHS)),
        artists=np.array(artists),
    )


def write_photographs(folder: Path, out: Path) -> None:
    """The photographs without a named thing, no longer than 720 pixels."""
    import skimage

    out.mkdir(parents=True, exist_ok=True)
    for source, files in PHOTOGRAPHS:
        root = Path(skimage.__file__).parent if source is None else fetch(source, folder)
        for file in files:
            picture = Image.open(root / file).convert("RGB")
            picture.thumbnail((LONGEST, LONGEST))
            picture.save(out / f"{Path(file).stem}.png")
    for name, pixels in photographs_of(read_panoramas(fetch(PANORAMAS, folder))).items():
        Image.fromarray(pixels).save(out / f"{name}.png")


def main(words: Sequence[str] | None = None) -> int:
    """Build everything into the folder that is named -> exit code."""
    arguments = list(sys.argv[1:] if words is None else words)
    if len(arguments) != 1:
        print("python -m training.drawings.build OUT", file=sys.stderr)
        return 2
    out = Path(arguments[0])
    if (out / "atlas.npz").exists() and (out / "photographs").is_dir():
        print(f"{out} is there; remove it to build it anew.")
        return 0
    packages = out / "packages"
    drawings: list[Drawing] = []
    for source in SETS:
        drawings += drawings_of(source, packages)
        print(f"{source.name}: {sum(one.artist == source.name for one in drawings)} drawings")
    write_photographs(packages, out / "photographs")
    write_atlas(drawings, out / "atlas.npz")
    return 0


if __name__ == "__main__":
    sys.exit(main())
