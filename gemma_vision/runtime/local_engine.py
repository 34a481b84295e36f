"""The local engine: prompts run on this machine, as one batch."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from gemma_vision.model.vision_language_model import State
from gemma_vision.runtime.decode import DecodeBatch
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.image_encoder import EncoderInput
from gemma_vision.runtime.lru_cache import LruCache
from gemma_vision.runtime.prefill import Prefiller
from gemma_vision.runtime.thinking import ThoughtMarks
from gemma_vision.weights.checkpoint import Checkpoint, open_checkpoint

CACHE_BYTES = 256 * 2**20  # about 490 pictures of PaliGemma-3B at 224 pixels in bfloat16
# Below so many parameters one thread is enough: waking a second one saves little, and where other
# programs want the processor, waiting for it made an answer of the embedded checkpoint 18 times as
# long (89 ms with one thread, 1650 ms with two, on two busy cores).
SMALL = 20_000_000
PREFIX_BYTES = 512 * 2**20  # about 13 pictures of Gemma-3-4B in bfloat16


class LocalEngine:
    """Runs a checkpoint here. Several streams may be open at once; their steps take turns.

    Pictures seen before are not looked at again: `cache.hits` and `cache.misses` count them. With
    Gemma 3 the next question on a picture goes on behind it: `prefixes` counts those. That is for
    one prompt at a time; a batch is read whole, since its rows are padded to one length.
    threads: how many processor threads a step may use; None is one for small checkpoints on a
    CPU, and what torch was set to otherwise.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        cache_bytes: int = CACHE_BYTES,
        prefix_bytes: int = PREFIX_BYTES,
        threads: int | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.cache: LruCache[Tensor] = LruCache(cache_bytes)
        self.prefixes: LruCache[State] = LruCache(prefix_bytes)
        is_small = checkpoint.num_parameters < SMALL and checkpoint.model.device.type == "cpu"
        self.threads = threads or (1 if is_small else None)
        self._prefiller = Prefiller(checkpoint, self.cache, self.prefixes)
        self._token_texts: dict[int, str] = {}
        self._lock = threading.Lock()  # held while the model runs, never across a yield
        self._thoughts = ThoughtMarks.of(checkpoint.tokenizer, checkpoint.family.thought)
        stops = map(checkpoint.tokenizer.token_to_id, checkpoint.family.stop_tokens)
        self._stop_ids = {*checkpoint.config.stop_ids, *(s for s in stops if s is not None)}

    @classmethod
    def load(
        cls, name: str | Path = "tiny", device: str | None = None, dtype: str | None = None
    ) -> LocalEngine:
        """Open a checkpoint (see `weights.open_checkpoint`) and run it."""
        return cls(open_checkpoint(name, device, dtype))

    def cache_status(self) -> dict[str, dict[str, int]]:
        """What is kept of "pictures" and of "prefixes", and how often it was of use."""
        return {"pictures": self.cache.counts(), "prefixes": self.prefixes.counts()}

    def ready(self) -> bool:
        """The checkpoint is loaded: a prompt would run now."""
        return True

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """One list per step with a token for every answer that has not ended.

        Closing the iterator ends the work. Scores of <loc> tokens follow `picking.score`.
        """
        if not prompts:
            return
        with self._lock, using_threads(self.threads):
            batch = self.begin(prompts)
        while batch.is_running:
            with self._lock, using_threads(self.threads):
                chunks = batch.advance()
            yield chunks

    def ids(self, prompt: Prompt) -> list[int]:
        """The prompt as the decoder reads it: one image token for each soft token, then words."""
        return self._prefiller.ids(prompt)

    def views(self, prompt: Prompt) -> list[list[EncoderInput]]:
        """Every picture as the tower is given it, each followed by its crops."""
        return self._prefiller.views(prompt)

    @torch.inference_mode()
    def begin(self, prompts: Sequence[Prompt]) -> DecodeBatch:
        """Read the prompts; each `advance` of the batch decodes one token more."""
        logits, state, timing = self._prefiller.prefill(prompts)
        return DecodeBatch(
            self.checkpoint.model,
            self.checkpoint.tokenizer,
            self._stop_ids,
            prompts,
            logits,
            state,
            timing,
            self._token_texts,
            self._thoughts,
        )


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
