"""Recommendation: which published checkpoint to begin with on this machine. Reads nothing.

All candidates are PaliGemmas of the kind mix, which find, outline and describe as they are. The
larger sees better and is slower: 10 billion parameters are for a GPU, and 448 pixels (1024 soft
tokens instead of 256) for a GPU or Apple's chips. Their licence is accepted with an account of the
Hub; without one there is Gemma 4, which finds, points and describes, and outlines nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gemma_vision.registry.published import PUBLISHED, numbers_of
from gemma_vision.weights.memory import PACKED, weigh

LARGE_MIX, MIX, SMALL_MIX = (
    "google/paligemma2-10b-mix-448",
    "google/paligemma2-3b-mix-448",
    "google/paligemma2-3b-mix-224",
)
SMALLEST = "google/paligemma-3b-mix-224"  # in memory, of those that find and outline
CANDIDATES: Mapping[str, tuple[str, ...]] = {  # by device: the first that fits
    "cuda": (LARGE_MIX, MIX, SMALLEST),
    "mps": (MIX, SMALLEST),
    "cpu": (SMALL_MIX, SMALLEST),
}
SMALL_OPEN, OPEN = "google/gemma-4-E2B-it", "google/gemma-4-E4B-it"
OPEN_CANDIDATES: Mapping[str, tuple[str, ...]] = {  # without an account
    "cuda": (OPEN, SMALL_OPEN),
    "mps": (OPEN, SMALL_OPEN),
    "cpu": (SMALL_OPEN,),
}
# About so long for a picture and a short answer, by what its steps took on one core of a processor;
# other devices were not measured.
SECONDS = {("cpu", SMALL_OPEN): 60.0}
PARAMETERS = {hub_id: parameters for hub_id, _, _, parameters in PUBLISHED}
PACKING = "int4"  # the number type that takes the least memory


@dataclass(frozen=True)
class Recommendation:
    """A checkpoint to begin with, and what it needs of `room`, both in bytes of memory.

    fits: False where none does; `id` is then the one that needs the least. packed_need: what it
    would take in 4 bits where that would fit, else None. seconds: about what a picture takes, where
    that is known.
    """

    id: str
    device: str
    need: int
    room: int
    fits: bool
    packed_need: int | None = None
    seconds: float | None = None


def recommend(device: str, room: int, dtype: str | None = None) -> Recommendation:
    """The checkpoint to begin with on a device ("cuda:0", "mps", "cpu") with so many bytes free.

    dtype: the number type that the app loads in; None is what loading picks.
    """
    kind = device.split(":")[0]
    candidates = CANDIDATES.get(kind, CANDIDATES["cpu"])
    for hub_id in candidates:
        need = weigh(PARAMETERS[hub_id], device, dtype)
        if need <= room:
            return Recommendation(hub_id, device, need, room, fits=True)
    return nearest(device, room, dtype)


def recommend_open(device: str, room: int, dtype: str | None = None) -> Recommendation | None:
    """The checkpoint to begin with where nobody has an account of the Hub; None where none fits."""
    kind = device.split(":")[0]
    for hub_id in OPEN_CANDIDATES.get(kind, OPEN_CANDIDATES["cpu"]):
        need = weigh(numbers_of(hub_id, PARAMETERS[hub_id]), device, dtype)
        if need <= room:
            seconds = SECONDS.get((kind, hub_id))
            return Recommendation(hub_id, device, need, room, fits=True, seconds=seconds)
    return None


def nearest(device: str, room: int, dtype: str | None) -> Recommendation:
    """Where none fits: the smallest, and whether it would fit in 4 bits."""
    need, packed = (weigh(PARAMETERS[SMALLEST], device, kind) for kind in (dtype, PACKING))
    would_help = dtype not in PACKED and packed <= room
    return Recommendation(SMALLEST, device, need, room, False, packed if would_help else None)
