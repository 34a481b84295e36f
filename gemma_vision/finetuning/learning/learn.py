"""Learn: a prepared run from its first step to its last, and what comes of it written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn

from gemma_vision.checkpoints.config import read_config
from gemma_vision.checkpoints.mask_decoder_files import open_decoder
from gemma_vision.evaluate import Dataset
from gemma_vision.finetuning.data.data_mix import DataMix, data_mix
from gemma_vision.finetuning.data.rehearsal import write_scenes
from gemma_vision.finetuning.learning.budget import Budget
from gemma_vision.finetuning.learning.memory_needs import MemoryNeeds, memory_needs, tell_memory
from gemma_vision.finetuning.learning.patch_head import PatchHead
from gemma_vision.finetuning.learning.processes import Processes
from gemma_vision.finetuning.learning.run import LearningRun
from gemma_vision.finetuning.learning.trainee import LARGE, SMALL, Trainee, open_trainee, rates
from gemma_vision.finetuning.learning.update_step import DECAY, UpdateStep, product_dtype
from gemma_vision.finetuning.learning.validation import MAX_PICTURES, Validation
from gemma_vision.finetuning.plan import FinetunePlan
from gemma_vision.finetuning.preparation import Prepared
from gemma_vision.finetuning.results.writing import write_checkpoint
from gemma_vision.optimization.precision import quick_attention
from gemma_vision.optimization.stage import adamw
from postprocess.mask_decoder import MaskDecoder

HEAD_RATE = 2e-3  # of the head that patches are asked by, which begins anew
SMALL_PROMPTS, PROMPTS = 2, 1  # of an image; what the tower sees of it is computed once


class Listener(Protocol):
    """What is told how a run goes."""

    def tell(self, sentence: str) -> None:
        """A sentence."""

    def row(self, row: dict[str, Any]) -> None:
        """A row of figures."""


@dataclass(frozen=True)
class Learned:
    """A run that is over: the trainee as it was written, and how it came there."""

    trainee: Trainee
    steps: int
    seconds: float
    best_step: int
    decoder: str | None


def learn(
    prepared: Prepared,
    device: torch.device,
    processes: Processes,
    listener: Listener | None = None,
) -> Learned:
    """Learn until the budget is used, take the best state and write the checkpoint.

    listener: None where another process tells. Raises Interrupted with the state written.
    """
    plan = prepared.plan
    needs = needs_of(prepared, device)
    told = tell_memory(needs, device)
    if listener is not None:
        listener.tell(told)
    trainee = open_for(prepared, device)
    decoder = None if prepared.decoder is None else open_decoder(prepared.decoder)
    mix = mix_of(prepared, trainee, decoder)
    head = head_of(plan, trainee)
    run = open_run(plan, trainee, mix, processes, listener, head)
    if not run.is_over:
        step = step_of(plan, trainee, mix, run.opt, decoder, processes, head)
        with quick_attention(device):
            run.run(step, scorer_of(prepared, trainee, step.dtype, processes))
    best = run.take_best()
    if processes.is_first:
        write_checkpoint(trainee, prepared.base, plan.out, decoder=prepared.decoder)
        if listener is not None and run.reached.ended:
            listener.tell(f"Ended early: {run.reached.ended}.")
    processes.wait()
    return Learned(trainee, run.reached.steps, run.reached.seconds, best, prepared.decoder)


def needs_of(prepared: Prepared, device: torch.device) -> MemoryNeeds:
    """What the run takes at its peak."""
    plan, base = prepared.plan, prepared.base
    is_small = base.size < SMALL
    lora = plan.lora_options(is_small=is_small)
    is_float = lora is None or (base.size < LARGE and device.type != "cuda")
    checkpointing = base.size >= LARGE if plan.checkpointing is None else plan.checkpointing
    return memory_needs(
        read_config(base.folder),
        base.size,
        lora=lora,
        batch=plan.batch,
        prompts_each=SMALL_PROMPTS if is_small else PROMPTS,
        number_bytes=4 if is_float else 2,
        is_4_bit=plan.qlora,
        checkpointing=checkpointing,
        device=str(device),
    )


def open_for(prepared: Prepared, device: torch.device) -> Trainee:
    """The trainee of a plan."""
    plan, base = prepared.plan, prepared.base
    return open_trainee(
        base,
        device,
        plan.lora_options(is_small=base.size < SMALL),
        plan.seed,
        freeze=plan.freeze,
        is_4_bit=plan.qlora,
        checkpointing=plan.checkpointing,
    )


def mix_of(prepared: Prepared, trainee: Trainee, decoder: MaskDecoder | None) -> DataMix:
    """What the run's batches are made of."""
    return data_mix(
        prepared.plan,
        prepared.data,
        side=trainee.config.square.image_size,
        is_small=trainee.is_small,
        has_words=bool(trainee.notes.get("counts")) and trainee.is_small,
        decoder=decoder,
    )


