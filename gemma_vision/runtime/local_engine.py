"""The local engine: prompts run on this machine, those of all callers as one batch."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor

from gemma_vision.model.config import VisionConfig
from gemma_vision.model.state import State
from gemma_vision.runtime.decode import DecodeBatch
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.image_encoder import EncoderInput
from gemma_vision.runtime.lru_cache import LruCache
from gemma_vision.runtime.prefill import Prefiller
from gemma_vision.runtime.replays import Replayer
from gemma_vision.runtime.row import Row
from gemma_vision.runtime.scheduler import Scheduler
from gemma_vision.runtime.thinking import ThoughtMarks
from gemma_vision.weights.checkpoint import Checkpoint, open_checkpoint
from gemma_vision.weights.mapped_files import MappedFiles
from postprocess.errors import UserError
from postprocess.forks import compute_alone_in_forks

CACHE_BYTES = 256 * 2**20  # about 490 pictures of PaliGemma-3B at 224 pixels in bfloat16
# Below so many parameters one thread is enough: waking a second one saves little, and where other
# programs want the processor, waiting for it made an answer of the embedded checkpoint 18 times as
# long (89 ms with one thread, 1650 ms with two, on two busy cores).
SMALL = 20_000_000
READ_AT_ONCE = 8  # prompts read in one pass; where a pass takes seconds, others wait for one only
PREFIX_BYTES = 512 * 2**20  # about 13 pictures of Gemma-3-4B in bfloat16


class LocalEngine:
    """Runs a checkpoint here. Several streams may be open at once; they are decoded together.

    Pictures seen before are not looked at again: `cache.hits` and `cache.misses` count them. With
    Gemma 3 the next question on a picture goes on behind it: `prefixes` counts those.
    threads: how many processor threads a step may use; None is one for small checkpoints on a
    CPU, and what torch was set to otherwise. replays: steps of one row and looks at pictures are
    recorded and replayed (replays.py), which pays on a GPU.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        cache_bytes: int = CACHE_BYTES,
        prefix_bytes: int = PREFIX_BYTES,
        threads: int | None = None,
        replays: bool = False,
    ) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self._mapped = MappedFiles.of(checkpoint)
        self.cache: LruCache[Tensor] = LruCache(cache_bytes)
        self.prefixes: LruCache[State] = LruCache(prefix_bytes)
        is_small = checkpoint.num_parameters < SMALL and checkpoint.model.device.type == "cpu"
        self.threads = threads or (1 if is_small else None)
        self._prefiller = Prefiller(checkpoint, self.cache, self.prefixes)
        self._replayer = Replayer(checkpoint.model) if replays else None
        if self._replayer and isinstance(checkpoint.config.vision, VisionConfig):
            self._prefiller.image_encoder.recorded = self._replayer.encode
        self._token_texts: dict[int, tuple[str, str]] = {}
        self._lock = threading.Lock()  # held while the model runs, never across a yield
        thoughts = ThoughtMarks.of(checkpoint.tokenizer, checkpoint.family.thought)
        stops = map(checkpoint.tokenizer.token_to_id, checkpoint.family.stop_tokens)
        stop_ids = {*checkpoint.config.stop_ids, *(s for s in stops if s is not None)}
        is_quick = is_small or checkpoint.model.device.type != "cpu"
        self._scheduler = Scheduler(
            self._make_batch(stop_ids, thoughts),
            self._prefiller,
            self._running,
            at_once=READ_AT_ONCE if is_quick and not self._has_prefixes else 1,
        )

    @property
    def _has_prefixes(self) -> bool:
        return self.checkpoint.model.architecture.has_reusable_prefix

    @classmethod
    def load(
        cls, name: str | Path = "tiny", device: str | None = None, dtype: str | None = None
    ) -> LocalEngine:
        """Open a checkpoint (see `weights.open_checkpoint`) and run it."""
        return cls(open_checkpoint(name, device, dtype))

    def __repr__(self) -> str:
        """LocalEngine(tiny on cpu)"""
        return f"LocalEngine({self.name} on {self.checkpoint.model.device})"

    def cache_status(self) -> dict[str, dict[str, int]]:
        """What is kept of "pictures" and of "prefixes", and how often it was of use."""
        return {"pictures": self.cache.counts(), "prefixes": self.prefixes.counts()}

    def __reduce__(self) -> NoReturn:
        """Refused in words: a model in memory goes into no other process, and is not copied."""
        message = (
            "A loaded model cannot be copied or sent to another process; "
            "call gemma_vision.load() there, once, as in a pool's initializer."
        )
        raise UserError(message, "E_COPY")

    def ready(self) -> bool:
        """The checkpoint is loaded: a prompt would run now."""
        return True

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """Lists of chunks as they come; closing the iterator ends the work.

        Streams that are open at once are decoded in one batch, whoever opened them. Raises
        EngineBusyError where too many prompts wait already.
        """
        rows = self._scheduler.make_rows(prompts)
        try:
            self._scheduler.submit(rows)
            while chunks := self._scheduler.take(rows):
                yield chunks
        finally:
            self._scheduler.withdraw(rows)

    def complete(self, prompts: Sequence[Prompt], over: threading.Event) -> list[list[Chunk]]:
        """Every chunk of each prompt, once all have ended: what `stream` gives, without waking the
        caller at every token. Setting `over` ends it within a step, with what there is.
        """
        rows = self._scheduler.make_rows(prompts)
        try:
            self._scheduler.submit(rows)
            return self._scheduler.take_all(rows, over)
        finally:
            self._scheduler.withdraw(rows)

    def ids(self, prompt: Prompt) -> list[int]:
        """The prompt as the decoder reads it: one image token for each soft token, then words."""
        return self._prefiller.ids(prompt)

    def views(self, prompt: Prompt) -> list[list[EncoderInput]]:
        """Every picture as the tower is given it, each followed by its crops."""
        return self._prefiller.views(prompt)

    @torch.inference_mode()
    def watch(self, prompt: Prompt) -> tuple[DecodeBatch, Row]:
        """An answer away from all others, a token to each `advance`, its first one there already.

        The batch has the logits over every word that the newest token was picked from.
        """
        if prompt.is_verified:  # the same tokens, one after the other
            prompt = replace(prompt, grammar=None)
        with self._running():
            batch = self._make_batch(self._stop_ids, self._thoughts, is_watched=True)
            logits, state, timing = self._prefiller.prefill([prompt])
            row = batch.make_row(prompt)
            row.timing |= timing
            batch.join([row], logits, state)
        return batch, row

    @property
    def _stop_ids(self) -> Collection[int]:
        """The tokens that end an answer."""
        return self._scheduler.batch.stop_ids

    @_stop_ids.setter
    def _stop_ids(self, ids: Collection[int]) -> None:
        self._scheduler.batch.stop_ids = ids

    @property
    def _thoughts(self) -> ThoughtMarks | None:
        """What a thought begins and ends with, where the family thinks."""
        return self._scheduler.batch.thoughts

    @_thoughts.setter
    def _thoughts(self, marks: ThoughtMarks | None) -> None:
        self._scheduler.batch.thoughts = marks

    def _make_batch(
        self, stop_ids: Collection[int], thoughts: ThoughtMarks | None, *, is_watched: bool = False
    ) -> DecodeBatch:
        checkpoint = self.checkpoint
        return DecodeBatch(
            checkpoint.model,
            checkpoint.tokenizer,
            stop_ids,
            self._token_texts,
            thoughts=thoughts,
            is_watched=is_watched,
            replayer=self._replayer,
        )

    @contextmanager
    def _running(self) -> Iterator[None]:
        compute_alone_in_forks(torch.set_num_threads)
        with self._lock, using_threads(self.threads):
            self._mapped.check()
            yield


@contextmanager
def using_threads(count: int | None) -> Iterator[None]:
    """Let torch use so many processor threads inside the block; None changes nothing."""
    before = torch.get_num_threads()
    if count is None or count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
