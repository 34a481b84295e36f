"""The local engine: prompts run on this machine, as one batch. B rows, T positions."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from PIL.Image import Image
from torch import Tensor

from gemma_vision.decoding import Batch
from gemma_vision.engine import Chunk, Prompt
from gemma_vision.pan_and_scan import views
from gemma_vision.sight import Sight
from gemma_vision.soft_cache import MAX_BYTES, SoftCache
from gemma_vision.weights import Checkpoint, open_checkpoint

ROOM = 256  # tokens that the key-value cache is made for at first; it grows


class LocalEngine:
    """Runs a checkpoint here. Several streams may be open at once; their steps take turns.

    Pictures seen before are not looked at again: `cache.hits` and `cache.misses` count them.
    """

    def __init__(self, checkpoint: Checkpoint, *, cache_bytes: int = MAX_BYTES) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.cache = SoftCache(cache_bytes)
        self._sight = Sight(checkpoint.model, checkpoint.name, self.cache)
        self._spelled: dict[int, str] = {}
        self._lock = threading.Lock()  # held while the model runs, never across a yield
        stops = map(checkpoint.tokenizer.token_to_id, checkpoint.model.family.stop_tokens)
        self._stop_ids = {*checkpoint.config.stop_ids, *(s for s in stops if s is not None)}

    @classmethod
    def load(
        cls, name: str | Path = "tiny", device: str | None = None, dtype: str | None = None
    ) -> LocalEngine:
        """Open a checkpoint (see `weights.open_checkpoint`) and run it."""
        return cls(open_checkpoint(name, device, dtype))

    def ready(self) -> bool:
        """The checkpoint is loaded: a prompt would run now."""
        return True

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """One list per step with a token for every answer that has not ended.

        Closing the iterator ends the work. Scores of <loc> tokens follow `picking.score`.
        """
        if not prompts:
            return
        with self._lock:
            batch = self._begin(prompts)
        while batch.is_running:
            with self._lock:
                chunks = batch.advance()
            yield chunks

    @torch.inference_mode()
    def _begin(self, prompts: Sequence[Prompt]) -> Batch:
        start = time.perf_counter()
        seen = [self._views(prompt) for prompt in prompts]
        soft = self._sight.look([[view for views in row for view in views] for row in seen])
        encoded = time.perf_counter()
        counts = [[len(views) for views in row] for row in seen]
        ids, is_real = self._tokenise([prompt.text for prompt in prompts], counts)
        room = min(ROOM, max(prompt.max_tokens for prompt in prompts))
        model = self.checkpoint.model
        logits, state = model.prefill(ids, is_real, soft, room=room)
        timing = {"encode": encoded - start, "prefill": time.perf_counter() - encoded}
        tokenizer = self.checkpoint.tokenizer
        stops, spelled = self._stop_ids, self._spelled
        return Batch(model, tokenizer, stops, prompts, logits, state, timing, spelled)

    def _views(self, prompt: Prompt) -> list[list[Image]]:
        """Each picture of a prompt, followed by its crops where they are wanted."""
        crops = prompt.pan_and_scan and self.checkpoint.model.family.has_pan_and_scan
        return [views(image) if crops else [image] for image in prompt.images]

    def _tokenise(
        self, texts: Sequence[str], counts: Sequence[Sequence[int]]
    ) -> tuple[Tensor, Tensor]:
        """Whole prompts as ids, padded on the left.   -> (B, T) and (B, T) bool, True where real"""
        rows = [self._ids(*pair) for pair in zip(texts, counts, strict=True)]
        length = max(map(len, rows))
        ids = torch.tensor([[0] * (length - len(row)) + row for row in rows])
        is_real = torch.tensor([[False] * (length - len(row)) + [True] * len(row) for row in rows])
        device = self.checkpoint.model.device
        return ids.to(device), is_real.to(device)

    def _ids(self, text: str, counts: Sequence[int]) -> list[int]:
        """The prompt is read as one text; then each image token in it stands for N of them."""
        config, family = self.checkpoint.config, self.checkpoint.model.family
        laid_out = family.lay_out(text, counts)
        read = self.checkpoint.tokenizer.encode(laid_out, add_special_tokens=False).ids
        repeats = {config.image_token_id: config.tokens_per_image}
        return [token for token in read for _ in range(repeats.get(token, 1))]
