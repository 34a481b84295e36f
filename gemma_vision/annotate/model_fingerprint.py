"""Model fingerprint: what tells a checkpoint from another of the same name, read in a moment."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gemma_vision.checkpoints.adapter_config import read_adapter
from gemma_vision.checkpoints.file_names import ADAPTER_WEIGHTS, NOTES
from gemma_vision.checkpoints.hub import find
from gemma_vision.checkpoints.weight_files import has_weights, weight_files
from gemma_vision.weights.adapted_model import find_base

PIECE = 2**16  # bytes that are read at a place
PLACES = 256  # of a file; one of up to 16 MiB is read whole
SMALL_FILES = ("config.json", "adapter_config.json", "tokenizer.json", NOTES)


def folders_of(name: str, base: str | None = None) -> tuple[Path, ...]:
    """Where a checkpoint lies, an adapter before the model under it; fetched where need be."""
    folder = find(name)
    adapter = read_adapter(folder)
    if adapter is None or (base is None and has_weights(folder)):
        return (folder,)
    return (folder, find_base(folder, adapter, base))


def fingerprint_of(*folders: Path) -> str:
    """A digest of what the folders' small files say and of places all over their weights."""
    digest = hashlib.sha256()
    for folder in folders:
        small = [folder / name for name in SMALL_FILES]
        large = [folder / ADAPTER_WEIGHTS, *weight_files(folder)]
        for path in dict.fromkeys([*small, *large]):
            if path.is_file():
                digest.update(f"{path.name} {path.stat().st_size}\n".encode())
                update(digest, path)
    return digest.hexdigest()


def update(digest: hashlib._Hash, path: Path) -> None:
    """Take in a file: all of it, or as many pieces as stand for it, its first and last ones too."""
    size = path.stat().st_size
    step = max((size - PIECE) // (PLACES - 1), PIECE)
    with path.open("rb") as file:
        for start in range(0, size, step):
            file.seek(start)
            digest.update(file.read(PIECE))
        file.seek(max(size - PIECE, 0))
        digest.update(file.read(PIECE))
