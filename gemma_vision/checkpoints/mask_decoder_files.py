"""Mask decoder files: which one belongs to which codes, and where it is. Opened when asked.

Codes of Google's checkpoints need the published file, those of the embedded checkpoint its own.
"""

from __future__ import annotations

import hashlib
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_vision.checkpoints.config import read_notes
from gemma_vision.checkpoints.download import fetch_file
from gemma_vision.checkpoints.file_names import (
    CHECKPOINTS,
    DECODER_FILE,
    NOTES,
    PUBLISHED_FILE,
)
from gemma_vision.checkpoints.model_names import HUB_ID, clean_name, embedded, is_folder
from postprocess.errors import UserError
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    from postprocess.mask_decoder import MaskDecoder

PUBLISHED_SPACE = "big-vision/paligemma"  # open to all, Apache-2.0
PUBLISHED_BYTES = 8_479_556
PUBLISHED_SHA256 = "5586010257b8536dddefab65e7755077f21d5672d5674dacf911f73ae95a4447"
NAMES = ("published", "embedded", "none")
SUFFIX = ".npz"
AGAIN = 60.0  # seconds after which a fetch that failed is tried again


class DecoderError(UserError):
    """A mask decoder cannot be had; the message says why and what to do."""

    CODE = "E_MASK_DECODER"


def open_decoder(name: str) -> MaskDecoder | None:
    """The decoder called "published", "embedded" or by the path of its file; None for "none"."""
    if name == "none":
        return None
    return _load(find_decoder(name))


def find_decoder(name: str) -> Path:
    """The file behind a decoder's name; the published one is fetched once and checked."""
    if name == "published":
        return PUBLISHED.find()
    path = CHECKPOINTS / "tiny" / DECODER_FILE if name == "embedded" else expanded(name)
    if not path.is_file():
        raise DecoderError(describe_missing(name))
    return path


def describe_missing(name: str) -> str:
    """What a name is that is no decoder's, and what to take: of a checkpoint the one it has."""
    cleaned = clean_name(name)
    known = ", ".join(NAMES)
    if is_folder(cleaned):
        taken = decoder_of(expanded(cleaned))
    elif cleaned in embedded():
        taken = "embedded"
    elif HUB_ID.match(cleaned) and not cleaned.endswith(SUFFIX):
        taken = "published"
    else:
        return f"There is no mask decoder at {name}; take one of {known} or the path of a file."
    return f"{name} is a checkpoint and no mask decoder; take {taken} for what it writes."


def decoder_of(*folders: Path) -> str:
    """The decoder that a checkpoint asks for, as a name or a path: what its notes or files say.

    folders: its own first, then that of the model it is an adapter over. Raises DecoderError where
    the notes name a file that cannot be used: never a decoder of another codebook in its place.
    """
    asked = (own_decoder(*folders[at:]) for at in range(len(folders)))
    return next((name for name in asked if name is not None), "published")


def own_decoder(folder: Path, *beneath: Path) -> str | None:
    """What one folder asks for; None where neither its notes nor its files say anything.

    beneath: where the file may lie too that its notes name, for an adapter's are those of its base.
    """
    named = read_notes(folder).get("mask_decoder")
    if named in NAMES:
        return str(named)
    if named is None:
        files = (name for name in (DECODER_FILE, PUBLISHED_FILE) if (folder / name).is_file())
        return next((str(folder / name) for name in files), None)
    if not isinstance(named, str) or Path(named).name != named or "\\" in named:
        raise DecoderError(
            f"{NOTES} has {named!r} as mask_decoder; the name of a file in its folder is wanted, "
            f"or one of {', '.join(NAMES)}."
        )
    places = (place / named for place in (folder, *beneath))
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise DecoderError(
            f"{NOTES} names the mask decoder {named}, which is not in its folder. Copy that file "
            'there, or write "none" to have boxes alone.'
        )
    return str(path)


@lru_cache(maxsize=4)
def _load(path: Path) -> MaskDecoder:
    from postprocess.mask_decoder import MaskDecoder

    try:
        return MaskDecoder.load(path)
    except (ValueError, OSError, EOFError) as error:
        raise DecoderError(f"{path} is no mask decoder: {error}") from error


class Published:
    """Where the published file is: found once, fetched by one caller while the others wait.

    A fetch that failed is not tried again for a minute, so that an app without a network answers
    at once, with boxes and a notice.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._refusal = ""
        self._until = 0.0  # of the monotonic clock: so long the refusal stands

    def find(self) -> Path:
        """In the Hub's cache, or fetched into it; of the right size and SHA-256."""
        with self._lock:
            if self._path is None:
                self._path = checked(self._fetch())
            return self._path

    def _fetch(self) -> Path:
        if time.monotonic() < self._until:
            raise DecoderError(self._refusal)
        try:
            return fetch_file(PUBLISHED_SPACE, PUBLISHED_FILE)
        except Exception as error:  # every failure of the network has a type of its own
            self._refusal = (
                f"The published mask decoder could not be fetched ({type(error).__name__}); "
                f"connect once, or download {PUBLISHED_FILE} of the Space {PUBLISHED_SPACE} "
                "and give its path."
            )
            self._until = time.monotonic() + AGAIN
            raise DecoderError(self._refusal) from error


PUBLISHED = Published()


def checked(path: Path) -> Path:
    """The same, if it is the published file; anything else is removed from the Hub's cache."""
    if not is_published(path):
        path.resolve().unlink()  # what the cache's link points to
        path.unlink(missing_ok=True)
        message = "What came is not the published mask decoder (size or SHA-256) and was removed."
        raise DecoderError(f"{message} Try again, or download {PUBLISHED_FILE} and give its path.")
    return path


def is_published(path: Path) -> bool:
    """Whether a file is the published decoder, by its size and its SHA-256."""
    if path.stat().st_size != PUBLISHED_BYTES:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == PUBLISHED_SHA256
