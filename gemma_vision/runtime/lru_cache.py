"""LRU cache: what was worked out lately and may be wanted again, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Anything that says how many bytes it holds; tensors do."""

    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class LruCache(Generic[Value]):
    """Values by what they were made from; the ones longest unused go first."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def num_bytes(self) -> int:
        """What is held now."""
        return sum(value.nbytes for value in list(self._kept.values()))

    def get(self, key: Hashable) -> Value | None:
        """The value kept under a key, counted as a hit or a miss."""
        value = self._kept.get(key)
        if value is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return value

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value; others are forgotten until all fit, itself last."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        while self._kept and self.num_bytes > self.max_bytes:
            self._kept.popitem(last=False)

    def counts(self) -> dict[str, int]:
        """How many values are "kept", in how many "bytes" of at most "limit"; "hits", "misses"."""
        held = {"kept": len(self), "bytes": self.num_bytes, "limit": self.max_bytes}
        return held | {"hits": self.hits, "misses": self.misses}

    def clear(self) -> None:
        """Forget every value; the counts go on."""
        self._kept.clear()
