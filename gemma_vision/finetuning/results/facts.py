"""Facts: what the card tells of a run, gathered."""

import shlex
import time
from pathlib import Path

import torch

import gemma_vision
from gemma_vision.finetuning.data.lines import counted_lines
from gemma_vision.finetuning.learning.learn import Learned
from gemma_vision.finetuning.plan import OPTIONS, FinetunePlan, plain
from gemma_vision.finetuning.plan_checks import flag
from gemma_vision.finetuning.preparation import Prepared
from gemma_vision.finetuning.results.model_card import CardFacts
from gemma_vision.finetuning.results.progress_page import duration
from gemma_vision.finetuning.results.writing import Knowledge
from gemma_vision.registry.published import LICENCE, PUBLISHED
from gemma_vision.weights.memory import LARGE

MAX_WORST = 6  # cases on a card
PRIVATE = ("runs", "push_to_hub", "log_to")  # options that a card does not repeat


def facts_of(
    prepared: Prepared,
    learned: Learned,
    knowledge: Knowledge,
    device: torch.device,
    worst: Path,
) -> CardFacts:
    """What the card tells of this run."""
    base, data = prepared.base, prepared.data
    hub = hub_id(base.beneath)
    whole = device.type == "cpu" and base.size <= LARGE
    title = prepared.plan.data.resolve().name
    return CardFacts(
        name=prepared.plan.name,
        base=hub or base.shown,
        names=knowledge.lessons[-1].names,
        num_learned=len(data.learned.scenes),
        num_things=sum(len(scene.objects) for scene in data.learned.scenes),
        num_held=len(data.held.scenes),
        is_adapter=learned.trainee.lora_model is not None,
        command=command_of(prepared.plan),
        duration=f"{duration(learned.seconds).capitalize()} of learning",
        steps=learned.steps,
        best_step=learned.best_step,
        device=device_name(device),
        dtype="float32" if whole else "bfloat16",
        date=time.strftime("%Y-%m-%d"),
        version=gemma_vision.__version__,
        fingerprint=prepared.beginning.data[title],
        settings=prepared.beginning.key,
        licence=licence_of(prepared, hub),
        hub_base=hub,
        rehearsed=rehearsed_of(prepared),
        forgotten=knowledge.forgotten,
        unchecked=knowledge.unchecked,
        worst=worst_of(worst),
        lines=counted_lines(data.learned.scenes),
    )


def hub_id(name: str) -> str:
    """The name of a base on the Hub; "" for a folder and for what comes with the package."""
    return "" if Path(name).is_absolute() or "/" not in name or name.startswith(".") else name


def licence_of(prepared: Prepared, hub: str) -> str:
    """The base's licence, where it is known: as its notes say, or that of Google's own."""
    said = prepared.base.notes.get("licence")
    if isinstance(said, str) and said:
        return said
    return LICENCE if hub in {row[0] for row in PUBLISHED} else ""


def rehearsed_of(prepared: Prepared) -> tuple[str, ...]:
    """A sentence for each thing that was kept in mind."""
    data = prepared.data
    told = ["Old names were kept with fresh scenes of drawings in every batch."] * bool(
        data.drawings
    )
    told += [f"{one.title} ({', '.join(one.names)}) was rehearsed." for one in data.old]
    return tuple(told)


def worst_of(folder: Path) -> tuple[str, ...]:
    """The pictures of the worst cases, answer and truth of each."""
    names = sorted(path.name for path in folder.glob("boxes-*.jpg")) if folder.is_dir() else []
    return tuple(names[: 2 * MAX_WORST])


def command_of(plan: FinetunePlan) -> str:
    """What to type for the same again; folders by their last name, for cards are shown around."""
    words = [plan.data.resolve().name, "--name", plan.name, "--out", plan.out.resolve().name]
    for name, row in OPTIONS.items():
        value = getattr(plan, name)
        if name in PRIVATE or value in (row.default, None):
            continue
        if isinstance(value, bool):
            words.append(flag(name) if value else f"--no-{flag(name)[2:]}")
            continue
        for one in plain(value) if isinstance(value, tuple) else [plain(value)]:
            words += [flag(name), f"{one:g}" if isinstance(one, float) else str(one)]
    return shlex.join(["gemma-vision", "finetune", *words])


def device_name(device: torch.device) -> str:
    """ "1 processor thread", or the name of the GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} processor thread{'s' * (threads > 1)}" if device.type == "cpu" else "mps"
