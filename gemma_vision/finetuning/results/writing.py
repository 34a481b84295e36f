"""Writing: a trainee as a folder that `gemma_vision.load` and the app take.

A whole model has the files of the one it came from, with its own weights under the same names and
in the same number types; LoRA is an adapter folder of PEFT.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from gemma_vision.checkpoints.file_names import NOTES, SINGLE
from gemma_vision.checkpoints.mask_decoder_files import own_decoder
from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.finetuning.learning.trainee import Trainee, drawings_of
from gemma_vision.optimization.atomic_write import atomic_file
from gemma_vision.weights.safetensors_files import our_name, read_file

POLICY = "bigvision"  # positions are written as 1023rds, see `TargetObject.mention`


def write_checkpoint(trainee: Trainee, names: Sequence[str], out: Path) -> None:
    """Write weights and notes; the folder is made, files in it are replaced."""
    out.mkdir(parents=True, exist_ok=True)
    if trainee.lora_model is None:
        write_weights(trainee, out)
    else:
        trainee.lora_model.save_pretrained(out, save_embedding_layers=False)
    (out / NOTES).write_text(json.dumps(notes_of(trainee, names), indent=2) + "\n")


def write_weights(trainee: Trainee, out: Path) -> None:
    """All weights in one file, and the small files of the folder they came from."""
    ours = {our_name(name): tensor for name, tensor in trainee.model.state_dict().items()}
    tensors: dict[str, Tensor] = {}
    for path in weight_files(trainee.folder):
        for name, before in read_file(path):
            learned = ours.get(our_name(name), before)
            tensors[name] = learned.detach().to("cpu", before.dtype).contiguous().clone()
    with atomic_file(out / SINGLE) as draft:
        save_file(tensors, draft, metadata={"format": "pt"})
        draft.chmod(0o644)  # the library writes for the owner alone
    decoder = own_decoder(trainee.folder)
    for path in trainee.folder.iterdir():
        is_small = path.suffix == ".json" and not path.name.endswith(".index.json")
        if is_small or str(path) == decoder:
            shutil.copyfile(path, out / path.name)


def notes_of(trainee: Trainee, names: Sequence[str]) -> dict[str, Any]:
    """What the folder says of itself: what its base said, with the names that were learned."""
    before = dict(trainee.notes)
    known = [*before.get("names", ()), *names]
    drawings = drawings_of(trainee.folder)
    added = {"policy": POLICY, "names": list(dict.fromkeys(known))}
    return before | added | ({"drawings": list(drawings)} if drawings else {})
