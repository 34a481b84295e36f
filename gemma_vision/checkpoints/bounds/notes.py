"""Notes: what gemma_vision.json may say, each entry of the kind that it has to be.

People write it by hand and programs by mistake: what would be misread is refused while loading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gemma_vision.checkpoints.file_names import NOTES
from gemma_vision.errors import CheckpointError
from gemma_vision.requests.interpretation.questions import FORMS
from gemma_vision.requests.options import DECODINGS, MAX_NAMES
from gemma_vision.requests.validation import excerpt
from postprocess.coordinate_conventions import CONVENTIONS


def is_count(value: Any) -> bool:
    """A number of names for one prompt."""
    return type(value) is int and 1 <= value <= MAX_NAMES


def is_count_by_decoding(value: Any) -> bool:
    """The same for every decoding, or one for each."""
    if not isinstance(value, Mapping):
        return is_count(value)
    return set(value) == set(DECODINGS) and all(map(is_count, value.values()))


def is_words(value: Any) -> bool:
    """A list of words, none of them blank."""
    return isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)


RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "policy": (
        lambda value: isinstance(value, str) and value in CONVENTIONS,
        f"one of {', '.join(CONVENTIONS)}",
    ),
    "decoding": (
        lambda value: isinstance(value, str) and value in DECODINGS,
        f"one of {', '.join(DECODINGS)}",
    ),
    "names_per_prompt": (
        is_count_by_decoding,
        f"a whole number from 1 to {MAX_NAMES}, or one for each of {', '.join(DECODINGS)}",
    ),
    "names": (is_words, "a list of names"),
    "tasks": (is_words, "a list of tasks"),
    "questions": (
        lambda value: is_words(value) and set(value) <= set(FORMS),
        f"a list of {', '.join(FORMS)}",
    ),
    "languages": (is_words, "a list of languages' codes"),
    "kind": (lambda value: isinstance(value, str), 'words such as "pt", "mix" or "ft-TASK"'),
    "licence": (lambda value: isinstance(value, str), "the licence's name"),
    "counts": (lambda value: isinstance(value, bool), "true or false"),
    "drawings": (is_words, "a list of names"),
    "taught": (
        lambda value: isinstance(value, list) and all(isinstance(row, Mapping) for row in value),
        "a list of objects",
    ),
}


def check_notes(notes: Mapping[str, Any]) -> dict[str, Any]:
    """The notes without what is null; CheckpointError for an entry that would be misread."""
    said = {key: value for key, value in notes.items() if value is not None}
    for key, (is_fine, wanted) in RULES.items():
        if key in said and not is_fine(said[key]):
            message = f"{NOTES} has {excerpt(said[key])} as {key}; wanted is {wanted}."
            raise CheckpointError(message)
    return said
