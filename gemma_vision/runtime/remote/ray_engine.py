"""Ray engine: prompts run by replicas on Ray Serve (`serving/`), each a call of its own.

Whole requests that a dead replica took along are made again, for they leave nothing behind; a
stream that has begun never is. Prompts on the same picture go to the replica that has seen it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from gemma_vision.errors import CheckpointError
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.remote.concurrent_calls import run_calls
from gemma_vision.runtime.remote.packed_prompt import PackedPrompt
from gemma_vision.runtime.remote.ray_cluster import CODE, join_cluster, lost_errors
from postprocess.errors import UserError

APPLICATION = "gemma-vision"
DEPLOYMENT = "Replica"
TRIES = 4  # of a request that has brought nothing
PATIENCE = 2.0  # seconds until it is tried again: others have to be found where one died
READY_SECONDS = 5.0
MAX_SIDE_BY_SIDE = 64  # prompts of one stream


class ReplicaLostError(UserError):
    """The replica that wrote an answer is gone; what came stands."""

    CODE = "E_CUT_OFF"


class ReplicasBusyError(UserError):
    """More requests wait than the replicas take in."""

    CODE = "E_BUSY"


class RayEngine:
    """Runs prompts of one model on the replicas behind a handle of Ray Serve."""

    def __init__(self, handle: Any, name: str) -> None:
        self.name = name
        self._handle = handle

    @classmethod
    def connect(cls, address: str, name: str) -> RayEngine:
        """address: "ray" for the cluster of this machine, or ray://HOST:PORT of its head.

        Raises CheckpointError where no replicas are served there.
        """
        join_cluster(address)
        from ray import serve

        try:
            handle = serve.get_deployment_handle(DEPLOYMENT, APPLICATION)
        except Exception as error:  # Ray has a kind for each way in which this fails
            message = f"No replicas are served at {address} ({type(error).__name__}); start them."
            raise CheckpointError(message, CODE) from error
        return cls(handle, name)

    def ready(self) -> bool:
        """Whether a replica answers."""
        try:
            self._handle.status.remote().result(timeout_s=READY_SECONDS)
        except Exception:
            return False
        return True

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """Chunks as they come. Closing this cancels the calls, which ends the work there.

        Raises ReplicaLostError for a replica that is gone after it began, ReplicasBusyError.
        """
        return self._follow(prompts, self._streamed)

    def stream_whole(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """As `stream`, for whoever shows nothing before an answer is whole: requests that a dead
        replica took along are made again.
        """
        return self._follow(prompts, self._completed)

    def _follow(
        self, prompts: Sequence[Prompt], call: Callable[[PackedPrompt, Calls], Iterator[Chunk]]
    ) -> Iterator[list[Chunk | None]]:
        """What the prompts' calls bring, in the order in which it comes."""
        calls = Calls()

        def begin(prompt: Prompt) -> Iterator[Chunk]:
            return call(PackedPrompt.of(prompt), calls)  # its pictures are encoded when it starts

        asked = [partial(begin, prompt) for prompt in prompts]
        try:
            yield from run_calls(asked, calls.over, most=MAX_SIDE_BY_SIDE, explained=explained)
        finally:
            calls.cancel()

    def _streamed(self, packed: PackedPrompt, calls: Calls) -> Iterator[Chunk]:
        for left in reversed(range(TRIES)):
            has_begun = False
            call = calls.add(self._routed(packed, stream=True).stream.remote(packed, self.name))
            try:
                for chunk in call:
                    has_begun = True
                    yield chunk
                return
            except lost_errors() as error:
                if has_begun or not left or calls.over.is_set():
                    message = "The replica that wrote this answer is gone; what came stands."
                    raise ReplicaLostError(f"{message} Run it again.") from error
                calls.over.wait(PATIENCE)
            finally:
                calls.remove(call)

    def _completed(self, packed: PackedPrompt, calls: Calls) -> Iterator[Chunk]:
        for left in reversed(range(TRIES)):
            call = calls.add(self._routed(packed).complete.remote(packed, self.name))
            try:
                yield from call.result()
                return
            except lost_errors() as error:
                if not left or calls.over.is_set():
                    message = "The replicas that were asked are gone; try again in a moment."
                    raise ReplicaLostError(message) from error
                calls.over.wait(PATIENCE)
            finally:
                calls.remove(call)

    def _routed(self, packed: PackedPrompt, **options: Any) -> Any:
        """The handle that sends prompts on the same picture to the same replica."""
        return self._handle.options(session_id=f"{self.name} {packed.key}", **options)


class Calls:
    """The calls under way of one stream, to be cancelled when nobody wants them any more."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._calls: list[Any] = []
        self._lock = threading.Lock()

    def add(self, call: Any) -> Any:
        """Remember a call; it is cancelled at once where everything is over."""
        with self._lock:
            self._calls.append(call)
        if self.over.is_set():
            self.cancel()
        return call

    def remove(self, call: Any) -> None:
        """A call that has ended, by whatever."""
        with self._lock:
            if call in self._calls:
                self._calls.remove(call)

    def cancel(self) -> None:
        """Cancel all of them, and those that come later."""
        self.over.set()
        with self._lock:
            calls, self._calls = self._calls, []
        for call in calls:
            with suppress(Exception):  # it has ended meanwhile
                call.cancel()


def explained(error: BaseException) -> BaseException:
    """What Ray wraps, as it was; a refusal of too many requests in our words."""
    from ray.exceptions import RayTaskError
    from ray.serve.exceptions import BackPressureError

    if isinstance(error, BackPressureError):
        message = "As many requests wait as the replicas take in; ask again in a moment."
        return ReplicasBusyError(message)
    cause = error.cause if isinstance(error, RayTaskError) else None
    return cause if isinstance(cause, UserError) else error
