"""Hub: the folder behind a model's name. Fetches from the Hugging Face Hub when it has to.

Every way in which that fails is a CheckpointError of one sentence that says what to do.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import partial
from pathlib import Path

from gemma_vision.checkpoints.access_token import AccessToken
from gemma_vision.checkpoints.adapter_config import read_adapter
from gemma_vision.checkpoints.config import read_config, read_notes
from gemma_vision.checkpoints.download import download
from gemma_vision.checkpoints.file_names import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    CHECKPOINTS,
    DECODER_FILE,
    INDEX,
    NOTES,
    PUBLISHED_FILE,
    SINGLE,
)
from gemma_vision.checkpoints.foreign_formats import PACKING_FILES, check_file_name
from gemma_vision.checkpoints.hub_errors import describe_hub_error
from gemma_vision.checkpoints.model_names import (
    HUB_ID,
    check_model_name,
    clean_name,
    embedded,
    is_folder,
)
from gemma_vision.checkpoints.progress import Cancelled, ProgressReporter
from gemma_vision.checkpoints.weight_files import weight_names
from gemma_vision.errors import CheckpointError

SHA256 = re.compile(r"[0-9a-f]{64}")
# What says of a repository whether it can be loaded; fetched before anything large.
SMALL_FILES = (
    *("config.json", "generation_config.json", ADAPTER_CONFIG, INDEX, NOTES),
    *(DECODER_FILE, PUBLISHED_FILE, *PACKING_FILES),
)
LARGE_FILES = ("*.json", SINGLE, ADAPTER_WEIGHTS)  # no pickles, no code


def find(
    name: str, reporter: ProgressReporter | None = None, *, token: AccessToken | None = None
) -> Path:
    """The folder of "tiny", of a path, or of a Hub id, fetched into the Hub's cache if need be.

    A Hub id may be given as the address of its page. token: None is the machine's own, if any.
    """
    name = clean_name(name)
    if name in embedded():
        return CHECKPOINTS / name
    if is_folder(name):
        return Path(name).expanduser()
    if HUB_ID.match(name) and not os.path.exists(name):
        check_file_name(name)
        return fetch(name, reporter, token)
    check_model_name(name)
    check_file_name(name)
    raise CheckpointError(
        f"There is no model {name!r}. Take {', '.join(embedded()) or 'tiny'}, a folder with a "
        "checkpoint, or a Hub id such as google/paligemma-3b-mix-224.",
        "E_MODEL_UNKNOWN",
    )


def fetch(
    hub_id: str, reporter: ProgressReporter | None = None, token: AccessToken | None = None
) -> Path:
    """Download a checkpoint once; later it comes from the Hub's cache, network or not.

    What was downloaded is checked against the SHA-256 that the Hub tells, and what came only in
    part is removed. `reporter` is told the bytes, and may call it off.
    """
    before = _blobs(hub_id)
    try:
        folder = _download(hub_id, reporter, token)
    except Exception as error:  # transports raise errors of their own
        for blob in _blobs(hub_id) - before:
            if blob.suffix == ".incomplete":
                blob.unlink(missing_ok=True)
        if isinstance(error, (Cancelled, CheckpointError)):
            raise
        raise describe_hub_error(hub_id, error) from error
    for blob in sorted(_blobs(hub_id) - before):
        if SHA256.fullmatch(blob.name) and _digest(blob) != blob.name:
            _remove(blob, folder)
            raise CheckpointError(
                f"A file of {hub_id} arrived damaged (its SHA-256 is not what the Hub says) and "
                "was removed. Fetch it again.",
                "E_CHECKPOINT_DAMAGED",
            )
    return folder


def _download(hub_id: str, reporter: ProgressReporter | None, token: AccessToken | None) -> Path:
    """What says what it is, then the weights: a single file, or else the shards of its index."""
    fetch_files = partial(download, hub_id, reporter=reporter, token=token)
    folder = fetch_files(SMALL_FILES)
    is_adapter = read_adapter(folder) is not None
    if (folder / "config.json").is_file():
        read_config(folder)  # or refuse it now
    elif not is_adapter:
        raise CheckpointError(
            f"{hub_id} has no config.json, so it is no checkpoint in the form of transformers. "
            "Name the one that it was made from.",
            "E_CHECKPOINT_INCOMPLETE",
        )
    named = read_notes(folder).get("mask_decoder")
    wanted = [*LARGE_FILES, named] if isinstance(named, str) else LARGE_FILES
    fetch_files(wanted, revision=folder.name)
    shards = weight_names(folder)
    if (folder / INDEX).is_file() and shards != [SINGLE]:
        fetch_files(shards, revision=folder.name)
    return folder


def is_here(hub_id: str) -> bool:
    """Whether the Hub's cache holds a checkpoint with all its weights, so that none are fetched."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(hub_id, "config.json")
    if not isinstance(config, str):
        return False
    folder = Path(config).parent
    try:
        names = weight_names(folder)
    except CheckpointError:
        return False
    return bool(names) and all((folder / name).is_file() for name in names)


def _blobs(hub_id: str) -> set[Path]:
    """What the cache holds of a checkpoint; large files are named by their SHA-256."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}" / "blobs"
    return set(folder.iterdir()) if folder.is_dir() else set()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(blob: Path, folder: Path) -> None:
    for link in folder.rglob("*"):
        if link.is_symlink() and link.resolve() == blob.resolve():
            link.unlink()
    blob.unlink(missing_ok=True)
