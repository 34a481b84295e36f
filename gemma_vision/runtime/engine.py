"""Engine: the seam between a pipeline and what runs the model. Pictures and text, no tensors.

The local engine, a served deployment, a remote machine and the scripted engine of the tests all
stand behind `Engine` unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from PIL.Image import Image

from gemma_vision.errors import CheckpointError
from gemma_vision.images.pan_and_scan import Box, crop_boxes

if TYPE_CHECKING:
    from gemma_vision.runtime.choices import ChoiceGrammar
    from gemma_vision.runtime.grammar import Grammar
    from gemma_vision.runtime.json_grammar import JsonGrammar


@dataclass(frozen=True)
class Prompt:
    """What the model is given: upright RGB pictures and the text that follows them.

    `text` is what the family's `write_prompt` wrote ("detect cat ; dog"): no image placeholders,
    no <bos>, no closing newline; the engine adds those once, as the family says. `grammar` is the
    language of the answer; `is_verified` makes it a guide alone, by which the same tokens are found
    sooner that greedy decoding would have given without it.
    """

    images: tuple[Image, ...]
    text: str
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    grammar: Grammar | JsonGrammar | ChoiceGrammar | None = None
    is_verified: bool = False
    pan_and_scan: bool = False  # let the engine add crops of long pictures, where the family can
    budget: int | None = None  # soft tokens of a picture, where the family lets one choose
    thinking: int = 0  # tokens of a thought, where the family thinks; max_tokens are beside them
    is_passing: bool = False  # of pictures that do not come again: nothing of them is kept

    @property
    def crops(self) -> tuple[tuple[Box, ...], ...]:
        """For each picture the rectangles that are looked at besides the whole, in pixels."""
        return tuple(
            tuple(crop_boxes(image.size)) if self.pan_and_scan else () for image in self.images
        )


@dataclass(frozen=True)
class Chunk:
    """What one step added to one answer.

    `text` may be empty while the bytes of a character are incomplete. The chunk that brings a
    <loc> token ends its text with that token. The end mark is in neither `text` nor `token_ids`.
    `scores` has one number in 0..1 per token: for a <loc> the softmax over the 1024 position
    tokens summed over the ten bins on either side of it, for any other token its probability.
    A chunk of several tokens says in `lengths` how many characters of `text` each of them wrote.
    `finish` is "stop" or "length" in the last chunk of an answer and None before.
    `timing` may hold seconds for "encode", "prefill" and "decode"; a later chunk's value wins.
    """

    text: str
    token_ids: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    finish: str | None = None
    lengths: tuple[int, ...] = ()
    timing: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class Engine(Protocol):
    """Runs prompts. Closing the iterator that `stream` returned cancels the work."""

    name: str

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """One list per step, one place per prompt; None where a prompt has nothing new."""
        ...

    def ready(self) -> bool:
        """Whether a prompt would be run now, without loading anything first."""
        ...


def close(steps: Iterator[Any]) -> None:
    """Tell a stream that no more of it is wanted; iterators without `close` are let go."""
    getattr(steps, "close", lambda: None)()


class UnavailableEngine:
    """Stands where an engine was given up, so that its memory is free for another."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.why = why

    def ready(self) -> bool:
        """Nothing is loaded."""
        return False

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """Refused in words: CheckpointError."""
        raise CheckpointError(f"{self.why}; ask again in a moment.", "E_LOADING")
