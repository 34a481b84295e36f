"""Model switcher: another checkpoint put in the place of the one that answers, at run time.

It is fetched and read in a thread of its own; `state` says from anywhere how far that is. Answers
under way keep their checkpoint: the change is made between two of them. When it fails or is called
off, the former one answers as before.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Protocol

from gemma_vision.checkpoints.model_names import clean_name
from gemma_vision.checkpoints.progress import Cancelled, ProgressReporter
from gemma_vision.errors import CheckpointError
from gemma_vision.registry.loading import called, load, measure
from gemma_vision.registry.model_cache import ModelCache, size
from gemma_vision.registry.recommendation import Recommendation, recommend, recommend_open
from gemma_vision.registry.switch_outcome import SwitchOutcome, failed
from gemma_vision.runtime.engine import UnavailableEngine
from gemma_vision.weights import memory

if TYPE_CHECKING:
    from gemma_vision.checkpoints.access_token import AccessToken
    from gemma_vision.pipeline import Pipeline
    from gemma_vision.weights.checkpoint import Found

log = logging.getLogger("gemma_vision.registry.model_switcher")

EMBEDDED = "tiny"  # what answers where even the former checkpoint does not come back
LOOK = 0.1  # seconds between two looks for the model's turn


class TurnLock(Protocol):
    """Held while nobody else may use the model."""

    def acquire(self, *, timeout: float) -> bool: ...
    def release(self) -> None: ...


class ModelSwitcher:
    """Changes the checkpoint of a pipeline, for everybody who holds that pipeline.

    turn: what is had while no answer is under way. The others: as for `load`.
    """

    def __init__(
        self,
        model_cache: ModelCache,
        turn: TurnLock,
        device: str | None = None,
        dtype: str | None = None,
        masks: Pipeline | None = None,
    ) -> None:
        self.model_cache = model_cache
        self.revision = 0  # goes up with every change
        first = model_cache.pipeline.describe()
        self.seen = {first["id"]: first}  # the rows of what was loaded since the start
        self._sources = {first["id"]: self.pipeline.source}  # what each of them is loaded by
        self._turn = turn
        self._device, self._dtype, self._masks = device, dtype, masks
        self._lock = threading.Lock()  # held to begin a choice, and to look at one
        self._wanted = self._owner = ""
        self._reporter: ProgressReporter | None = None  # while something is being loaded
        self._outcome: SwitchOutcome | None = None
        self._thread: threading.Thread | None = None

    @property
    def pipeline(self) -> Pipeline:
        """The one whose checkpoint changes."""
        return self.model_cache.pipeline

    def switch(self, name: str, token: AccessToken | None = None) -> None:
        """Begin to load a checkpoint; returns at once. One is loaded at a time, first come.

        token: what the Hub is asked with where it has to be fetched; None is the machine's own.
        """
        name = clean_name(name)
        with self._lock:
            if self._reporter is not None:
                message = f"{self._wanted} is being loaded; wait for it, or cancel it first."
                raise CheckpointError(message, "E_LOADING")
            source = self._sources.get(name, name)
            if source == self.pipeline.source and self.pipeline.engine.ready():
                message = f"{called(name)} is loaded already; ask it something."
                raise CheckpointError(message, "E_LOADED")
            self._reporter, self._wanted, self._owner = ProgressReporter(), called(source), ""
            self._thread = threading.Thread(
                target=self._work, args=(source, self._reporter, token), name="choice", daemon=True
            )
            self._thread.start()

    def claim(self, owner: str) -> None:
        """Let nobody but its owner call off what is being loaded; "" is everybody."""
        with self._lock:
            self._owner = owner

    def cancel(self, owner: str = "") -> bool:
        """Call off what is being loaded; whether there was anything. Does not wait.

        owner: who asks; CheckpointError where another began it. "" is whoever runs the app.
        """
        with self._lock:
            if self._reporter is None:
                return False
            if owner and self._owner not in ("", owner):
                message = f"Another visitor began to load {self._wanted}; wait for it to be there."
                raise CheckpointError(message, "E_LOADING")
            self._reporter.cancel()
            return True

    def join(self, seconds: float | None = None) -> bool:
        """Wait until nothing is being loaded; whether that is so."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._reporter is None

    def state(self) -> dict[str, Any]:
        """What is loaded, what is on its way and what is remembered, as `GET /model` tells it."""
        with self._lock:
            reporter, wanted, outcome = self._reporter, self._wanted, self._outcome
        is_ready = self.pipeline.engine.ready()
        progress = reporter.progress if reporter else None
        change = {"id": wanted, "phase": "waiting", "done": 0, "total": 0}
        return self.pipeline.describe() | {
            "names": list(self.pipeline.names),
            "device": self.pipeline.card.get("device"),
            "dtype": self.pipeline.card.get("dtype"),
            "state": "loading" if reporter else "ready" if is_ready else "none",
            "revision": self.revision,
            "change": change | (asdict(progress) if progress else {}) if reporter else None,
            "outcome": asdict(outcome) if outcome else None,
            "remembered": self.pipeline.cache_status() or None,
        }

    def room(self) -> int:
        """Bytes that a new checkpoint may take, with those that it would push out."""
        device, engine = self._where(), self.pipeline.engine
        gone = 0 if self.model_cache.has_room_for(memory.LARGE + 1) else size(self.pipeline)
        return memory.free(device) + memory.released(gone, device, self._dtype, engine)

    def weigh(self, parameters: int | memory.Numbers) -> int:
        """Bytes that a checkpoint of that size would take here."""
        return memory.weigh(parameters, self._where(), self._dtype)

    def recommend(self) -> Recommendation:
        """The published checkpoint to begin with here."""
        return recommend(self._where(), self.room(), self._dtype)

    def recommend_open(self) -> Recommendation | None:
        """The one to begin with without an account; None where none fits."""
        return recommend_open(self._where(), self.room(), self._dtype)

    def _where(self) -> str:
        return str(self.pipeline.card.get("device") or "cpu")

    def _work(self, source: str, reporter: ProgressReporter, token: AccessToken | None) -> None:
        name = called(source)
        try:
            self._change(source, reporter, token)
            outcome = SwitchOutcome(name, "loaded")
        except Cancelled:
            outcome = SwitchOutcome(name, "cancelled")
        except Exception as error:
            outcome = failed(name, error)
        with self._lock:
            ended = self._outcome.number if self._outcome else 0
            self._reporter, self._outcome = None, replace(outcome, number=ended + 1)

    def _change(self, source: str, reporter: ProgressReporter, token: AccessToken | None) -> None:
        """Fetch beside the one that answers; read beside it too, if both may be in memory."""
        from gemma_vision.weights.checkpoint import locate

        found = locate(source, reporter, token=token)
        numbers = measure(found.folder)
        parameters = numbers.total
        if self._device != "auto":  # which spreads what does not fit
            memory.check_fits(called(source), self.weigh(numbers), self.room())
        if parameters > memory.LARGE:
            with self._has_turn(reporter):
                self._replace(source, found, parameters, reporter)
            return
        fresh = self._load(source, found, reporter)
        with self._has_turn(reporter):
            self._put(fresh)

    def _replace(
        self, source: str, found: Found, parameters: int, reporter: ProgressReporter
    ) -> None:
        """Read a large checkpoint while nobody answers; others make room for it first."""
        former = None
        if not self.model_cache.has_room_for(parameters):
            self.model_cache.evict_other()
        if not self.model_cache.has_room_for(parameters):
            former = self.pipeline.source
            why = f"{called(source)} is being loaded"
            self.pipeline.engine = UnavailableEngine(self.pipeline.name, why)
            memory.give_back()
        try:
            self._put(self._load(source, found, reporter))
        except Exception as error:
            if former is not None:
                traceback.clear_frames(error.__traceback__)  # they hold tensors
                memory.give_back()
                self._bring_back(former, reporter)
            raise

    def _bring_back(self, former: str, reporter: ProgressReporter) -> None:
        """The former checkpoint again, or the embedded one where that does not come back."""
        for source in (former, EMBEDDED):
            try:
                self._put(self._load(source, None, RestoreReporter(reporter)))
                return
            except Exception as error:
                log.error("%s did not come back: %s", called(source), type(error).__name__)
        name = called(former)
        self.pipeline.engine = UnavailableEngine(name, f"{name} was lost while another was loaded")

    def _load(self, source: str, found: Found | None, reporter: ProgressReporter) -> Pipeline:
        where = self._device, self._dtype
        return load(source, *where, found=found, reporter=reporter, masks=self._masks)

    def _put(self, fresh: Pipeline) -> None:
        was_large = size(self.pipeline) > memory.LARGE
        self.pipeline.become(fresh)
        self.revision += 1
        self.seen = self.seen | {fresh.name: fresh.describe()}
        self._sources[fresh.name] = fresh.source
        self.model_cache.evict_duplicate()
        if was_large:
            memory.give_back()

    @contextmanager
    def _has_turn(self, reporter: ProgressReporter) -> Iterator[None]:
        """Wait until no answer is under way, and let none begin inside the block."""
        reporter.report("waiting")
        while not self._turn.acquire(timeout=LOOK):
            reporter.report("waiting")
        try:
            yield
        finally:
            self._turn.release()


class RestoreReporter(ProgressReporter):
    """Tells another reporter of the way back, which nobody can call off."""

    def __init__(self, shown: ProgressReporter) -> None:
        super().__init__()
        self._shown = shown

    def report(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Shown as "returning", whatever it is."""
        super().report("returning", done, total)
        self._shown.progress = self.progress
