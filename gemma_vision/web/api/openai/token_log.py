"""Token log: an engine that runs another and keeps what each token wrote, and how sure it was."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

from gemma_vision.answers.answer_reader import scored_pieces
from gemma_vision.pipeline import Pipeline
from gemma_vision.runtime.engine import Chunk, Engine, Prompt

Piece = tuple[str, float | None]  # what a token wrote, and its score where that can be told


class TokenLog:
    """The engine of one request, which has one prompt; `pieces` grows while it is decoded."""

    def __init__(self, engine: Engine) -> None:
        self.name = engine.name
        self.pieces: list[Piece] = []
        self.num_tokens = 0
        self._engine = engine
        self._prompts: list[Prompt] = []

    def ready(self) -> bool:
        """Whether the engine behind it is."""
        return self._engine.ready()

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """As the engine's own."""
        self._prompts += prompts
        steps = self._engine.stream(prompts)
        try:
            for chunks in steps:
                for chunk in chunks:
                    if chunk is not None:
                        self.num_tokens += len(chunk.token_ids)
                        self.pieces += [piece for piece in scored_pieces(chunk) if piece[0]]
                yield chunks
        finally:
            getattr(steps, "close", lambda: None)()

    def count_prompt(self) -> int:
        """How many tokens the prompt had; 0 where the engine does not tell."""
        ids = getattr(self._engine, "ids", None)
        return 0 if ids is None else sum(len(ids(prompt)) for prompt in self._prompts)


def logged(pipeline: Pipeline) -> tuple[Pipeline, TokenLog]:
    """The pipeline as it is now, for one request, and the log of what its engine writes."""
    own = copy.copy(pipeline)
    log = TokenLog(pipeline.engine)
    own.engine = log
    return own, log
