"""Check: a data set looked through, all its faults and doubts told at once, nothing learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gemma_vision.checkpoints.config import read_config
from gemma_vision.checkpoints.lazy_mask_decoder import lazy_decoder
from gemma_vision.evaluate import Dataset, DatasetError
from gemma_vision.finetuning.data.dataset_checks import Inspection, inspect_folder
from gemma_vision.finetuning.data.doubts import find_doubts, shared_pictures
from gemma_vision.finetuning.learning.bases import find_base
from gemma_vision.finetuning.options import plan_of
from gemma_vision.finetuning.preparation import decoder_name


@dataclass(frozen=True)
class CheckReport:
    """What is wrong with a data set, what is doubtful, and what it holds."""

    faults: tuple[str, ...]
    doubts: tuple[str, ...]
    summary: str = ""

    @property
    def lines(self) -> list[str]:
        """Everything, a line each."""
        end = "Nothing is wrong with it." if not self.faults + self.doubts else ""
        told = [f"fault: {one}" for one in self.faults] + [f"doubt: {one}" for one in self.doubts]
        return [*told, *filter(None, [self.summary, end])]


def check_data(options: Mapping[str, Any]) -> CheckReport:
    """Look through the data set of some options; those that say how to learn are passed over."""
    plan = plan_of({"name": "check", "out": "check"}, options)
    base = find_base(plan.model)
    decoder = lazy_decoder(decoder_name(plan, base))
    vision = read_config(base.folder).square
    faults: list[str] = []
    inspected: list[Inspection] = []
    for folder in filter(None, [plan.data, plan.val]):
        try:
            found = inspect_folder(folder, layout=plan.layout, decoder=decoder, seed=plan.seed)
        except DatasetError as error:
            faults.append(str(error))
            continue
        inspected.append(found)
        faults += [f"{found.file}: {one}" for one in found.faults]
    doubts: list[str] = []
    for one in inspected:
        doubts += one.dataset.notices
        doubts += find_doubts(
            one.dataset,
            known=base.notes.get("names", ()),
            side=vision.image_size,
            patch=vision.patch_size,
        )
    if len(inspected) == 2:
        doubts += shared_pictures(inspected[0].dataset, inspected[1].dataset)
    summary = "".join(summary_of(plan.data, inspected[0].dataset)) if inspected else ""
    return CheckReport(tuple(faults), tuple(dict.fromkeys(doubts)), summary)


def summary_of(folder: Path, dataset: Dataset) -> str:
    """What there is: pictures, and things by their names."""
    counts = Counter(thing.name for scene in dataset.scenes for thing in scene.objects)
    masks = sum(bool(thing.segmentation) for s in dataset.scenes for thing in s.objects)
    told = ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
    lines = sum(len(scene.lines) for scene in dataset.scenes)
    more = f", {lines} lines learned word for word" if lines else ""
    return (
        f"{folder} has {len(dataset.scenes)} pictures with {sum(counts.values())} things "
        f"({told or 'none'}), {masks} of them with a mask{more}."
    )
