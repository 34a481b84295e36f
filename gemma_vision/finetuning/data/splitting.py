"""Splitting: which pictures are learned from and which are only asked about."""

from dataclasses import replace

import numpy as np

from gemma_vision.evaluate import Dataset, DatasetError

MAX_HELD_OUT = 100  # pictures; more would tell little more


def split(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """A data set without some of its pictures, and those: drawn with the seed, at least one."""
    count = len(dataset.scenes)
    if count < 2:
        raise DatasetError(
            f"{dataset.folder} has one picture; at least two are needed, one of them to test with."
        )
    held = min(MAX_HELD_OUT, max(1, round(share * count)), count - 1)
    chosen = set(np.random.default_rng(seed).permutation(count)[:held].tolist())
    parts = [
        replace(
            dataset,
            scenes=tuple(s for i, s in enumerate(dataset.scenes) if (i in chosen) is is_held),
        )
        for is_held in (False, True)
    ]
    if not any(scene.objects or scene.lines for scene in parts[0].scenes):
        raise DatasetError(
            f"After {held} pictures were put aside to test with, {dataset.folder} has no things "
            "left to learn; add pictures or hold out a smaller share."
        )
    return parts[0], parts[1]
