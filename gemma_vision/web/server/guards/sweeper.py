"""Sweeper: what visitors sent and got is deleted after an hour, and when the app ends.

Gradio deletes what it remembers to have stored, and stops for good at the first thing that it
cannot delete. Here the folder itself says what is there: files, folders, and what is left of
uploads that were broken off and of a process that was killed. Only names that Gradio and this app
give are touched.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from gemma_vision.web.server.uploads import upload_folder

MAX_AGE = 3600.0  # seconds for which a file is kept
EVERY = 600.0  # seconds between two sweeps
BROKEN_OFF = 300.0  # seconds without a byte after which an upload will not go on
OWN = "gemma-vision-"  # how folders of this app begin among those of the system
UPLOADS = f"{OWN}uploads-"  # and that of a process's uploads, which ends in the process's number

_STORED = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")  # a folder for one file
_UNFINISHED = re.compile(r"tmp\w+")  # an upload under way


def make_own_folder() -> str:
    """Make a folder for the uploads of this process, where the operator names none.

    Nobody else of the machine looks into it, or has made it before; it goes when the process ends.
    """
    folder = tempfile.mkdtemp(prefix=UPLOADS, suffix=f"-{os.getpid()}")
    atexit.register(remove_own, Path(folder))
    return folder


def is_own(folder: Path) -> bool:
    """Whether a folder was made for the uploads of this process."""
    return folder.name.startswith(UPLOADS) and folder.name.endswith(f"-{os.getpid()}")


def remove_own(folder: Path) -> None:
    """Delete the folder that was made for this process, and no other."""
    if is_own(folder):  # a process that was forked has it from another
        shutil.rmtree(folder, ignore_errors=True)


class Sweeper:
    """Sweeps now and then, in a thread of its own, from `start` on."""

    def __init__(self, app: Any = None) -> None:
        """app: a Gradio page, whose own pictures are kept and whose notes of files are swept."""
        self._app = app
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sweeper", daemon=True)

    def start(self) -> None:
        """Sweep at once what an earlier process left, and every ten minutes."""
        self._thread.start()
        atexit.register(self.end)

    def end(self) -> None:
        """Delete everything that visitors sent and got."""
        if not self._over.is_set():
            self._over.set()
            sweep(-math.inf)  # whatever its time says
            remove_own(upload_folder())

    def _work(self) -> None:
        ages = Ages()
        while not self._over.is_set():
            with contextlib.suppress(Exception):  # the next sweep comes
                keep_own()
                sweep_dead_processes()
                ages.sweep(MAX_AGE, self._kept())
                self._forget()
            self._over.wait(EVERY)

    def _kept(self) -> set[str]:
        """The files of the page itself."""
        blocks = self._app.blocks.values() if self._app is not None else ()
        return {
            os.path.realpath(file) for one in blocks for file in getattr(one, "keep_in_cache", ())
        }

    def _forget(self) -> None:
        """Take names of files that are gone from what Gradio remembers."""
        for names in getattr(self._app, "temp_file_sets", ()):
            names -= {name for name in names.copy() if not os.path.exists(name)}


class Ages:
    """How long what is stored has lain there, by a clock that nobody sets.

    The time of a file is the system's, which may leap by a day: what was seen before is as old as
    it was seen to become, and what is new is no older than the last look.
    """

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[float, float]] = {}  # when written, and since when it lies
        self._looked = -math.inf

    def sweep(self, max_age: float, kept: Collection[str] = ()) -> None:
        """Delete what has lain there for so many seconds since something was last written to it.

        kept: paths of files that stay. The first time a file's own time is all that is known.
        """
        now, seen = steady_time(), {}
        for path in stored(upload_folder()):
            written = newest(path)
            before, since = self._seen.get(path, (-1.0, now))
            if before != written:
                since = now - min(max(time.time() - written, 0.0), now - self._looked)
            if now - since >= max_age:
                delete(path, kept)
            seen[path] = written, since
        self._seen, self._looked = seen, now


def steady_time() -> float:
    """Seconds of a clock that goes on as it does."""
    return time.monotonic()


def sweep(max_age: float, kept: Collection[str] = ()) -> None:
    """Delete what has lain in the upload folder, and among our temporary files, for so long.

    max_age: seconds since something was last written. kept: paths of files that stay.
    """
    before = time.time() - max_age
    for path in stored(upload_folder()):
        if newest(path) <= before:
            delete(path, kept)


def delete(path: Path, kept: Collection[str] = ()) -> None:
    """Delete a file, a link, or a folder in which none of the kept files lies."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
    elif not any(str(file) in kept for file in path.rglob("*")):
        shutil.rmtree(path, ignore_errors=True)


def sweep_broken_off(max_age: float = 0.0) -> None:
    """Delete what is left of uploads; called while none is under way, or with an age."""
    before = time.time() - max_age
    for path in stored(upload_folder()):
        if _UNFINISHED.fullmatch(path.name) and newest(path) <= before:
            with contextlib.suppress(OSError):
                path.unlink()


def keep_own() -> None:
    """Have the folder of this process look used, so that nobody takes it for one that was left."""
    if is_own(upload_folder()):
        with contextlib.suppress(OSError):
            os.utime(upload_folder())


def sweep_dead_processes() -> None:
    """Delete what processes of this app left that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{OWN}*"):
        number = path.name.rpartition("-")[2]
        is_dead = path.name.startswith(UPLOADS) and not is_alive(number)
        if path.is_dir() and not path.is_symlink() and (is_dead or newest(path) <= _hours_ago()):
            shutil.rmtree(path, ignore_errors=True)


def stored(folder: Path) -> Iterator[Path]:
    """What Gradio and this app put into the upload folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if _STORED.fullmatch(name) or _UNFINISHED.fullmatch(name):
            yield folder / name


def newest(path: Path) -> float:
    """When a file, or anything in a folder, was last written; in seconds. 0 where it is gone."""
    times = [0.0]
    for one in (path, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ())):
        with contextlib.suppress(OSError):
            times.append(one.lstat().st_mtime)
    return max(times)


def is_alive(number: str) -> bool:
    """Whether a process of this number runs."""
    import psutil  # type: ignore[import-untyped]

    return number.isdecimal() and bool(psutil.pid_exists(int(number)))


def _hours_ago() -> float:
    return time.time() - 24 * MAX_AGE  # a long run's folder is written to meanwhile
