"""Sets: whose drawings there are, where they come from and under which licence.

Never among them: OpenMoji (share-alike) and the stamps of Tux Paint (GPL), with which the
checkpoint may be tested from outside.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["font", "iconify", "webp", "deb", "photographs"]


@dataclass(frozen=True)
class DrawingSource:
    """One set of drawings: the package of its registry with its version, the licence as SPDX.

    is_ink: lines and holes in one colour or few, under which a sheet of paper is cut to shape.
    """

    name: str
    kind: Kind
    package: str
    version: str
    author: str
    licence: str
    is_ink: bool = False


SETS = (
    DrawingSource(
        "noto-font",
        "font",
        "fonts-noto-color-emoji",
        "",
        "Google Inc. and Arjen Nienhuis",
        "OFL-1.1",
    ),
    DrawingSource("noto", "iconify", "@iconify-json/noto", "1.2.9", "Google Inc.", "Apache-2.0"),
    DrawingSource(
        "noto-v1", "iconify", "@iconify-json/noto-v1", "1.2.5", "Google Inc.", "Apache-2.0"
    ),
    DrawingSource(
        "fluent-flat", "iconify", "@iconify-json/fluent-emoji-flat", "1.2.6", "Microsoft", "MIT"
    ),
    DrawingSource("fluent", "iconify", "@iconify-json/fluent-emoji", "1.2.7", "Microsoft", "MIT"),
    DrawingSource("fluent-3d", "webp", "@lobehub/fluent-emoji-3d", "1.1.0", "Microsoft", "MIT"),
    DrawingSource("twemoji", "iconify", "@iconify-json/twemoji", "1.2.5", "Twitter", "CC-BY-4.0"),
    DrawingSource(
        "emojione", "iconify", "@iconify-json/emojione", "1.2.3", "EmojiOne", "CC-BY-4.0"
    ),
    DrawingSource(
        "streamline",
        "iconify",
        "@iconify-json/streamline-emojis",
        "1.2.4",
        "Streamline",
        "CC-BY-4.0",
    ),
    DrawingSource(
        "clipart", "deb", "openclipart-svg", "0.18", "the Open Clip Art Library", "public domain"
    ),
    DrawingSource(
        "fluent-ink",
        "iconify",
        "@iconify-json/fluent-emoji-high-contrast",
        "1.2.6",
        "Microsoft",
        "MIT",
        is_ink=True,
    ),
    DrawingSource(
        "emojione-ink",
        "iconify",
        "@iconify-json/emojione-monotone",
        "1.2.1",
        "EmojiOne",
        "CC-BY-4.0",
        is_ink=True,
    ),
    DrawingSource(
        "game-icons",
        "iconify",
        "@iconify-json/game-icons",
        "1.2.4",
        "Lorc, Delapouite and others",
        "CC-BY-3.0",
        is_ink=True,
    ),
    DrawingSource(
        "icon-park",
        "iconify",
        "@iconify-json/icon-park",
        "1.2.4",
        "ByteDance",
        "Apache-2.0",
        is_ink=True,
    ),
    DrawingSource(
        "phosphor", "iconify", "@iconify-json/ph", "1.2.2", "Phosphor Icons", "MIT", is_ink=True
    ),
    DrawingSource(
        "streamline-core",
        "iconify",
        "@iconify-json/streamline-color",
        "1.2.2",
        "Streamline",
        "CC-BY-4.0",
        is_ink=True,
    ),
    DrawingSource(
        "streamline-ultimate",
        "iconify",
        "@iconify-json/streamline-ultimate-color",
        "1.2.2",
        "Streamline",
        "CC-BY-4.0",
        is_ink=True,
    ),
    DrawingSource("fxemoji", "iconify", "@iconify-json/fxemoji", "1.2.2", "Mozilla", "Apache-2.0"),
)
WALLPAPERS = DrawingSource(
    "wallpapers",
    "photographs",
    "lomiri-wallpapers-16.04",
    "",
    'Aitzol Berasategi, Trevor "Freespace" and Abhishek Mudgal',
    "CC-BY-4.0",
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
HELD_OUT = "fxemoji"  # the artist that training steers by and never sees
INKS = tuple(source.name for source in SETS if source.is_ink)
