"""Hub: the folder behind a model's name. Fetches from the Hugging Face Hub when it has to.

Every way in which that fails is a CheckpointError of one sentence that says what to do.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path

from gemma_vision.config import CheckpointError

CHECKPOINTS = Path(__file__).parent / "checkpoints"
HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")
FILES = ("*.json", "*.safetensors", "*.npz")  # no pickles, no code


def find(name: str) -> Path:
    """The folder of "tiny", of a path, or of a Hub id, fetched into the Hub's cache if need be."""
    if (CHECKPOINTS / name / "config.json").is_file() and re.fullmatch(r"\w+", name):
        return CHECKPOINTS / name
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if HUB_ID.match(name) and not folder.exists():
        return fetch(name)
    raise CheckpointError(
        f"There is no model {name!r}. Take {', '.join(embedded()) or 'tiny'}, a folder with a "
        "checkpoint, or a Hub id such as google/paligemma-3b-mix-224.",
        "E_MODEL_UNKNOWN",
    )


def embedded() -> list[str]:
    """Names of the checkpoints that come with the program."""
    return sorted(path.parent.name for path in CHECKPOINTS.glob("*/config.json"))


def fetch(hub_id: str) -> Path:
    """Download a checkpoint once; later it comes from the Hub's cache, network or not."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, allow_patterns=list(FILES)))
    except LocalEntryNotFoundError as error:
        raise _offline(hub_id) from error
    except HfHubHTTPError as error:
        raise _refused(hub_id, error) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            message = f"The disk is full while fetching {hub_id}. Free some space and try again."
            raise CheckpointError(message, "E_DISK_FULL") from error
        raise _offline(hub_id) from error
    except Exception as error:  # transports raise errors of their own
        raise _offline(hub_id) from error


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
    if status in (401, 403):
        return CheckpointError(
            f"The Hub refuses {hub_id} ({status}): log in with `hf auth login` or set HF_TOKEN, "
            f"and accept the licence at {page}.",
            "E_MODEL_GATED",
        )
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return CheckpointError(f"The Hub has no model {hub_id}. Check the name.", "E_MODEL_UNKNOWN")
    return CheckpointError(
        f"The Hub answered {status or 'with an error'} for {hub_id}. Try again later.", "E_HUB"
    )


def _offline(hub_id: str) -> CheckpointError:
    return CheckpointError(
        f"{hub_id} is not on this machine and the Hub cannot be reached. "
        "Connect once to fetch it, or name a folder that holds it.",
        "E_OFFLINE",
    )
