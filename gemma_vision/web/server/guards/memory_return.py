"""Memory return: what was needed for large pictures is given back to the system.

The C library keeps memory that was freed for whatever comes next: a few pictures of 80 megapixels,
one behind the other, leave half a gigabyte with a process that needs none of it. Threads have
heaps of their own, up to eight a core, and the end of each is kept whatever is asked: a few videos
left 40 to 60 megabytes in every one.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache

ARENA_MAX = -8  # M_ARENA_MAX of malloc.h


def use_one_heap() -> bool:
    """Let all threads that start from now on share one heap, all of which can be given back.

    Whether the system's C library can. To be called before other threads are there.
    """
    limit = c_function("mallopt")
    return limit is not None and bool(limit(ARENA_MAX, 1))


def return_memory() -> bool:
    """Give back what is free; whether the system's C library can. Takes some milliseconds."""
    trim = c_function("malloc_trim")
    return trim is not None and bool(trim(0))


@cache
def c_function(name: str) -> Callable[..., int] | None:
    """A function of glibc; None where there is another library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    return function
