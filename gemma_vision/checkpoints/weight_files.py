"""Weight files: which files of a folder hold its weights. Opens none of them."""

from __future__ import annotations

from pathlib import Path

from gemma_vision.checkpoints.bounds.malformed import as_checkpoint_error
from gemma_vision.checkpoints.config import read_json
from gemma_vision.checkpoints.file_names import INDEX, SINGLE, name_of
from gemma_vision.errors import CheckpointError, list_names

OTHERS = (".gguf", ".bin", ".pt", ".pth", ".ckpt", ".npz", ".h5", ".msgpack")


def weight_files(folder: Path) -> list[Path]:
    """The one file, or the shards that the index names; CheckpointError where one is not there."""
    names = weight_names(folder)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing or not names:
        others = list_names(path.name for path in folder.iterdir() if path.suffix in OTHERS)
        instead = f" (it has {others})" if others else ""
        raise CheckpointError(
            f"{name_of(folder)} lacks {list_names(missing or [SINGLE])}{instead}; weights are read "
            "from safetensors files only. Fetch the checkpoint again, or save it as safetensors.",
            "E_CHECKPOINT_INCOMPLETE",
        )
    return [folder / name for name in names]


def weight_names(folder: Path) -> list[str]:
    """What the files are called that hold a folder's weights, in the order of transformers.

    A single file comes before an index of shards: who saves a small fine-tune over a sharded base
    leaves the old index beside the new file.
    """
    if (folder / SINGLE).is_file():
        return [SINGLE]
    index = read_json(folder / INDEX)
    if index is None:
        return [SINGLE]
    with as_checkpoint_error(INDEX):
        names = sorted({str(name) for name in dict(index.get("weight_map") or {}).values()})
    if outside := [name for name in names if Path(name).name != name or "\0" in name]:
        raise CheckpointError(f"{INDEX} names files outside its folder: {list_names(outside)}.")
    return names


def has_weights(folder: Path) -> bool:
    """Whether a folder holds a whole model of its own."""
    return (folder / SINGLE).is_file() or (folder / INDEX).is_file()
