"""Folder lock: one process at a time writes into a folder. Whoever is killed lets go of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold a folder that is there; whether it could be had, which another process may prevent.

    File systems that lock no folders, as those of networks, keep nobody out.
    """
    try:
        import fcntl
    except ImportError:  # not a POSIX system: nobody is kept out
        yield True
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        is_ours = True
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            is_ours = False
        except OSError:
            pass
        yield is_ours
    finally:
        os.close(held)
