"""Bases: which folder a name means, whether it can learn, and what it was taught."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gemma_vision.checkpoints.config import read_config, read_json, read_notes
from gemma_vision.checkpoints.file_names import ADAPTER_CONFIG, CHECKPOINTS
from gemma_vision.checkpoints.hub import find
from gemma_vision.checkpoints.model_names import clean_name, is_folder
from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.errors import CheckpointError
from gemma_vision.requests.prompts import family_of
from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.weights.adapted_model import find_base as find_beneath
from gemma_vision.weights.safetensors_files import count_numbers

EMBEDDED = "tiny"  # as loading calls it, whatever folder of that name lies around


@dataclass(frozen=True)
class Base:
    """A checkpoint that can learn.

    name: as `gemma_vision.load` takes it. folder: with the weights. size: parameters. adapter: the
    folder of an adapter over it, which is gone on with. beneath: as an adapter names its base, a
    Hub id or the path of a folder.
    """

    name: str
    folder: Path
    size: int
    beneath: str
    adapter: Path | None = None

    @property
    def notes(self) -> dict[str, Any]:
        """What the folder says of itself."""
        return read_notes(self.adapter or self.folder)

    @property
    def own(self) -> Path:
        """The folder that was named: the adapter's where it is one."""
        return self.adapter or self.folder

    @property
    def shown(self) -> str:
        """What it is called where others read it: no path of this machine."""
        return Path(self.name).name if Path(self.name).is_absolute() else self.name


def find_base(name: str) -> Base:
    """The checkpoint that a name means; CheckpointError where it cannot learn."""
    base = find_folders(name)
    family = family_of(read_config(base.folder).family)
    if not family.has_locations:
        raise CheckpointError(
            f"{name} is a {family.title}, which has no tokens for places and does not learn here; "
            "take a PaliGemma, or teach this one with PEFT: its adapters are loaded and merged."
        )
    return base


def find_folders(name: str, beneath: str | None = None) -> Base:
    """The folders that a name means, whether their checkpoint can learn here or not.

    beneath: the model under an adapter, where its folder names one elsewhere.
    """
    name = EMBEDDED if name == "embedded" else clean_name(name)
    if name != EMBEDDED and is_folder(name):
        name = str(Path(name).expanduser().resolve())
    folder, adapter = find(name), None
    config = read_json(folder / ADAPTER_CONFIG)
    if config is not None:
        adapter = folder
        folder = find_beneath(adapter, config, beneath)
    size = sum(count_numbers(path) for path in weight_files(folder))
    named = name if config is None else str(config.get("base_model_name_or_path"))
    is_here = (named != EMBEDDED and Path(named).is_dir()) or (
        adapter is not None and (adapter / named).is_dir()
    )
    return Base(name, folder, size, str(folder) if is_here else named, adapter)


def drawings_of(folder: Path) -> tuple[str, ...]:
    """The names that the checkpoint of a folder knows from drawings, and that there are such of."""
    notes = read_notes(folder)
    inside = notes.get("names", ()) if folder.parent == CHECKPOINTS else ()
    drawn = load_atlas().names
    return tuple(name for name in notes.get("drawings", inside) if name in drawn)
