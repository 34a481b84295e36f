"""Name lists: many names in a sentence that stays one."""

from __future__ import annotations

from collections.abc import Iterable

NAMED = 5  # names in a sentence; the rest is counted


def list_names(names: Iterable[str]) -> str:
    """a, b, c, d, e and 3 more   (sorted)"""
    known = sorted(names)
    more = len(known) - NAMED
    return ", ".join(known[:NAMED]) + (f" and {more} more" if more > 0 else "")
