"""Preparation: everything that can be refused is, before anything is scored or learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gemma_vision.checkpoints.config import read_config
from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder, lazy_decoder
from gemma_vision.checkpoints.mask_decoder_files import NAMES as DECODER_NAMES
from gemma_vision.checkpoints.mask_decoder_files import DecoderError, decoder_of, describe_missing
from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.evaluate import Dataset, DatasetError
from gemma_vision.finetuning.data.data_mix import FinetuneData
from gemma_vision.finetuning.data.dataset_checks import Inspection, inspect_folder, listed_faults
from gemma_vision.finetuning.data.doubts import find_doubts, shared_pictures
from gemma_vision.finetuning.data.fingerprint import fingerprint, fingerprint_of_files
from gemma_vision.finetuning.data.old_knowledge import OldKnowledge, find_old
from gemma_vision.finetuning.data.splitting import split
from gemma_vision.finetuning.learning.bases import Base, drawings_of, find_base
from gemma_vision.finetuning.plan import FinetuneError, FinetunePlan
from gemma_vision.finetuning.run_folder import Beginning, begin, beginning_of, check_begun
from postprocess.instances import CodesToMask
from postprocess.user_paths import expanded

WHOLE_HASH = 2**28  # bytes of weights up to which their content is compared, and not their size


@dataclass(frozen=True)
class Prepared:
    """What a run works with. decoder: its name or path, None where nothing is outlined."""

    plan: FinetunePlan
    base: Base
    data: FinetuneData
    old: OldKnowledge
    beginning: Beginning
    decoder: str | None
    doubts: tuple[str, ...]


def prepare(plan: FinetunePlan, *, resume: bool, tell: Callable[[str], None]) -> Prepared:
    """Read and compare; a sentence for each thing that is odd. Raises UserErrors."""
    base = find_base(plan.model)
    if plan.out.resolve() in (base.folder.resolve(), base.own.resolve()):
        raise FinetuneError(
            f"{plan.out} is the model itself; name a new folder for what comes out."
        )
    check_begun(plan, resume=resume)
    name = decoder_name(plan, base)
    lazy = lazy_decoder(name)
    inspected, val = inspect_data(plan, lazy)
    learned, held = split_data(plan, inspected.dataset, val)
    drawings = drawings_of(base.own)
    old = find_old(
        base.own,
        base.notes,
        plan.rehearse,
        drawings=drawings,
        decoder=lazy,
        seed=plan.seed,
        held_out=plan.held_out,
    )
    data = FinetuneData(learned, held, drawings, old.data)
    check_decoder(data, lazy)
    doubts = doubts_of(base, inspected, learned, held, old)
    for sentence in dict.fromkeys([*data.notices, *doubts, *old.notices]):
        tell(sentence)
    beginning = beginning_of(plan, fingerprint_of_base(base), fingerprints(plan, data, inspected))
    begin(plan, beginning)
    is_outlined = lazy is not None and has_masks(data)
    return Prepared(plan, base, data, old, beginning, name if is_outlined else None, tuple(doubts))


def decoder_name(plan: FinetunePlan, base: Base) -> str:
    """The mask decoder whose codes are learned: as somebody said, or the checkpoint's own."""
    if plan.mask_decoder is None:
        return decoder_of(*dict.fromkeys((base.own, base.folder)))
    name = plan.mask_decoder
    if name not in DECODER_NAMES and not expanded(name).is_file():
        raise FinetuneError(f"--mask-decoder: {describe_missing(name)}")
    return name if name in DECODER_NAMES else str(expanded(name).resolve())


def inspect_data(
    plan: FinetunePlan, decoder: CodesToMask | None
) -> tuple[Inspection, Inspection | None]:
    """The data sets, all that is wrong with them named at once: DatasetError."""
    options: dict[str, Any] = {"layout": plan.layout, "decoder": decoder, "seed": plan.seed}
    learned = inspect_folder(plan.data, **options)
    val = None if plan.val is None else inspect_folder(plan.val, **options)
    faults = [*learned.faults, *(val.faults if val else ())]
    if faults:
        raise DatasetError(listed_faults(faults))
    return learned, val


def split_data(
    plan: FinetunePlan, dataset: Dataset, val: Inspection | None
) -> tuple[Dataset, Dataset]:
    """What is learned from, and what is only asked about."""
    if val is None:
        return split(dataset, plan.held_out, plan.seed)
    names = {
        name: n for n, name in enumerate(sorted({*dataset.categories, *val.dataset.categories}), 1)
    }
    unknown = sorted({*val.dataset.categories} - {*dataset.categories})
    used = {thing.name for scene in val.dataset.scenes for thing in scene.things}
    if strange := [name for name in unknown if name in used]:
        raise DatasetError(
            f"{plan.val} has things called {', '.join(strange)}, which {plan.data} does not teach; "
            "give both the same names."
        )
    return dataset, replace(val.dataset, categories=names)


def check_decoder(data: FinetuneData, decoder: LazyMaskDecoder | None) -> None:
    """Masks need a decoder that can be opened, now and not after an hour: DecoderError."""
    if decoder is None or not has_masks(data):
        return
    try:
        opened = decoder.open()
    except DecoderError as error:
        raise FinetuneError(
            f"The data has masks, and what makes codes of them is not there: {error} Name its file "
            "by --mask-decoder, or learn boxes alone by --mask-decoder none.",
            error.code,
        ) from error
    assert hasattr(opened, "encode"), "a decoder of a file encodes too"


def has_masks(data: FinetuneData) -> bool:
    """Whether anything that is learned or kept has a mask; drawings do."""
    every = (data.learned, data.held, *(one.learned for one in data.old))
    scenes = (scene for dataset in every for scene in dataset.scenes)
    return bool(data.drawings) or any(thing.segmentation for s in scenes for thing in s.objects)


def doubts_of(
    base: Base, inspected: Inspection, learned: Dataset, held: Dataset, old: OldKnowledge
) -> list[str]:
    """What is to be looked at, a sentence each."""
    vision = read_config(base.folder).square
    rehearsed = {name for one in old.data for name in one.names}
    known = [name for name in base.notes.get("names", ()) if name not in rehearsed]
    found = find_doubts(
        inspected.dataset, known=known, side=vision.image_size, patch=vision.patch_size
    )
    return [*found, *shared_pictures(learned, held)]


def fingerprints(plan: FinetunePlan, data: FinetuneData, inspected: Inspection) -> dict[str, str]:
    """What each data set is told by."""
    known = {plan.data.resolve().name: fingerprint(inspected.dataset)}
    if plan.val is not None:
        known["--val"] = fingerprint(data.held)
    return known | {one.title: one.fingerprint for one in data.old}


def fingerprint_of_base(base: Base) -> str:
    """Of a checkpoint: its files, of large ones their sizes."""
    small = [path for path in base.own.iterdir() if path.suffix == ".json"]
    weights: Sequence[Path] = weight_files(base.folder)
    if base.adapter is not None:
        weights = [*weights, *base.adapter.glob("*.safetensors")]
    sizes = sum(path.stat().st_size for path in weights)
    if sizes <= WHOLE_HASH:
        return fingerprint_of_files([*small, *weights])
    return f"{fingerprint_of_files(small)}-{sizes}"
