"""Replays: steps of fixed shapes, which a GPU is told once and repeats from then on.

A step of one row takes hundreds of operations, and on a GPU it is telling them that takes the time.
Recorded as CUDA graphs they are told as one. What a graph reads and writes stays where it is: each
keeps hold of its memory, and is dropped once the model's weights have moved. On a CPU the same path
is walked without recording, for the same tokens.

T new positions, C positions of room, K key heads, D head width, W decoder width.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor

from gemma_vision.model.attention import row_mask
from gemma_vision.model.config import FULL, SLIDING
from gemma_vision.model.decoder import GemmaDecoder
from gemma_vision.model.fused.decoder import FusedDecoder
from gemma_vision.model.kv_cache import KVCache
from gemma_vision.model.row_cache import RowCache
from gemma_vision.model.vision_language_model import VisionLanguageModel

BLOCKS = (1, 2, 4, 8, 16)  # new positions that are recorded; others are padded to the next
ROOMS = (512, 1024, 2048, 4096, 8192)  # positions of the caches that are recorded with
WARM_UP = 3  # runs before a recording, in which kernels are chosen and their memory taken


class Replay:
    """A function of tensors whose shapes stay; recorded at once where they are on a GPU."""

    def __init__(self, function: Callable[..., Tensor], examples: Sequence[Tensor]) -> None:
        self.function = function
        with torch.inference_mode(False):
            self.inputs = [example.clone() for example in examples]
        self.graph: torch.cuda.CUDAGraph | None = None
        if examples[0].device.type == "cuda":
            self._record()

    def __call__(self, *given: Tensor) -> Tensor:
        """What the function makes of these, in memory of its own."""
        for own, new in zip(self.inputs, given, strict=True):
            own.copy_(new)
        if self.graph is None:
            return self.function(*self.inputs).clone()
        self.graph.replay()
        return self.output.clone()

    def _record(self) -> None:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.function(*self.inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.output = self.function(*self.inputs)


class FixedCache(KVCache):
    """Keys and values of one row in memory that stays; the new ones go where `at` says."""

    def __init__(self, like: RowCache, room: int) -> None:
        super().__init__(room)
        with torch.inference_mode(False):
            for own, theirs in ((self.keys, like.keys), (self.values, like.values)):
                own += [one.new_zeros(1, one.shape[1], room, one.shape[3]) for one in theirs]
        self.at: Tensor | None = None  # (T,) of the new positions
        self._owner: RowCache | None = None

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Remember (1, K, T, D) new ones; all there is room for comes back, (1, K, C, D)."""
        assert self.at is not None
        keys, values = self.keys[layer], self.values[layer]
        keys.index_copy_(2, self.at, k)
        values.index_copy_(2, self.at, v)
        return keys, values

    def adopt(self, cache: RowCache) -> None:
        """Take over the one row of a cache, which is written here from now on.

        Whose row was here before takes a copy of it along.
        """
        if self.holds(cache):
            return
        before, length = self._owner, cache.lengths[0]
        if before is not None and self.holds(before):
            before.replace(*([one.clone() for one in own] for own in (self.keys, self.values)))
        for own, theirs in ((self.keys, cache.keys), (self.values, cache.values)):
            for here, there in zip(own, theirs, strict=True):
                here[:, :, :length] = there[:1, :, :length]
        cache.replace(list(self.keys), list(self.values))
        self._owner = cache

    def holds(self, cache: RowCache) -> bool:
        """Whether a cache's row is here."""
        return self._owner is cache and bool(cache.keys) and cache.keys[0] is self.keys[0]


class Replayer:
    """What `VisionLanguageModel` does in a step and with a picture, by replays."""

    def __init__(self, model: VisionLanguageModel) -> None:
        self.model = model
        self._caches: dict[int, FixedCache] = {}  # by their room
        self._replays: dict[Hashable, Replay] = {}
        self._held: list[object] = []  # tables that recordings read, which grow into others
        self._stamp: tuple[object, ...] = ()

    def step_rows(self, ids: Tensor, cache: RowCache) -> Tensor:
        """As the model's; one row goes the recorded way, several as ever."""
        count = next((block for block in BLOCKS if block >= ids.shape[1]), None)
        room = next((room for room in ROOMS if room >= cache.lengths[0] + (count or 0)), None)
        is_one = len(cache.lengths) == 1 and isinstance(self.model.text, GemmaDecoder)
        if not is_one or count is None or room is None:
            return self.model.step_rows(ids, cache)
        self._forget_what_moved()
        if room not in self._caches:
            self._caches[room] = FixedCache(cache, room)
        own = self._caches[room]
        own.adopt(cache)
        padded = torch.nn.functional.pad(ids, (0, count - ids.shape[1]))
        start = ids.new_full((1,), cache.lengths[0])
        replay = self._replay(
            ("step", count, room), lambda *given: self._step(own, *given), (padded, start)
        )
        return replay(padded, start)[:, : ids.shape[1]]

    def encode(self, pixels: Tensor) -> Tensor:
        """As the model's, for pictures of a square."""
        self._forget_what_moved()
        return self._replay(("tower", pixels.shape), self.model.encode, (pixels,))(pixels)

    def _step(self, cache: FixedCache, ids: Tensor, start: Tensor) -> Tensor:
        """(1, T), (1,) -> (1, T, W)"""
        model, window = self.model, self.model.config.text.window
        at = start + torch.arange(ids.shape[1], device=ids.device)
        cache.at, cache.length = at, cache.capacity - ids.shape[1]  # tables reach to its end
        masks = {FULL: row_mask(at[None], cache.capacity)}
        masks[SLIDING] = row_mask(at[None], cache.capacity, window=window)
        return model.read_words(ids, at[None], masks, cache)

    def _replay(
        self, key: Hashable, function: Callable[..., Tensor], examples: Sequence[Tensor]
    ) -> Replay:
        if key not in self._replays:
            self._replays[key] = Replay(function, examples)
            fused = self.model.text.fused_path
            if isinstance(fused, FusedDecoder):
                self._held.append(tuple(fused.tables.values()))
        return self._replays[key]

    def _forget_what_moved(self) -> None:
        """Recordings of weights that are elsewhere now are no good."""
        head = self.model.head
        stamp = (self.model.text.fused_path, head.data_ptr(), head.dtype)
        if stamp != self._stamp:
            self._replays.clear()
            self._caches.clear()
            self._held.clear()
            self._stamp = stamp
