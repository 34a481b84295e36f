"""Doubts: what in a data set can be learned and is probably meant otherwise, a sentence each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from gemma_vision.evaluate import Dataset, Scene, Thing
from postprocess.datasets.segmentations import extent_of
from postprocess.metrics import box_iou
from postprocess.tokens import folded

FEW_PICTURES = 10  # fewer teach hardly more than themselves
FEW_THINGS = 5  # of a name
FAR_MASK = 0.5  # IoU of a box with the one around its mask
SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))
MAX_PLACES = 3  # that a sentence names; the others are counted


def find_doubts(
    dataset: Dataset, *, known: Sequence[str] = (), side: int = 224, patch: int = 14
) -> list[str]:
    """What to look at before learning.

    known: the names that the base was taught. side, patch: pixels that the model looks at, and
    those of one patch; what is smaller is hardly seen.
    """
    return [
        *few(dataset),
        *pooled_splits(dataset),
        *far_masks(dataset),
        *like_names(dataset),
        *taken_names(dataset, known),
        *unused_names(dataset),
        *small_things(dataset, side, patch),
        *equal_things(dataset),
        *equal_pictures(dataset),
    ]


def few(dataset: Dataset) -> Iterator[str]:
    """Hardly any pictures, or hardly any things of a name."""
    count = len(dataset.scenes)
    if count < FEW_PICTURES:
        yield (
            f"There {'is' if count == 1 else 'are'} {count} picture{'s' * (count != 1)}; with "
            f"fewer than {FEW_PICTURES} hardly more than these pictures is learned. Add some."
        )
    counts = Counter(thing.name for scene in dataset.scenes for thing in scene.objects)
    rare = [f"{name} ({number})" for name, number in sorted(counts.items()) if number < FEW_THINGS]
    if rare:
        yield f"Of {', '.join(rare)} there are fewer than {FEW_THINGS} things; add pictures of it."


def pooled_splits(dataset: Dataset) -> Iterator[str]:
    """Pictures of several splits, of which some were meant to be tested with alone."""
    folders = [{part.casefold() for part in scene.path.parent.parts} for scene in dataset.scenes]
    if not folders:
        return
    every, common = folders[0].union(*folders), folders[0].intersection(*folders)
    parted = sorted((every - common) & SPLITS)
    if len(parted) > 1:
        yield (
            f"The pictures of {', '.join(parted)} are taken together, to learn from and to test "
            "with; name the folder of one of them, and another one by --val."
        )


def far_masks(dataset: Dataset) -> Iterator[str]:
    """Masks that lie elsewhere than their boxes."""
    places = [
        place_of(scene, thing)
        for scene in dataset.scenes
        for thing in scene.objects
        if thing.segmentation and is_far(scene, thing)
    ]
    if places:
        yield f"A mask is far from its box: {some(places)}. Which of the two is right?"


def is_far(scene: Scene, thing: Thing) -> bool:
    """Whether box and mask of a thing have little in common."""
    return box_iou(thing.box, extent_of(thing.segmentation, scene.size)) < FAR_MASK


def like_names(dataset: Dataset) -> Iterator[str]:
    """Names that a person would call one: of another case, or in the plural."""
    first: dict[str, str] = {}
    for name in dataset.categories:
        plain = singular(folded(name).replace("_", " ").replace("-", " "))
        if plain in first:
            yield (
                f"{first[plain]!r} and {name!r} are two names; where they mean the same, give both "
                "one name."
            )
        first.setdefault(plain, name)


def singular(name: str) -> str:
    """mugs -> mug,   boxes -> box,   glass -> glass"""
    if name.endswith("ss"):
        return name
    if name.endswith(("xes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and len(name) > 3 else name


def taken_names(dataset: Dataset, known: Sequence[str]) -> Iterator[str]:
    """Names that the base was taught for something that looks otherwise, maybe."""
    taught = {folded(name): name for name in known}
    for name in dataset.categories:
        if folded(name) in taught:
            yield (
                f"{name!r} is a name that the base knows already: what it was taught as "
                f"{taught[folded(name)]!r} and these things become one. Take another name where "
                "they are not the same."
            )


def unused_names(dataset: Dataset) -> Iterator[str]:
    """Categories without a thing, which are learned as never being there."""
    used = {thing.name for scene in dataset.scenes for thing in scene.things}
    asked = [name for name in dataset.categories if name not in used]
    if asked:
        yield (
            f"No picture has {some([repr(name) for name in asked])}; as they stand they are "
            "learned as never being there. Leave them out, or annotate them."
        )


def small_things(dataset: Dataset, side: int, patch: int) -> Iterator[str]:
    """Things smaller than a patch of the picture as the model sees it."""
    places = [
        place_of(scene, thing)
        for scene in dataset.scenes
        for thing in scene.objects
        if is_small(scene, thing, side, patch)
    ]
    total = sum(len(scene.objects) for scene in dataset.scenes)
    if places:
        yield (
            f"{len(places)} of {total} things are smaller than a patch of what the model sees "
            f"({some(places)}); they are hardly learned. Crop the pictures, or take a model of "
            "more pixels."
        )


def is_small(scene: Scene, thing: Thing, side: int, patch: int) -> bool:
    """Whether both sides of a thing are less than a patch."""
    (x0, y0, x1, y1), (width, height) = thing.box, scene.size
    return max((x1 - x0) / width, (y1 - y0) / height) * side < patch


def equal_things(dataset: Dataset) -> Iterator[str]:
    """One place with two names, or one name twice."""
    places = []
    for scene in dataset.scenes:
        boxes = Counter(thing.box for thing in scene.objects)
        places += [place_of(scene, t) for t in scene.objects if boxes[t.box] > 1]
    if places:
        yield f"Two things have the same box: {some(places)}. Leave one of them out."


def equal_pictures(dataset: Dataset) -> Iterator[str]:
    """One picture listed twice, or copied: what is boxed in one of them alone is not there too."""
    by_size: dict[int, list[Path]] = {}
    for scene in dataset.scenes:
        by_size.setdefault(scene.path.stat().st_size, []).append(scene.path)
    first: dict[bytes, Path] = {}
    twins = []
    for path in (path for paths in by_size.values() if len(paths) > 1 for path in paths):
        key = content(path)
        if key in first:
            twins.append(f"{path.name} is {first[key].name}")
        first.setdefault(key, path)
    if twins:
        yield (
            f"{len(twins)} of the pictures {'is' if len(twins) == 1 else 'are'} there already "
            f"({some(twins)}); what is boxed in one and not in the other is learned both ways. "
            "Keep one of them, with all its things."
        )


def shared_pictures(learned: Dataset, held: Dataset) -> Iterator[str]:
    """Pictures that are learned from and asked about: what is asked would be known already."""
    known = {content(scene.path): scene.path.name for scene in learned.scenes}
    twins = [
        f"{scene.path.name} is {known[content(scene.path)]}"
        for scene in held.scenes
        if content(scene.path) in known
    ]
    if twins:
        yield (
            f"{len(twins)} of the pictures to test with are learned from too ({some(twins)}); the "
            "figures would tell nothing. Leave them out of one of the two."
        )


def content(path: Path) -> bytes:
    """What is equal for copies of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def place_of(scene: Scene, thing: Thing) -> str:
    """Where a thing is found again: its name, its file, its box."""
    x0, y0, x1, y1 = (round(edge) for edge in thing.box)
    return f"{thing.name!r} in {scene.path.name} at {x0}, {y0}, {x1}, {y1}"


def some(places: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = len(places) - MAX_PLACES
    return "; ".join(places[:MAX_PLACES]) + (f" and {more} more" if more > 0 else "")
