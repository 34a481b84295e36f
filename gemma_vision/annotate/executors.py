"""Executors: who carries groups of pictures out. One pipeline in a plain loop, or processes."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from gemma_vision.annotate.group_run import LOST, annotate_names
from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.annotate.rows import error_row
from gemma_vision.annotate.shards import Group
from gemma_vision.annotate.sources import PictureSource
from gemma_vision.errors import CheckpointError
from gemma_vision.weights.memory import PROCESSES

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline

PROGRAM = "gemma_vision.annotate.worker_program"
JSON = dict[str, Any]
Done = tuple[Group, list[JSON]]


class Executor(Protocol):
    """Annotates groups, in whatever order. Closing the iterator ends the work."""

    def run(
        self, plan: AnnotationPlan, source: PictureSource, groups: Sequence[Group]
    ) -> Iterator[Done]:
        """Each group with a row for each of its names."""
        ...


@dataclass
class LoopExecutor:
    """One group after the other, with a pipeline that is loaded when it is needed."""

    load: Callable[[], Pipeline]
    _loaded: Pipeline | None = field(default=None, init=False)

    def run(
        self, plan: AnnotationPlan, source: PictureSource, groups: Sequence[Group]
    ) -> Iterator[Done]:
        """In their order."""
        for group in groups:
            yield group, annotate_names(plan, source, group.names, self._pipeline)

    def _pipeline(self) -> Pipeline:
        self._loaded = self._loaded or self.load()
        return self._loaded


@dataclass(frozen=True)
class ProcessExecutor:
    """So many processes side by side, each with a pipeline of its own.

    model: what `gemma_vision.load` is given, by name. A process that ends over a group is replaced
    and the group tried again, then its pictures one by one: the one that ends a process twice over
    has failed, and no other with it.
    """

    workers: int
    model: Mapping[str, Any]

    def run(
        self, plan: AnnotationPlan, source: PictureSource, groups: Sequence[Group]
    ) -> Iterator[Done]:
        """As they are done. Raises what a process could not begin with, such as CheckpointError."""
        waiting: queue.SimpleQueue[Group | None] = queue.SimpleQueue()
        done: queue.SimpleQueue[Done | BaseException] = queue.SimpleQueue()
        count = min(self.workers, len(groups))
        for one in (*groups, *[None] * count):
            waiting.put(one)
        workers = [WorkerProcess(plan, source, self.model, count) for _ in range(count)]
        threads = [
            threading.Thread(target=serve, args=(worker, source, waiting, done), daemon=True)
            for worker in workers
        ]
        try:
            for thread in threads:
                thread.start()
            for _ in groups:
                came = done.get()
                if isinstance(came, BaseException):
                    raise came
                yield came
        finally:
            for worker in workers:
                worker.end()


class WorkerProcess:
    """A process that annotates what it is sent, started when there is something."""

    def __init__(
        self, plan: AnnotationPlan, source: PictureSource, model: Mapping[str, Any], count: int = 1
    ) -> None:
        """count: how many of them there are."""
        self._told = {PROCESSES: str(count)}
        self._first = {"plan": asdict(plan), "source": source.address, "model": dict(model)}
        self._process: subprocess.Popen[str] | None = None
        self._is_over = False

    def annotate(self, names: Sequence[str]) -> list[JSON] | None:
        """The rows of these pictures; None where the process ended over them.

        Raises CheckpointError where it cannot begin.
        """
        process = self._started()
        assert process.stdin is not None and process.stdout is not None, "both are pipes"
        try:
            process.stdin.write(json.dumps(list(names)) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:  # it has ended, by whatever
            answer = ""
        if not answer:
            self._stop()
            return None
        came = json.loads(answer)
        if "error" in came:
            raise CheckpointError(came["error"]["message"], came["error"]["code"])
        rows: list[JSON] = came["rows"]
        return rows

    def end(self) -> None:
        """End the process for good, whatever it does."""
        self._is_over = True
        self._stop()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            if self._is_over:
                raise CheckpointError("The run is over.")
            path = os.pathsep.join(filter(None, sys.path))
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="ascii",
                env=os.environ | self._told | {"PYTHONPATH": path},
            )
            assert self._process.stdin is not None, "it is a pipe"
            with suppress(OSError):  # it has ended already, which shows at the first group
                self._process.stdin.write(json.dumps(self._first) + "\n")
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError, ValueError):
                assert pipe is not None, "both are pipes"
                pipe.close()


def serve(
    worker: WorkerProcess,
    source: PictureSource,
    waiting: queue.SimpleQueue[Group | None],
    done: queue.SimpleQueue[Done | BaseException],
) -> None:
    """Give a process one group after the other until there are no more."""
    try:
        while (group := waiting.get()) is not None:
            done.put((group, annotate_group(worker, source, group)))
    except BaseException as error:
        done.put(error)


def annotate_group(worker: WorkerProcess, source: PictureSource, group: Group) -> list[JSON]:
    """The rows of a group, whatever it does to the process."""
    rows = worker.annotate(group.names) or worker.annotate(group.names)
    if rows is not None:
        return rows
    return [annotate_alone(worker, source, name) for name in group.names]


def annotate_alone(worker: WorkerProcess, source: PictureSource, name: str) -> JSON:
    """The row of a picture by itself; one that ends the process twice over has failed."""
    rows = worker.annotate([name]) or worker.annotate([name])
    if rows is not None:
        return rows[0]
    return lost_row(source, name)


def lost_row(source: PictureSource, name: str) -> JSON:
    """The row of a picture that ended whatever looked at it."""
    message = "The process that looked at it ended; the picture may take too much memory."
    return error_row(name, source.digest(name), LOST, message)
