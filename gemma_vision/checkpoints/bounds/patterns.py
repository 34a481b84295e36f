"""Patterns: regular expressions that a checkpoint brings along, kept from taking for ever."""

from __future__ import annotations

import re
from collections.abc import Collection

MAX_LENGTH = 500  # characters of a pattern
MAX_PATTERNS = 4096
MAX_REPEATS = 2  # per pattern; each one more multiplies the time by the length of a name
MAX_REPEATING = 64  # patterns with any

_LITERAL = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)  # escapes and classes
_REPEAT = re.compile(r"[*+{]")
_NESTED = re.compile(r"\)[*+{]")


def why_unsafe(patterns: Collection[object]) -> str:
    """What is wrong with some patterns, in words; "" where each is matched in a moment."""
    if len(patterns) > MAX_PATTERNS:
        return f"has {len(patterns)} patterns"
    num_repeating = 0
    for pattern in patterns:
        if not isinstance(pattern, str) or len(pattern) > MAX_LENGTH:
            return "has a pattern that is no short text"
        bare = _LITERAL.sub("x", pattern)
        repeats = len(_REPEAT.findall(bare))
        num_repeating += bool(repeats)
        if repeats > MAX_REPEATS or _NESTED.search(bare) or num_repeating > MAX_REPEATING:
            return "has a pattern that could take for ever to match"
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            return "has a pattern that is no regular expression"
    return ""
