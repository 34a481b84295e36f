"""Prefill: prompts taken in, up to the logits of each answer's first token.

Looks at pictures, lays out and tokenises texts, pads rows on the left and runs the prefill. Where
a family's words look back only, what was read up to the last picture is kept for the next question
on it. B rows, T positions, V vocabulary.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import chain

import torch
from PIL.Image import Image
from torch import Tensor

from gemma_vision.images.pan_and_scan import Box
from gemma_vision.model.state import State
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.image_encoder import EncoderInput, ImageEncoder
from gemma_vision.runtime.lru_cache import LruCache
from gemma_vision.weights.checkpoint import Checkpoint

ROOM = 256  # tokens that the key-value cache is made for at first; it grows


class Prefiller:
    """Reads prompts with one checkpoint.

    cache keeps soft tokens by picture, prefixes what the decoder knew after the last picture.
    """

    def __init__(
        self, checkpoint: Checkpoint, cache: LruCache[Tensor], prefixes: LruCache[State]
    ) -> None:
        self.checkpoint = checkpoint
        self.model = checkpoint.model
        self.image_encoder = ImageEncoder(checkpoint.model, checkpoint.name, cache)
        self.prefixes = prefixes

    def prefill(self, prompts: Sequence[Prompt]) -> tuple[Tensor, State, dict[str, float]]:
        """Logits (B, V), what to go on from, and the seconds of "encode" and "prefill"."""
        start = time.perf_counter()
        seen = self._views_of(prompts)
        rows = [
            self._ids(prompt.text, [[view.num_tokens for view in views] for views in row])
            for prompt, row in zip(prompts, seen, strict=True)
        ]
        groups = [[view for views in row for view in views] for row in seen]
        room = min(ROOM, max(prompt.max_tokens for prompt in prompts))
        if len(rows) == 1 and groups[0] and self.model.architecture.has_reusable_prefix:
            return self._resume(rows[0], groups[0], room, start)
        soft = self.image_encoder.encode(groups)
        encoded = time.perf_counter()
        ids, is_real = self._pad(rows)
        logits, state = self.model.prefill(ids, is_real, soft, room=room)
        return logits, state, timing(start, encoded)

    def ids(self, prompt: Prompt) -> list[int]:
        """The token ids of one prompt, with those that stand for its pictures."""
        views = self.views(prompt)
        return self._ids(prompt.text, [[view.num_tokens for view in one] for one in views])

    def _resume(
        self, row: list[int], group: Sequence[EncoderInput], room: int, start: float
    ) -> tuple[Tensor, State, dict[str, float]]:
        """As `prefill`, for one row: only what follows its last picture is read anew."""
        image = self.model.config.image_token_id
        cut = len(row) - row[::-1].index(image)  # behind the last picture
        key = (tuple(row[:cut]), *(view.key for view in group))
        is_passing = any(view.is_passing for view in group)
        kept = None if is_passing else self.prefixes.get(key)
        encoded = time.perf_counter()
        if kept is None:
            soft = self.image_encoder.encode([group])
            encoded = time.perf_counter()
            ids, is_real = self._pad([row[:cut]])
            _, kept = self.model.prefill(ids, is_real, soft)
            if not is_passing:
                self.prefixes.put(key, kept)
        state = kept.copy(room=len(row) - cut + room)
        rest = torch.tensor([row[cut:]], device=self.model.device)
        return self.model.extend(rest, state), state, timing(start, encoded)

    def _crops(self, prompt: Prompt) -> Sequence[Sequence[Box]]:
        """For each picture the rectangles looked at besides the whole, if the family can."""
        has_crops = self.checkpoint.family.has_pan_and_scan
        return prompt.crops if has_crops else [()] * len(prompt.images)

    def views(self, prompt: Prompt) -> list[list[EncoderInput]]:
        """Every picture as the model sees it, each followed by its crops."""

        def prepare(image: Image) -> EncoderInput:
            view = self.image_encoder.prepare(image, prompt.budget)
            return replace(view, is_passing=True) if prompt.is_passing else view

        return [
            [prepare(image), *(prepare(image.crop(box)) for box in crops)]
            for image, crops in zip(prompt.images, self._crops(prompt), strict=True)
        ]

    def _views_of(self, prompts: Sequence[Prompt]) -> list[list[list[EncoderInput]]]:
        """The views of each; pictures that several prompts share are made ready once."""
        ready: dict[Hashable, list[list[EncoderInput]]] = {}
        keys = [
            (*map(id, one.images), one.budget, one.pan_and_scan, one.is_passing) for one in prompts
        ]
        for key, prompt in zip(keys, prompts, strict=True):
            if key not in ready:
                ready[key] = self.views(prompt)
        return [ready[key] for key in keys]

    def _ids(self, text: str, num_tokens: Sequence[Sequence[int]]) -> list[int]:
        """The prompt is read as one text; then each image token in it stands for those of a view.

        num_tokens: for each picture how many soft tokens each of its views becomes.
        """
        laid_out = self.checkpoint.family.lay_out(text, [len(views) for views in num_tokens])
        read = self.checkpoint.tokenizer.encode(laid_out, add_special_tokens=False).ids
        image, counts = self.model.config.image_token_id, chain.from_iterable(num_tokens)
        repeats = (next(counts, 1) if token == image else 1 for token in read)
        return [token for token, count in zip(read, repeats, strict=True) for _ in range(count)]

    def _pad(self, rows: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        """Rows of one length, padded on the left.   -> (B, T) and (B, T) bool, True where real"""
        length = max(map(len, rows))
        ids = torch.tensor([[0] * (length - len(row)) + row for row in rows])
        is_real = torch.tensor([[False] * (length - len(row)) + [True] * len(row) for row in rows])
        return ids.to(self.model.device), is_real.to(self.model.device)


def timing(start: float, encoded: float) -> dict[str, float]:
    """Seconds since the start, up to the soft tokens and from there on."""
    return {"encode": encoded - start, "prefill": time.perf_counter() - encoded}
