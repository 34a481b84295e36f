"""Memory return: what was needed for large pictures is given back to the system.

The C library keeps memory that was freed for whatever comes next: a few pictures of 80 megapixels,
one behind the other, leave half a gigabyte with a process that needs none of it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def return_memory() -> bool:
    """Give back what is free; whether the system's C library can. Takes some milliseconds."""
    trim = trimmer()
    return trim is not None and bool(trim(0))


@cache
def trimmer() -> Callable[[int], int] | None:
    """The function of glibc that does it; None where there is another library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim: Callable[[int], int] | None = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return trim
