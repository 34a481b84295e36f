"""Model names: what people type or paste, read as a folder or as a Hub id. Asks nobody."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.errors import CheckpointError

HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")
HUB_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
OTHER_KINDS = ("datasets", "spaces", "collections", "papers", "docs")  # first parts of addresses
QUOTES = "\"'`\u201c\u201d\u2018\u2019"
ADDRESS = re.compile(r"^(https?://|(www\.)?huggingface\.co/|hf\.co/)", re.IGNORECASE)
PATH = re.compile(r"^([/.~]|[A-Za-z]:\\)")
CODE = "E_MODEL_NAME"
EXAMPLE = "google/paligemma-3b-mix-224"


def clean_name(text: str) -> str:
    """A name without the quotation marks around it; of an address of the Hub the id.

    https://huggingface.co/google/paligemma2-3b-mix-448/tree/main  ->
    google/paligemma2-3b-mix-448. A checkpoint that comes inside is named in letters of any size. A
    folder that is there, and what cannot be understood, stays.
    """
    if is_folder(text):
        return text
    name = text.strip()
    if len(name) > 1 and name[0] in QUOTES and name[-1] in QUOTES:
        name = name[1:-1].strip()
    return id_in_address(name) or (name.casefold() if name.casefold() in embedded() else name)


def embedded() -> list[str]:
    """Names of the checkpoints that come with the program."""
    return sorted(path.parent.name for path in CHECKPOINTS.glob("*/config.json"))


def is_folder(name: str) -> bool:
    """Whether a folder of that name is there; what no file can be called is none."""
    try:
        return bool(name) and Path(name).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):  # too long; a zero in it; no such user's home
        return False


def id_in_address(text: str) -> str:
    """The id in an address of a model's page on the Hub; "" in any other text."""
    if not ADDRESS.match(text):
        return ""
    address = urlsplit(text if "://" in text else f"https://{text}")
    hosts = (*HUB_HOSTS, urlsplit(os.environ.get("HF_ENDPOINT", "")).netloc)
    parts = [part for part in address.path.split("/") if part]
    if address.netloc.lower() not in hosts or len(parts) < 2 or parts[0] in OTHER_KINDS:
        return ""
    name = "/".join(parts[:2])
    return name if HUB_ID.match(name) else ""


def check_model_name(name: str) -> None:
    """Refuse what can be neither a folder nor a Hub id, by what is wrong with it."""
    if ADDRESS.match(name):
        raise CheckpointError(
            f"There is no model {name!r}: it is no address of a model on huggingface.co. Take the "
            f"address of the model's own page, or its id, such as {EXAMPLE}.",
            CODE,
        )
    if not PATH.match(name) and any(sign.isspace() or sign in QUOTES for sign in name):
        raise CheckpointError(
            f"There is no model {name!r}: an id of the Hub has no spaces and no quotation marks. "
            f"Write it as {EXAMPLE}, or name a folder that is there.",
            CODE,
        )
