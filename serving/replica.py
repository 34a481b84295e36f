"""Replica: one process of Ray Serve that runs checkpoints for whoever holds its handle.

Packed prompts come in and chunks go out, as over the engine seam. Everything that computes runs in
threads, so that health checks and cancellations get through; prompts of many callers come together
in the engine's own batches.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ray import serve

import gemma_vision
from gemma_vision.runtime.engine import Chunk, Engine, Prompt
from gemma_vision.runtime.remote.packed_prompt import PackedPrompt
from gemma_vision.runtime.remote.ray_engine import DEPLOYMENT
from postprocess.errors import UserError

T = TypeVar("T")

THREADS = 64  # prompts that are decoded or wait for it at once
CLOSING = 0.005  # seconds between two tries to close what makes a step just now


class Replica:
    """Runs prompts on this machine. `options` are those of `gemma_vision.load`.

    model: is loaded before the first prompt comes. max_models: of other names, how many beside one
    another; the one that was not asked for longest makes room. models: the only names that are
    loaded, where that is given.
    """

    def __init__(
        self,
        model: str = "tiny",
        *,
        max_models: int = 1,
        models: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        self._options = options
        self._allowed = {model, *models}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="prompt")
        self._engines: dict[str, Engine] = {}  # the one that was asked for last comes last
        self._max_models = max_models
        self._loading = asyncio.Lock()
        self._running = 0
        self._engines[model] = self._load(model)

    async def complete(self, packed: PackedPrompt, model: str) -> list[Chunk]:
        """Every chunk of one prompt. It can be asked for again: nothing of it stays."""
        engine = await self._engine(model)
        over = threading.Event()

        def work() -> list[Chunk]:
            return complete(engine, packed.unpack(), over)

        try:
            return await self._in_thread(work)
        except asyncio.CancelledError:
            over.set()
            raise

    async def stream(self, packed: PackedPrompt, model: str) -> AsyncIterator[Chunk]:
        """The chunks of one prompt as they are made. Closing this ends the work within a token."""
        engine = await self._engine(model)
        steps = await self._in_thread(lambda: engine.stream([packed.unpack()]))
        try:
            while (step := await self._in_thread(lambda: next(steps, None))) is not None:
                for chunk in step:
                    if chunk is not None:
                        yield chunk
        finally:
            await asyncio.shield(self._in_thread(lambda: close_when_free(steps)))

    async def status(self) -> dict[str, Any]:
        """What runs here: models in memory, prompts under way, pictures that were known."""
        caches: list[dict[str, Any]] = [
            getattr(one, "cache_status", dict)() for one in self._engines.values()
        ]
        pictures = [cache["pictures"] for cache in caches if "pictures" in cache]
        return {
            "pid": os.getpid(),
            "models": list(self._engines),
            "running": self._running,
            "hits": sum(one["hits"] for one in pictures),
            "misses": sum(one["misses"] for one in pictures),
        }

    def check_health(self) -> None:
        """Raises where no checkpoint is in memory; Serve replaces the replica then."""
        if not all(engine.ready() for engine in self._engines.values()):
            raise RuntimeError("a checkpoint is not there any more")

    async def _engine(self, model: str) -> Engine:
        """The engine of a model, loaded if need be; the oldest makes room for it."""
        if model not in self._allowed:
            raise UserError(f"{model!r} is not served here.", "E_MODEL_UNKNOWN")
        async with self._loading:
            if model not in self._engines:
                while len(self._engines) >= self._max_models:
                    self._engines.pop(next(iter(self._engines)))
                self._engines[model] = await self._in_thread(lambda: self._load(model))
            self._engines[model] = self._engines.pop(model)
            return self._engines[model]

    def _load(self, model: str) -> Engine:
        return gemma_vision.load(model, **self._options).engine

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self._running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._running -= 1


def complete(engine: Engine, prompt: Prompt, over: threading.Event) -> list[Chunk]:
    """Every chunk of a prompt; what there is once `over` is set."""
    whole = getattr(engine, "complete", None)  # nobody is woken for the steps of others
    if whole is not None:
        (chunks,) = whole([prompt], over)
        return list(chunks)
    steps, chunks = engine.stream([prompt]), []
    try:
        for (chunk,) in steps:
            if over.is_set():
                break
            if chunk is not None:
                chunks.append(chunk)
    finally:
        close(steps)
    return chunks


def close(steps: Iterator[Any]) -> None:
    """End the work of a stream."""
    getattr(steps, "close", lambda: None)()


def close_when_free(steps: Iterator[Any]) -> None:
    """End the work of a stream whose step may be under way: at the end of that step."""
    wait = threading.Event()
    while True:
        try:
            close(steps)
            return
        except ValueError:  # "generator already executing"
            wait.wait(CLOSING)


ReplicaDeployment = serve.deployment(name=DEPLOYMENT)(Replica)
