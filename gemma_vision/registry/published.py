"""Published: the checkpoints that Google published, a row each. Reads nothing.

Parameters are those that are loaded; what a file has besides (Gemma 4's ears) is fetched with it.
"""

from __future__ import annotations

from gemma_vision.weights.memory import Numbers

LICENCE = "gemma"  # of most published checkpoints: accepted once on the Hub
APACHE = "apache-2.0"  # of Gemma 4: nothing to accept, and no account needed

MEDICAL = "health-ai-developer-foundations"  # of MedGemma: accepted on the Hub too

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
    # Gemma 3 tuned: policies that a picture may violate, pictures of medicine, and translation
    ("google/shieldgemma-2-4b-it", "shieldgemma2", 896, 4_300_079_472),
    ("google/medgemma-4b-it", "gemma3", 896, 4_300_079_472),
    ("google/medgemma-27b-it", "gemma3", 896, 27_432_406_640),
    ("google/translategemma-4b-it", "gemma3", 896, 4_300_079_472),
    ("google/translategemma-12b-it", "gemma3", 896, 12_187_325_040),
    ("google/translategemma-27b-it", "gemma3", 896, 27_432_406_640),
    ("google/gemma-4-E2B-it", "gemma4e", None, 4_797_114_083),
    ("google/gemma-4-E4B-it", "gemma4e", None, 7_632_344_554),
    ("google/gemma-4-26B-A4B-it", "gemma4", None, 25_805_936_206),
    ("google/gemma-4-31B-it", "gemma4", None, 31_273_088_876),
)
OPEN = {row[0] for row in PUBLISHED if row[0].startswith("google/gemma-4-")}  # under APACHE
# Tables that are only looked up, and what packing leaves whole: the embedding and the tower
NUMBERS = {
    "google/gemma-4-E2B-it": Numbers(4_797_114_083, 2_348_810_240, 612_771_555),
    "google/gemma-4-E4B-it": Numbers(7_632_344_554, 2_818_572_288, 923_555_306),
    "google/gemma-4-26B-A4B-it": Numbers(25_805_936_206, 0, 1_322_505_806),
    "google/gemma-4-31B-it": Numbers(31_273_088_876, 0, 1_986_361_196),
}
FILE_PARAMETERS = {  # where a file has more than is loaded
    "google/gemma-4-E2B-it": 5_104_298_467,
    "google/gemma-4-E4B-it": 7_941_101_802,
}


def licence_of(hub_id: str) -> str:
    """The licence that a published checkpoint is under."""
    if hub_id in OPEN:
        return APACHE
    return MEDICAL if hub_id.startswith("google/medgemma") else LICENCE


def numbers_of(hub_id: str, parameters: int) -> Numbers:
    """What memory has to know of a checkpoint's numbers; all are alike where nothing is told."""
    return NUMBERS.get(hub_id, Numbers(parameters))
