"""Published: the checkpoints that Google published, a row each. Reads nothing."""

from __future__ import annotations

LICENCE = "gemma"  # of every published checkpoint: accepted once on the Hub

# id up to the side, family, sides in pixels, parameters at the first side
LINES = (
    ("google/paligemma-3b-mix", "paligemma", (224, 448), 2_923_466_480),
    ("google/paligemma-3b-pt", "paligemma", (224, 448, 896), 2_923_466_480),
    ("google/paligemma-3b-ft-refcoco-seg", "paligemma", (224, 448, 896), 2_923_466_480),
    ("google/paligemma2-3b-mix", "paligemma2", (224, 448), 3_032_242_416),
    ("google/paligemma2-3b-pt", "paligemma2", (224, 448, 896), 3_032_242_416),
    ("google/paligemma2-10b-mix", "paligemma2", (224, 448), 9_662_638_832),
    ("google/paligemma2-10b-pt", "paligemma2", (224, 448, 896), 9_662_638_832),
    ("google/paligemma2-28b-mix", "paligemma2", (224, 448), 27_650_487_024),
    ("google/paligemma2-28b-pt", "paligemma2", (224, 448, 896), 27_650_487_024),
)
LARGER_SIDE = {224: 0, 448: 884_736, 896: 4_423_680}  # parameters of the longer position table
PUBLISHED = (  # id, family, side, parameters
    *(
        (f"{line}-{side}", family, side, parameters + LARGER_SIDE[side])
        for line, family, sides, parameters in LINES
        for side in sides
    ),
    ("google/paligemma2-3b-ft-docci-448", "paligemma2", 448, 3_033_127_152),
    ("google/paligemma2-10b-ft-docci-448", "paligemma2", 448, 9_663_523_568),
    ("google/gemma-3-4b-it", "gemma3", 896, 4_300_079_472),
    ("google/gemma-3-12b-it", "gemma3", 896, 12_187_325_040),
    ("google/gemma-3-27b-it", "gemma3", 896, 27_432_406_640),
)
