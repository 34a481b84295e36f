"""Writing: a trainee as a folder that `gemma_vision.load` and the app take.

A whole model has the files of the one it came from, with its own weights under the same names and
in the same number types; LoRA is an adapter folder of PEFT.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from gemma_vision.checkpoints.file_names import DECODER_FILE, NOTES, SINGLE
from gemma_vision.checkpoints.mask_decoder_files import NAMES as DECODER_NAMES
from gemma_vision.checkpoints.mask_decoder_files import own_decoder
from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.finetuning.data.old_knowledge import TAUGHT, PastRun
from gemma_vision.finetuning.learning.bases import Base, drawings_of
from gemma_vision.finetuning.learning.lora_adapters import save_adapter
from gemma_vision.finetuning.learning.trainee import Trainee
from gemma_vision.optimization.atomic_write import atomic_file, write_atomically
from gemma_vision.requests.tasks import Task
from gemma_vision.weights.safetensors_files import our_name, read_file

POLICY = "bigvision"  # positions are written as 1023rds, see `TargetObject.mention`
FORGOTTEN, UNCHECKED = "forgotten", "unchecked"


@dataclass(frozen=True)
class Knowledge:
    """What a folder says that it knows.

    names: those that are found. forgotten: those that were known before, and are hardly found any
    more. unchecked: those that nobody could ask about. kinds, languages: what was asked for word by
    word, tasks and styles of captions.
    """

    names: tuple[str, ...]
    forgotten: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    lessons: tuple[PastRun, ...] = ()
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def write_checkpoint(trainee: Trainee, base: Base, out: Path, *, decoder: str | None) -> None:
    """Write weights and small files; the folder is made, files in it are replaced.

    decoder: the name or the path of the mask decoder that the codes were made with.
    """
    out.mkdir(parents=True, exist_ok=True)
    if trainee.lora_model is None:
        write_weights(trainee, out)
        copy_small_files(trainee.folder, out)
    else:
        save_adapter(trainee.lora_model, base, out)
    copy_decoder(decoder, trainee.folder, out)


def write_weights(trainee: Trainee, out: Path) -> None:
    """All weights in one file."""
    ours = {our_name(name): tensor for name, tensor in trainee.model.state_dict().items()}
    tensors: dict[str, Tensor] = {}
    for path in weight_files(trainee.folder):
        for name, before in read_file(path):
            learned = ours.get(our_name(name), before)
            tensors[name] = learned.detach().to("cpu", before.dtype).contiguous().clone()
    with atomic_file(out / SINGLE) as draft:
        save_file(tensors, draft, metadata={"format": "pt"})
        draft.chmod(0o644)  # the library writes for the owner alone


def copy_small_files(folder: Path, out: Path) -> None:
    """Tokenizer, configurations and the decoder that the folder names."""
    decoder = own_decoder(folder)
    for path in folder.iterdir():
        is_small = path.suffix == ".json" and not path.name.endswith(".index.json")
        if path.is_file() and (is_small or str(path) == decoder):
            shutil.copyfile(path, out / path.name)


def copy_decoder(decoder: str | None, folder: Path, out: Path) -> None:
    """A mask decoder of somebody's own goes with the folder that has its codes."""
    if decoder is None or decoder in DECODER_NAMES or Path(decoder).parent == folder:
        return
    shutil.copyfile(decoder, out / DECODER_FILE)


def write_notes(trainee: Trainee, out: Path, knowledge: Knowledge, *, decoder: str | None) -> None:
    """`gemma_vision.json`: what the base said of itself, and what was learned and lost."""
    notes = notes_of(trainee, knowledge)
    if decoder in DECODER_NAMES:
        notes["mask_decoder"] = decoder
    elif decoder is not None:
        notes["mask_decoder"] = (
            Path(decoder).name if Path(decoder).parent == trainee.folder else DECODER_FILE
        )
    write_atomically(out / NOTES, json.dumps(notes, indent=2, ensure_ascii=False) + "\n")


def notes_of(trainee: Trainee, knowledge: Knowledge) -> dict[str, Any]:
    """What the folder says of itself."""
    notes = dict(trainee.notes)
    for key in (FORGOTTEN, UNCHECKED, "drawings"):
        notes.pop(key, None)
    notes |= {"policy": POLICY, "names": list(knowledge.names)}
    for key, learned in (("tasks", knowledge.kinds), ("languages", knowledge.languages)):
        if notes.get(key):  # what is not said has no limits
            notes[key] = list(dict.fromkeys((*notes[key], *learned)))
    if Task.ask in knowledge.kinds:  # questions of any kind, word for word
        notes.pop("questions", None)
    drawings = drawings_of(trainee.adapter or trainee.folder)
    optional: dict[str, Sequence[Any]] = {
        "drawings": list(drawings),
        FORGOTTEN: list(knowledge.forgotten),
        UNCHECKED: list(knowledge.unchecked),
        TAUGHT: [lesson.to_dict() for lesson in knowledge.lessons],
    }
    return notes | {key: value for key, value in optional.items() if value}
