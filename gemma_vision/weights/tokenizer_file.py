"""Tokenizer file: tokenizer.json, opened without the transformers package and held against config.

A tokenizer that is not the checkpoint's own would give other ids in silence, or crash at a prompt.
"""

from __future__ import annotations

import re
from pathlib import Path

from tokenizers import Tokenizer

from gemma_vision.checkpoints.bounds.patterns import why_unsafe
from gemma_vision.checkpoints.config_defaults import published_like
from gemma_vision.checkpoints.file_names import TOKENIZER, name_of
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import ModelConfig
from gemma_vision.requests.prompts import family_of

MAX_BYTES = 256 * 2**20  # of a tokenizer.json; those of Gemma have 35 MB
PATTERN = re.compile(rb'"Regex"\s*:\s*"((?:[^"\\]|\\.)*)"')


def open_tokenizer(folder: Path, config: ModelConfig | None = None) -> Tokenizer:
    """The tokenizer of a checkpoint; checked against its config where that is given.

    What training left in the file is switched off: a saved padding or truncation would change the
    ids of every prompt.
    """
    path = folder / TOKENIZER
    if not path.is_file():
        raise CheckpointError(missing(folder, config), "E_CHECKPOINT_INCOMPLETE")
    check_patterns(path)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises plain Exception
        raise CheckpointError(
            f"{TOKENIZER} of {name_of(folder)} cannot be read ({error}). Fetch it again."
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if config is not None:
        check_tokenizer(tokenizer, config)
    return tokenizer


def check_patterns(path: Path) -> None:
    """Refuse a file whose regular expressions could take for ever over a prompt."""
    data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    patterns = [found.decode("utf-8", "replace") for found in PATTERN.findall(data)]
    if not data or why_unsafe(patterns):
        why = why_unsafe(patterns) or f"is larger than {MAX_BYTES // 2**20} MiB"
        message = f"{TOKENIZER} {why}. Copy that of the model it was tuned from."
        raise CheckpointError(message)


def check_tokenizer(tokenizer: Tokenizer, config: ModelConfig) -> None:
    """Refuse a tokenizer that is not this model's: CheckpointError."""
    family = family_of(config.family)
    found = tokenizer.token_to_id(family.image_token)
    marks = [mark for mark in ("<bos>", family.image_mark) if mark]
    lacking = [mark for mark in marks if tokenizer.token_to_id(mark) is None]
    size, room = tokenizer.get_vocab_size(), config.text.vocab_size
    if found != config.image_token_id:
        as_id = "no" if found is None else f"{found} as"
        fault = f"has {as_id} {family.image_token}, config.json says {config.image_token_id}"
    elif lacking:
        fault = f"has no {' and no '.join(lacking)}"
    elif size > room:
        fault = f"has {size} tokens, the embedding {room} rows"
    else:
        return
    raise CheckpointError(
        f"{TOKENIZER} {fault}: it is not this checkpoint's. "
        f"Copy that of the model it was tuned from, such as {published_like(config.family)}."
    )


def missing(folder: Path, config: ModelConfig | None) -> str:
    """Says whose tokenizer to copy; a sentencepiece model alone is not read."""
    has_model = (folder / "tokenizer.model").is_file()
    instead = " (tokenizer.model alone is not read)" if has_model else ""
    like = f", such as {published_like(config.family)}" if config is not None else ""
    return (
        f"{name_of(folder)} lacks {TOKENIZER}{instead}. Copy that of the model it was tuned "
        f"from{like}, or fetch the checkpoint again."
    )
