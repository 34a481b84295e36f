"""Forks: processes that begin as copies of one in which torch has computed already."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial


@cache
def compute_alone_in_forks(set_num_threads: Callable[[int], None]) -> None:
    """Let processes forked from now on compute with one thread each.

    A fork has no copy of the threads that torch computed with and would wait for them for ever.
    set_num_threads: torch's, called with 1 at each fork; whoever knows better calls it again.
    """
    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(after_in_child=partial(set_num_threads, 1))
