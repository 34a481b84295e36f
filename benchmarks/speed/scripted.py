"""Scripted answers: both sides do all the work of decoding, and then say what they are told to.

For models of random weights, which never write a record by themselves: with a script the cost of
five boxes can be compared at every size. Every product is computed; its winner is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers import LogitsProcessor

from gemma_vision.runtime.decode import DecodeBatch
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.row import Picks, Row


class ScriptedRow(Row):
    """A row that says the script, whatever the model would have said."""

    script: Sequence[int] = ()
    end: int = 1

    def take(self, picks: Picks, hidden: Tensor) -> int:
        """As `Row.take`, with the script's tokens instead of those that were picked."""
        first = self.num_tokens
        if self.is_verified and not picks.scores:
            first += len(self._unverified) + len(self.pending) - 1
        count = len(picks.tokens)
        said = list(self.script[first : first + count])
        return super().take(Picks(said + [self.end] * (count - len(said)), picks.scores), hidden)


class ScriptedBatch(DecodeBatch):
    """A batch of such rows. `script` are the tokens, `end` the one behind the last."""

    script: Sequence[int] = ()
    end: int = 1

    def make_row(self, prompt: Prompt) -> Row:
        """The answer to a prompt, which will be the script."""
        plain = super().make_row(prompt)
        row = ScriptedRow(
            prompt, plain.detokenizer, plain.rules, plain.stop_ids, plain.defers, plain.max_block
        )
        row.script, row.end = self.script, self.end
        return row


class ScriptedLogits(LogitsProcessor):  # type: ignore[misc]
    """The same of transformers: at each step the script's token is the likeliest."""

    def __init__(self, script: Sequence[int], end: int, num_prompt: int) -> None:
        self.script, self.end, self.num_prompt = script, end, num_prompt

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """(B, T), (B, V) -> (B, V)"""
        step = input_ids.shape[1] - self.num_prompt
        token = self.script[step] if step < len(self.script) else self.end
        scores[:, token] = scores.max() + 1
        return scores
