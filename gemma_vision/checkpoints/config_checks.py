"""Config checks: keys of config.json that would make another model than the one computed here.

Each is compared with transformers: a value that changes what it computes is refused while loading,
one that it ignores too is ignored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from gemma_vision.checkpoints.config_defaults import COMMON_KEYS, ConfigKind, PlainKey
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import FULL, SLIDING, ModelConfig

Values = Mapping[str, Any]

# What a size may be at most; a model is built, empty, before its weights are looked for.
LARGEST = {
    "num_hidden_layers": 512,
    "image_size": 16_384,
    "vocab_size": 2**22,
    "max_position_embeddings": 2**32,
}
MAX_SIZE = 2**20
MAX_PATCHES = 2**18  # of a picture


def check_keys(values: Values, kind: ConfigKind) -> None:
    """Refuse a config.json that asks for something else than is computed: CheckpointError."""
    refuse_other_values(values, (*COMMON_KEYS, *kind.plain_keys))


def refuse_other_values(values: Values, rows: Iterable[PlainKey]) -> None:
    """Refuse a key whose value is none of those that are computed here."""
    for row in rows:
        part = (values.get(row.part) or {}) if row.part else values
        value = part.get(row.key)
        if value is not None and value not in row.plain:
            where = f" in its {row.part}" if row.part else ""
            raise CheckpointError(
                f"config.json has {row.key} {value!r}{where}; {row.plain[0]!r} is what is computed "
                "here. Take another checkpoint, or run this one with transformers."
            )


def check_sizes(config: ModelConfig) -> None:
    """Refuse sizes that contradict each other, each in words: CheckpointError."""
    vision, text = config.square, config.text
    side = round(vision.num_soft_tokens**0.5)
    odd_types = sorted(set(text.layer_types) - {FULL, SLIDING})
    has_no_window = SLIDING in text.layer_types and not _is_whole(text.window)
    refuse_sizes(
        {
            "the picture is not a whole number of patches": vision.image_size % vision.patch_size,
            f"a picture has more than {MAX_PATCHES} patches": vision.grid**2 > MAX_PATCHES,
            "the tower's width is no multiple of its heads": vision.width % vision.num_heads,
            "query heads are no multiple of key heads": text.num_heads % text.num_kv_heads,
            "the width of a head is odd": text.head_width % 2,
            "layer_types and num_hidden_layers disagree": len(text.layer_types) - text.num_layers,
            f"layer_types has {', '.join(odd_types)}": len(odd_types),
            f"layers slide through a window of {text.window!r}": has_no_window,
            "tokens per picture do not tile the patch grid": (
                side * side - vision.num_soft_tokens or vision.grid % side
            ),
        }
    )


def refuse_sizes(claims: Mapping[str, object]) -> None:
    """Refuse a config.json of which any of these claims is true."""
    wrong = [claim for claim, excess in claims.items() if excess]
    if wrong:
        raise CheckpointError(f"config.json contradicts itself: {'; '.join(wrong)}.")


def read_part(values: Values, key: str) -> Values:
    """An object within config.json, empty where there is none."""
    part = values.get(key)
    if part is not None and not isinstance(part, Mapping):
        raise CheckpointError(f"config.json has a {type(part).__name__} as {key}; wants an object.")
    return part or {}


def fill(defaults: Values, given: Values) -> dict[str, Any]:
    """The given values over the defaults; whole numbers have to be whole and above 0."""
    sizes = {**defaults, **{key: value for key, value in given.items() if value is not None}}
    for key, default in defaults.items():
        if isinstance(default, int):
            sizes[key] = read_whole(key, sizes[key])
        elif isinstance(default, float):
            sizes[key] = read_number(key, sizes[key])
    return sizes


def read_whole(key: str, size: object) -> int:
    """A size, whole and above 0; CheckpointError where it is anything else."""
    if isinstance(size, (list, tuple)) and len(set(size)) == 1:
        size = size[0]  # a side given as height and width
    if not _is_whole(size):
        found = repr(size)[:80]
        raise CheckpointError(f"config.json has {key} {found}; a whole number above 0 is wanted.")
    assert isinstance(size, int), "it is whole"
    if size > (most := LARGEST.get(key, MAX_SIZE)):
        raise CheckpointError(f"config.json has {key} {size}; at most {most} are built here.")
    return size


def read_number(key: str, value: object) -> float:
    """A number that is finite; CheckpointError where it is anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        found = repr(value)[:80]
        raise CheckpointError(f"config.json has {key} {found}; a number is wanted.")
    return value


def _is_whole(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size > 0
