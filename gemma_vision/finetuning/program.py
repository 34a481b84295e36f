"""Program: the whole of a fine-tune, from a folder of pictures to a folder that loads."""

import shlex
import sys
from pathlib import Path

import torch

from gemma_vision.finetuning.data.data_mix import FinetuneData, data_mix, read_data
from gemma_vision.finetuning.data.rehearsal import write_scenes
from gemma_vision.finetuning.learning.loop import train_model
from gemma_vision.finetuning.learning.trainee import Trainee, drawings_of, find_base, open_trainee
from gemma_vision.finetuning.plan import FinetuneError, FinetunePlan, check_plan
from gemma_vision.finetuning.results.model_card import CardFacts, write_card
from gemma_vision.finetuning.results.scoring import Scores, score
from gemma_vision.finetuning.results.writing import write_checkpoint
from gemma_vision.weights.checkpoint import pick_device


def finetune(
    plan: FinetunePlan,
    *,
    device: str | None = None,
    resume: bool = False,
    threads: int | None = None,
) -> None:
    """Score, learn, write, score again; a card in the folder tells all of it.

    threads: of the processor, from here on; None leaves them as they are.
    """
    if threads is not None:
        set_threads(threads)
    where = pick_device(device)
    name, folder = find_base(plan.model)
    if plan.out.resolve() == folder.resolve():
        raise FinetuneError(
            f"{plan.out} is the model itself; name a new folder for what comes out."
        )
    data = read_data(plan, drawings_of(folder))
    for notice in data.notices:
        print(notice, file=sys.stderr)
    check_plan(plan, resume=resume)
    datasets = {"new": data.held}
    if plan.num_old_scenes and data.drawings:
        datasets["old"] = write_scenes(data.drawings, plan.num_old_scenes, plan.state / "old")
    elif data.old_held is not None:
        datasets["old"] = data.old_held
    before = score(name, str(where), datasets, plan.state / "before.json")
    facts = train_and_write(plan, data, where)
    after = score(str(plan.out.resolve()), str(where), datasets, plan.state / "after.json")
    (plan.out / "README.md").write_text(write_card(facts, before, after), encoding="utf-8")
    print_figures(before, after)


def set_threads(threads: int) -> None:
    """How many threads of the processor torch computes with."""
    if threads < 1:
        raise FinetuneError(f"--threads is {threads}; it has to be 1 or more.")
    torch.set_num_threads(threads)


def train_and_write(plan: FinetunePlan, data: FinetuneData, device: torch.device) -> CardFacts:
    """Learn and write -> what the card tells; the model is let go when this returns."""
    trainee = open_trainee(plan.model, device, plan.lora, plan.seed)
    mix = data_mix(plan, data, trainee)
    minutes, peak, seed = plan.minutes, plan.peak, plan.seed
    stage = train_model(trainee, mix, plan.state, minutes=minutes, peak=peak, seed=seed)
    write_checkpoint(trainee, data.names, plan.out)
    return facts_of(plan, data, trainee, stage.steps)


def facts_of(plan: FinetunePlan, data: FinetuneData, trainee: Trainee, steps: int) -> CardFacts:
    """What the card tells of this run."""
    rehearsed = "fresh scenes of drawings in every batch" if data.drawings else ""
    if data.old is not None:
        rehearsed = "pictures of a second folder in every batch"
    return CardFacts(
        name=plan.name,
        base=Path(trainee.name).name if Path(trainee.name).is_dir() else trainee.name,
        names=data.names,
        num_learned=len(data.learned.scenes),
        num_things=sum(len(scene.objects) for scene in data.learned.scenes),
        num_held=len(data.held.scenes),
        is_adapter=trainee.lora_model is not None,
        rehearsed=rehearsed,
        command=command_of(plan),
        minutes=plan.minutes,
        steps=steps,
        device=device_name(trainee.device),
        licence=str(trainee.notes.get("licence", "gemma")),
    )


def command_of(plan: FinetunePlan) -> str:
    """What to type for the same again; folders by their last name, for cards are shown around."""
    words = [plan.data.resolve().name, "--name", plan.name, "--out", plan.out.name]
    if Path(plan.model).is_dir():
        words += ["--model", Path(plan.model).resolve().name]
    elif plan.model != FinetunePlan.model:
        words += ["--model", plan.model]
    if plan.lora is not None:
        words += ["--lora", "--rank", str(plan.lora.rank), *["--tower"] * plan.lora.tower]
    if plan.peak is not None:
        words += ["--rate", f"{plan.peak:g}"]
    if plan.rehearse is not None:
        words += ["--rehearse", plan.rehearse.resolve().name]
    words += [
        "--minutes",
        f"{plan.minutes:g}",
        "--batch",
        str(plan.batch),
        "--seed",
        str(plan.seed),
    ]
    words += ["--held-out", f"{plan.share_held_out:g}", *["--no-mirror"] * (not plan.mirrored)]
    return shlex.join(["gemma-vision", "finetune", *words])


def device_name(device: torch.device) -> str:
    """ "1 processor thread", or the name of the GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} processor thread{'s' * (threads > 1)}" if device.type == "cpu" else "mps"


def print_figures(before: Scores, after: Scores) -> None:
    """The figures that matter most, on standard error."""
    for kind in after:
        pairs = (f"{key} {before[kind][key]} -> {after[kind][key]}" for key in ("recall50", "miou"))
        print(f"{kind}: {', '.join(pairs)}", file=sys.stderr)
