"""Sets: whose drawings there are, where they come from and under which licence.

Never among them: OpenMoji (share-alike) and the stamps of Tux Paint (GPL), with which the
checkpoint may be tested from outside.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FILE = Path(__file__).parent / "tables" / "sets.json"

Kind = Literal[
    "font",
    "outlines",
    "iconify",
    "webp",
    "deb",
    "models",
    "makings",
    "photographs",
    "panoramas",
    "cutouts",
]


@dataclass(frozen=True)
class DrawingSource:
    """One set of drawings: the package of its registry with its version, and whose it is.

    licence: as SPDX writes it, or in words where that has none.
    is_ink: lines and holes in one colour or few, under which a sheet of paper is cut to shape.
    weight: how often its drawings of a name are shown, beside those of the others.
    """

    name: str
    kind: Kind
    package: str
    author: str
    licence: str
    version: str = ""
    is_ink: bool = False
    weight: int = 3

    @property
    def is_npm(self) -> bool:
        """It comes from npm, whose packages here all have a scope, and not from Debian."""
        return self.package.startswith("@")


def read_sets() -> tuple[DrawingSource, ...]:
    """All sets, in the order in which the atlas has them; the first is the library's own."""
    rows: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))
    return tuple(DrawingSource(**row) for row in rows)


SETS = read_sets()
WALLPAPERS = DrawingSource(
    "wallpapers",
    "photographs",
    "lomiri-wallpapers-16.04",
    'Aitzol Berasategi, Trevor "Freespace" and Abhishek Mudgal',
    "CC-BY-4.0",
)
PANORAMAS = DrawingSource(  # the light of real places, which lie behind things too
    "panoramas", "panoramas", "@pmndrs/assets", "Poly Haven", "CC0-1.0", version="1.7.0"
)
PHOTOGRAPHS: tuple[tuple[DrawingSource | None, tuple[str, ...]], ...] = (
    (
        WALLPAPERS,
        (
            "usr/share/backgrounds/Picture_1A_by_freespace.jpg",
            "usr/share/backgrounds/aitzgorri_by_Aitzol_Berasategi.jpg",
            "usr/share/backgrounds/life_by_Aitzol_Berasategi.jpg",
            "usr/share/backgrounds/picosdeeuropa_by_Aitzol_Berasategi.jpg",
            "usr/share/backgrounds/umang_by_Abhishek_Mudgal.jpg",
        ),
    ),
    (  # of scikit-image
        None,
        (
            "data/brick.png",
            "data/grass.png",
            "data/gravel.png",
            "data/hubble_deep_field.jpg",
            "data/coins.png",
            "data/retina.jpg",
            "data/ihc.png",
            "data/text.png",
            "data/page.png",
        ),
    ),
)
CUTOUTS = (  # things cut out of photographs: examined with, never trained on, never kept here
    DrawingSource("qabcs", "cutouts", "qabcs-data", "DanSoft", "GPL-3.0-or-later"),
    DrawingSource("scratch", "cutouts", "scratch", "MIT", "CC-BY-SA-3.0"),
)
HELD_OUT = "fxemoji"  # the artist that training steers by and never sees
WEIGHTS = {source.name: source.weight for source in SETS}
INKS = tuple(source.name for source in SETS if source.is_ink)
