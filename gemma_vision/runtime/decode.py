"""Decode: a batch of answers growing by one token each, until every one has ended."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import torch
from tokenizers import Tokenizer
from torch import Tensor

from gemma_vision.model.vision_language_model import State, VisionLanguageModel
from gemma_vision.runtime.detokenizer import Detokenizer
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.grammar import Walker
from gemma_vision.runtime.json_grammar import JsonWalker
from gemma_vision.runtime.sampling import Positions, narrow, sample, score
from gemma_vision.runtime.thinking import ThoughtCounter, ThoughtMarks


@dataclass
class Row:
    """One answer under way; `place` is that of its prompt in the list given to the engine."""

    place: int
    prompt: Prompt
    detokenizer: Detokenizer
    generator: torch.Generator
    walker: Walker | JsonWalker | None
    thought: ThoughtCounter | None = None
    num_tokens: int = 0  # of the answer; a thought counts apart

    @property
    def allowed(self) -> Collection[int] | None:
        """The tokens that alone may come next; None allows every one."""
        ending = self.thought.allowed if self.thought else None
        return ending or (self.walker.allowed if self.walker else None)


@dataclass
class DecodeBatch:
    """Answers that are decoded together. Rows that have ended leave the batch."""

    model: VisionLanguageModel
    tokenizer: Tokenizer
    stop_ids: Collection[int]
    prompts: Sequence[Prompt]
    logits: Tensor  # (B, V) of the token to be picked next
    state: State
    timing: dict[str, float]
    token_texts: dict[int, str]  # what detokenizers of this tokenizer know
    thoughts: ThoughtMarks | None = None
    rows: list[Row] = field(default_factory=list)
    last: list[int] = field(default_factory=list)  # the token each row picked last

    def __post_init__(self) -> None:
        self.positions = Positions.of(self.tokenizer)
        marks = self.thoughts
        self.rows = [
            Row(
                place,
                prompt,
                Detokenizer(self.tokenizer, self.token_texts, marks.texts if marks else {}),
                torch.Generator().manual_seed(prompt.seed),
                self._walker(prompt),
                ThoughtCounter(marks, prompt.thinking) if marks else None,
            )
            for place, prompt in enumerate(self.prompts)
        ]

    @property
    def is_running(self) -> bool:
        return bool(self.rows)

    @torch.inference_mode()
    def advance(self) -> list[Chunk | None]:
        """One token more for every answer that has not ended; None for those that have."""
        start = time.perf_counter()
        if self.last:
            ids = torch.tensor(self.last, device=self.logits.device)
            self.logits = self.model.step(ids, self.state)
        tokens = sample(
            narrow(self.logits, [row.allowed for row in self.rows]),
            [row.prompt.temperature for row in self.rows],
            [row.generator for row in self.rows],
        )
        scores = score(self.logits, tokens, self.positions)
        self.timing["decode"] = self.timing.get("decode", 0.0) + time.perf_counter() - start
        return self._take(tokens, scores)

    def _walker(self, prompt: Prompt) -> Walker | JsonWalker | None:
        grammar = prompt.grammar
        return grammar.rules(self.tokenizer, self.stop_ids).start() if grammar else None

    def _take(self, tokens: list[int], scores: list[float]) -> list[Chunk | None]:
        chunks: list[Chunk | None] = [None] * len(self.prompts)
        going = []
        for i, (row, token, sure) in enumerate(zip(self.rows, tokens, scores, strict=True)):
            chunk = self._chunk(row, token, sure)
            chunks[row.place] = chunk
            if chunk.finish is None:
                going.append(i)
        self._keep(going, tokens)
        return chunks

    def _chunk(self, row: Row, token: int, sure: float) -> Chunk:
        timing = dict(self.timing)
        if token in self.stop_ids:
            return Chunk(row.detokenizer.rest(), finish="stop", timing=timing)
        is_thought = row.thought is not None and row.thought.advance(token)
        row.num_tokens += not is_thought
        if row.walker and not is_thought:
            row.walker.advance(token)
        text = row.detokenizer.add(token)
        if is_thought or row.num_tokens < row.prompt.max_tokens:
            return Chunk(text, (token,), (sure,), timing=timing)
        return Chunk(text + row.detokenizer.rest(), (token,), (sure,), "length", timing=timing)

    def _keep(self, going: list[int], tokens: list[int]) -> None:
        if going and len(going) < len(self.rows):
            self.state.select_rows(torch.tensor(going, device=self.logits.device))
        self.rows = [self.rows[i] for i in going]
        self.last = [tokens[i] for i in going]
