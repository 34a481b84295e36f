"""Label: the words of a record without what only surrounds them."""

import re
import unicodedata

FILLERS = " \t\r\n\u00a0\u200b\u2581,\uff0c\u3001`'\"()[]*|"  # what may stand between tokens

_SPACE = "\u2581"  # how SentencePiece writes a space
_SEAM = re.compile(r"[\"'`\])]{1,4}\s*,\s*[\[(]?[\"'`]?\Z")  # between two texts of a list
_EDGES = " \t\r\n\u00a0\u200b,*"
_OPENINGS = "\"'`\u201c\u2018\u00ab\u300c\u300e\u3010([{<"
_CLOSINGS = "\"'`\u201d\u2019\u00bb\u300d\u300f\u3011)]}>"
_PAIRS = tuple(zip(_OPENINGS, _CLOSINGS, strict=True))
_LONGEST = 300  # characters; a longer text is no label, and only its ends are cleaned


def clean_label(words: str) -> str:
    """Without SentencePiece's bars, and without the quotes, brackets and commas around it.

    What belongs to the label stays: `[cat]` -> `cat`, `cat (black)` and `man's hat` as they are.
    """
    label = words.replace(_SPACE, " ").strip()
    if len(label) > _LONGEST:
        return label.strip(_EDGES + _OPENINGS + _CLOSINGS).strip()
    previous = None
    while label != previous:
        previous = label
        label = _SEAM.sub("", label).strip(_EDGES).strip()
        for opening, closing in _PAIRS:
            label = _without(label, opening, closing)
    return label


def folded(label: str) -> str:
    """A label as labels and names are compared: trimmed, and without regard to case."""
    return unicodedata.normalize("NFKC", " ".join(label.split())).casefold()


def _without(label: str, opening: str, closing: str) -> str:
    """Without this pair of marks where it wraps the label, or has no partner in it."""
    if opening not in label and closing not in label:
        return label
    if _is_wrapped(label, opening, closing):
        return label[1:-1]
    balance = label.count(opening) - label.count(closing) if opening != closing else 0
    is_odd = opening == closing and label.count(opening) % 2 == 1
    lonely = closing if balance < 0 or is_odd else opening if balance > 0 else None
    if lonely is not None and label.endswith(lonely):
        return label[:-1]
    if lonely is not None and label.startswith(lonely):
        return label[1:]
    return label


def _is_wrapped(label: str, opening: str, closing: str) -> bool:
    if len(label) < 2 or not (label.startswith(opening) and label.endswith(closing)):
        return False
    inside = label[1:-1]
    return opening not in inside and closing not in inside
