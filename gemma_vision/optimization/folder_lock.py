"""Folder lock: one process at a time writes into a folder. Whoever is killed lets go of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold a folder that is there; whether it could be had, which another process may prevent."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system: nobody is kept out
        yield True
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(held)
