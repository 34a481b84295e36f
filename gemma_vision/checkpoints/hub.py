"""Hub: the folder behind a model's name. Fetches from the Hugging Face Hub when it has to.

Every way in which that fails is a CheckpointError of one sentence that says what to do.
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from gemma_vision.checkpoints.adapter_config import read_adapter
from gemma_vision.checkpoints.config import read_config, read_json
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
from gemma_vision.checkpoints.progress import Cancelled, ProgressReporter
from gemma_vision.checkpoints.weight_files import weight_names
from gemma_vision.errors import CheckpointError

HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")
SHA256 = re.compile(r"[0-9a-f]{64}")
# What says of a repository whether it can be loaded; fetched before anything large.
SMALL_FILES = (
    *("config.json", "generation_config.json", ADAPTER_CONFIG, INDEX, NOTES),
    *(DECODER_FILE, PUBLISHED_FILE, *PACKING_FILES),
)
LARGE_FILES = ("*.json", SINGLE, ADAPTER_WEIGHTS)  # no pickles, no code


def find(name: str, reporter: ProgressReporter | None = None) -> Path:
    """The folder of "tiny", of a path, or of a Hub id, fetched into the Hub's cache if need be."""
    if re.fullmatch(r"\w+", name) and (CHECKPOINTS / name / "config.json").is_file():
        return CHECKPOINTS / name
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return folder
    if HUB_ID.match(name) and not folder.exists():
        check_file_name(name)
        return fetch(name, reporter)
    check_file_name(name)
    raise CheckpointError(
        f"There is no model {name!r}. Take {', '.join(embedded()) or 'tiny'}, a folder with a "
        "checkpoint, or a Hub id such as google/paligemma-3b-mix-224.",
        "E_MODEL_UNKNOWN",
    )


def embedded() -> list[str]:
    """Names of the checkpoints that come with the program."""
    return sorted(path.parent.name for path in CHECKPOINTS.glob("*/config.json"))


def fetch(hub_id: str, reporter: ProgressReporter | None = None) -> Path:
    """Download a checkpoint once; later it comes from the Hub's cache, network or not.

    What was downloaded is checked against the SHA-256 that the Hub tells, and what came only in
    part is removed. `reporter` is told the bytes, and may call it off.
    """
    before = _blobs(hub_id)
    try:
        folder = _download(hub_id, reporter)
    except Exception as error:  # transports raise errors of their own
        for blob in _blobs(hub_id) - before:
            if blob.suffix == ".incomplete":
                blob.unlink(missing_ok=True)
        if isinstance(error, (Cancelled, CheckpointError)):
            raise
        raise _explained(hub_id, error) from error
    for blob in sorted(_blobs(hub_id) - before):
        if SHA256.fullmatch(blob.name) and _digest(blob) != blob.name:
            _remove(blob, folder)
            raise CheckpointError(
                f"A file of {hub_id} arrived damaged (its SHA-256 is not what the Hub says) and "
                "was removed. Fetch it again.",
                "E_CHECKPOINT_DAMAGED",
            )
    return folder


def _download(hub_id: str, reporter: ProgressReporter | None) -> Path:
    """What says what it is, then the weights: a single file, or else the shards of its index."""
    folder = download(hub_id, SMALL_FILES, reporter)
    is_adapter = read_adapter(folder) is not None
    if (folder / "config.json").is_file():
        read_config(folder)  # or refuse it now
    elif not is_adapter:
        raise CheckpointError(
            f"{hub_id} has no config.json, so it is no checkpoint in the form of transformers. "
            "Name the one that it was made from.",
            "E_CHECKPOINT_INCOMPLETE",
        )
    named = (read_json(folder / NOTES) or {}).get("mask_decoder")
    wanted = [*LARGE_FILES, named] if isinstance(named, str) else LARGE_FILES
    download(hub_id, wanted, reporter, revision=folder.name)
    shards = weight_names(folder)
    if (folder / INDEX).is_file() and shards != [SINGLE]:
        download(hub_id, shards, reporter, revision=folder.name)
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


def _explained(hub_id: str, error: Exception) -> CheckpointError:
    """The sentence for whatever went wrong; the Hub's own answer may be the cause of the cause."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    causes = list(_causes(error))
    if isinstance(error, HFValidationError):
        return CheckpointError(f"{hub_id!r} cannot be the name of a model.", "E_MODEL_UNKNOWN")
    if any(getattr(cause, "errno", None) == errno.ENOSPC for cause in causes):
        message = f"The disk is full while fetching {hub_id}. Free some space and try again."
        return CheckpointError(message, "E_DISK_FULL")
    if any("certificate" in str(cause).lower() for cause in causes):
        message = f"The Hub's certificate is not trusted here, so {hub_id} was not fetched. "
        return CheckpointError(message + "Check the clock and the proxy of this machine.", "E_HUB")
    answers = [cause for cause in causes if isinstance(cause, HfHubHTTPError)]
    return _refused(hub_id, answers[0]) if answers else _offline(hub_id)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _refused(hub_id: str, error: Exception) -> CheckpointError:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    status = getattr(getattr(error, "response", None), "status_code", None)
    page = f"huggingface.co/{hub_id}"
    if isinstance(error, GatedRepoError):
        return CheckpointError(
            f"{hub_id} asks you to accept its licence: open {page}, accept it, then log in "
            "with `hf auth login` or set HF_TOKEN.",
            "E_MODEL_GATED",
        )
    if status == 403:
        return CheckpointError(
            f"The Hub refuses {hub_id}: log in with `hf auth login` or set HF_TOKEN, "
            f"and accept the licence at {page}.",
            "E_MODEL_GATED",
        )
    if isinstance(error, RepositoryNotFoundError) or status in (401, 404):
        return CheckpointError(
            f"The Hub has no public model {hub_id}. Check the name; if it is a private one, log in "
            "with `hf auth login` or set HF_TOKEN.",
            "E_MODEL_UNKNOWN",
        )
    return CheckpointError(
        f"The Hub answered {status or 'with an error'} for {hub_id}. Try again later.", "E_HUB"
    )


def _offline(hub_id: str) -> CheckpointError:
    return CheckpointError(
        f"{hub_id} is not on this machine and the Hub cannot be reached. "
        "Connect once to fetch it, or name a folder that holds it.",
        "E_OFFLINE",
    )
