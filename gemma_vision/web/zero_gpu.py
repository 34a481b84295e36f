"""ZeroGPU: an engine whose steps are made while a GPU is lent to the visitor.

On such a Space there is a GPU only inside a function that `spaces.GPU` wraps. It runs in a forked
process: prompts and chunks travel by pickle, tensors stay there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gemma_vision.runtime.engine import Chunk, Engine, Prompt
from gemma_vision.weights.memory import weigh

Steps = Iterator[list[Chunk | None]]

START_SECONDS = 15.0  # the model moves to the GPU, the pictures are looked at
TOKEN_SECONDS = 0.06  # of a model of 3 billion parameters, with room to spare
LONGEST = 120.0
WHOLE_GPU = "xlarge"  # half of one where nothing is said
LARGE = 40 * 10**9  # bytes of weights that leave half a GPU too little for an answer


def needs_whole_gpu(card: Mapping[str, Any]) -> bool:
    """Whether a checkpoint is too large for half a GPU.   27 billion in bfloat16 -> True"""
    return weigh(card.get("parameters") or 0, "cuda", card.get("dtype")) > LARGE


class LentEngine:
    """An engine behind a wrapper such as `spaces.GPU(duration=...)`."""

    def __init__(self, engine: Engine, lend: Callable[..., Any], *, is_large: bool = False) -> None:
        """is_large: the whole GPU is asked for, which costs a visitor's share twice as much."""
        self.name = engine.name
        self._engine = engine

        def steps(prompts: Sequence[Prompt]) -> Steps:
            yield from engine.stream(prompts)  # `engine` is in the fork already

        self._steps: Callable[[Sequence[Prompt]], Steps] = lend(
            duration=seconds, **({"size": WHOLE_GPU} if is_large else {})
        )(steps)

    def ready(self) -> bool:
        """As the engine says."""
        return self._engine.ready()

    def stream(self, prompts: Sequence[Prompt]) -> Steps:
        """As the engine's; the GPU is there until the iterator ends or is closed."""
        return self._steps(list(prompts))


def seconds(prompts: Sequence[Prompt]) -> float:
    """How long the GPU is asked for. A visitor's daily share is charged by it, so not for long."""
    wanted = max((prompt.max_tokens for prompt in prompts), default=0)
    return min(LONGEST, START_SECONDS + wanted * TOKEN_SECONDS)
