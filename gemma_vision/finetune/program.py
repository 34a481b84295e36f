"""Program: the whole of an adaptation, from a folder of pictures to a folder that loads."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from gemma_vision.checkpoints.checkpoint import pick_device
from gemma_vision.checkpoints.mask_decoder_files import decoder_of, open_decoder
from gemma_vision.evaluate import Dataset, Scene
from gemma_vision.finetune.dataset_checks import read_folder
from gemma_vision.finetune.image_set import Album, is_askable
from gemma_vision.finetune.loop import Lesson, learn
from gemma_vision.finetune.model_card import Facts, write_card
from gemma_vision.finetune.plan import AdaptError, Plan, check_plan
from gemma_vision.finetune.prompt_sampler import Wishes
from gemma_vision.finetune.rehearsal import Scenes, write_scenes
from gemma_vision.finetune.scoring import Scores, score
from gemma_vision.finetune.splitting import split
from gemma_vision.finetune.trainee import Student, drawings_of, find_base, open_student
from gemma_vision.finetune.writing import write
from postprocess.mask_decoder import MaskDecoder


@dataclass(frozen=True)
class Data:
    """What is learned and what is asked about.

    drawings: names of scenes that are rehearsed; `old` is a second folder for that.
    """

    learned: Dataset
    held: Dataset
    drawings: tuple[str, ...] = ()
    old: Dataset | None = None
    old_held: Dataset | None = None

    @property
    def names(self) -> list[str]:
        """The names to be learned."""
        return list(self.learned.categories)


def adapt(plan: Plan, *, device: str | None = None, resume: bool = False) -> None:
    """Score, learn, write, score again; a card in the folder tells all of it."""
    where = pick_device(device)
    name, folder = find_base(plan.model)
    if plan.out.resolve() == folder.resolve():
        raise AdaptError(f"{plan.out} is the model itself; name a new folder for what comes out.")
    data = read_data(plan, drawings_of(folder))
    check_plan(plan, resume=resume)
    asked = {"new": data.held}
    if plan.num_old_scenes and data.drawings:
        asked["old"] = write_scenes(data.drawings, plan.num_old_scenes, plan.state / "old")
    elif data.old_held is not None:
        asked["old"] = data.old_held
    before = score(name, str(where), asked, plan.state / "before.json")
    facts = teach(plan, data, where)
    after = score(str(plan.out.resolve()), str(where), asked, plan.state / "after.json")
    (plan.out / "README.md").write_text(write_card(facts, before, after), encoding="utf-8")
    tell(before, after)


def teach(plan: Plan, data: Data, device: torch.device) -> Facts:
    """Learn and write -> what the card tells; the model is let go when this returns."""
    student = open_student(plan.model, device, plan.lora, plan.seed)
    courses = lessons(plan, data, student)
    minutes, peak, seed = plan.minutes, plan.peak, plan.seed
    stage = learn(student, courses, plan.state, minutes=minutes, peak=peak, seed=seed)
    write(student, data.names, plan.out)
    return facts_of(plan, data, student, stage.steps)


def read_data(plan: Plan, drawings: tuple[str, ...]) -> Data:
    """Both folders, each split; a folder to rehearse takes the place of drawings."""
    learned, held = split(read_folder(plan.data), plan.share_held_out, plan.seed)
    if plan.rehearse is None:
        return Data(learned, held, drawings)
    old, old_held = split(read_folder(plan.rehearse), plan.share_held_out, plan.seed)
    return Data(learned, held, (), old, old_held)


def lessons(plan: Plan, data: Data, student: Student) -> list[Lesson]:
    """New things, and old ones for half of the batch where there are any."""
    side, mirrored = student.config.vision.image_size, plan.mirrored
    has_words = bool(student.notes.get("counts")) and student.is_young
    num_old = plan.batch // 2 if data.drawings or data.old else 0
    album = Album(askable(data.learned), side)
    wishes = Wishes(data.names, encoder_for(student, data.learned), has_words)
    new = Lesson(album, wishes, plan.batch - num_old, mirrored)
    if not num_old:
        return [new]
    if data.old is not None:
        old_wishes = Wishes(list(data.old.categories), encoder_for(student, data.old))
        return [new, Lesson(Album(askable(data.old), side), old_wishes, num_old, mirrored)]
    every = list(dict.fromkeys([*data.drawings, *data.names]))
    encoder = open_decoder(decoder_of(student.folder))
    return [new, Lesson(Scenes(data.drawings), Wishes(every, encoder, has_words), num_old)]


def encoder_for(student: Student, dataset: Dataset) -> MaskDecoder | None:
    """What makes codes of masks; None where a data set has none, so that nothing is outlined."""
    has_masks = any(thing.segmentation for scene in dataset.scenes for thing in scene.objects)
    return open_decoder(decoder_of(student.folder)) if has_masks else None


def askable(dataset: Dataset) -> list[Scene]:
    """The pictures about which something can be asked."""
    names = list(dataset.categories)
    return [scene for scene in dataset.scenes if is_askable(scene, names)]


def facts_of(plan: Plan, data: Data, student: Student, steps: int) -> Facts:
    """What the card tells of this run."""
    rehearsed = "fresh scenes of drawings in every batch" if data.drawings else ""
    if data.old is not None:
        rehearsed = "pictures of a second folder in every batch"
    return Facts(
        name=plan.name,
        base=Path(student.name).name if Path(student.name).is_dir() else student.name,
        names=data.names,
        num_learned=len(data.learned.scenes),
        num_things=sum(len(scene.objects) for scene in data.learned.scenes),
        num_held=len(data.held.scenes),
        is_adapter=student.adapted is not None,
        rehearsed=rehearsed,
        command=command_of(plan),
        minutes=plan.minutes,
        steps=steps,
        device=device_name(student.device),
        licence=str(student.notes.get("licence", "gemma")),
    )


def command_of(plan: Plan) -> str:
    """What to type for the same again; folders by their last name, for cards are shown around."""
    words = ["--data", plan.data.resolve().name, "--name", plan.name, "--out", plan.out.name]
    if Path(plan.model).is_dir():
        words += ["--model", Path(plan.model).resolve().name]
    elif plan.model != Plan.model:
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
    return shlex.join(["python", "-m", "gemma_vision.finetune", *words])


def device_name(device: torch.device) -> str:
    """ "1 processor thread", or the name of the GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} processor thread{'s' * (threads > 1)}" if device.type == "cpu" else "mps"


def tell(before: Scores, after: Scores) -> None:
    """The figures that matter most, on standard error."""
    for kind in after:
        pairs = (f"{key} {before[kind][key]} -> {after[kind][key]}" for key in ("recall50", "miou"))
        print(f"{kind}: {', '.join(pairs)}", file=sys.stderr)