def head_of(plan: FinetunePlan, trainee: Trainee) -> PatchHead | None:
    """What asks the patches of a small model whose tower learns; None for others."""
    if not trainee.is_small or "tower" in plan.freeze:
        return None
    width: int = trainee.embeddings.shape[1]
    return PatchHead(width, plan.seed).to(trainee.device)


def open_run(
    plan: FinetunePlan,
    trainee: Trainee,
    mix: DataMix,
    processes: Processes,
    listener: Listener | None,
    head: PatchHead | None,
) -> LearningRun:
    """The run with its optimiser, gone on with where its folder says."""
    named = dict(trainee.trained)
    groups = rates(trainee, plan.rate)
    if head is not None:
        named |= {f"patch_head.{name}": p for name, p in head.named_parameters()}
        groups.append((list(head.parameters()), HEAD_RATE))
    parameters = nn.ParameterDict({n.replace(".", "/"): p for n, p in named.items()})
    return LearningRun(
        plan.state,
        parameters,
        adamw(groups, DECAY),
        budget_of(plan, mix, processes),
        plan.seed,
        schedule=plan.schedule,
        warm_up=plan.warm_up,
        scorings=plan.scorings,
        patience=plan.patience,
        told=(lambda row: None) if listener is None else listener.row,
        agree=processes.agree,
        is_writer=processes.is_first,
    )


def budget_of(plan: FinetunePlan, mix: DataMix, processes: Processes) -> Budget:
    """Minutes, steps, or the steps in which each picture is seen so many times."""
    unit, amount = plan.budget
    if unit == "minutes":
        return Budget(seconds=60 * amount)
    if unit == "steps":
        return Budget(steps=int(amount))
    seen = (mix.batch - mix.num_old) * plan.accumulate * processes.count
    return Budget(steps=max(1, math.ceil(amount * mix.num_pictures / seen)))


def step_of(
    plan: FinetunePlan,
    trainee: Trainee,
    mix: DataMix,
    opt: torch.optim.Optimizer,
    decoder: MaskDecoder | None,
    processes: Processes,
    head: PatchHead | None,
) -> UpdateStep:
    """The update of a plan."""
    return UpdateStep(
        trainee,
        mix,
        opt,
        prompts_each=SMALL_PROMPTS if trainee.is_small else PROMPTS,
        accumulate=plan.accumulate,
        dtype=product_dtype(trainee.device),
        decoder=decoder,
        head=head,
        processes=processes,
    )


def scorer_of(
    prepared: Prepared, trainee: Trainee, dtype: torch.dtype, processes: Processes
) -> Callable[[], dict[str, float]] | None:
    """What asks about the pictures put aside; None where none of them shows a thing.

    Of several processes each asks, so that all know when to end.
    """
    data = prepared.data
    asked: dict[str, Dataset] = {"new": data.held}
    if data.drawings and prepared.plan.old_scenes:
        folder = prepared.plan.state / f"old-{processes.index}"
        asked["old"] = write_scenes(data.drawings, MAX_PICTURES, folder)
    asked |= {one.title: one.held for one in data.old}
    asked = {
        title: dataset
        for title, dataset in asked.items()
        if any(scene.objects for scene in dataset.scenes)
    }
    return Validation(trainee, asked, dtype=dtype) if "new" in asked else None
