"""Choices: an answer that is one of several words, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tokenizers import Tokenizer

from gemma_vision.runtime.grammar import GrammarError


@dataclass(frozen=True)
class ChoiceGrammar:
    """The language of a few words that are one token each. The first token's score is the word's
    share among them.
    """

    words: tuple[str, ...]

    def rules(self, tokenizer: Tokenizer, stop_ids: Collection[int]) -> ChoiceRules:
        """The words as ids; GrammarError where the tokenizer has no token for one of them."""
        ids: list[int] = []
        for word in self.words:
            index = tokenizer.token_to_id(word)
            if index is None:
                message = f"The tokenizer has no token {word!r}; take the checkpoint's own."
                raise GrammarError(message)
            ids.append(index)
        return ChoiceRules(tuple(ids), tuple(stop_ids))


@dataclass(frozen=True)
class ChoiceRules:
    """The words in ids. `start` gives a walker for each answer."""

    ids: tuple[int, ...]
    stop_ids: tuple[int, ...]

    def start(self) -> ChoiceWalker:
        """A walker before the word."""
        return ChoiceWalker(self)


class ChoiceWalker:
    """Follows one answer: a word, and the end."""

    def __init__(self, rules: ChoiceRules) -> None:
        self.allowed: Collection[int] = rules.ids
        self._stop_ids = rules.stop_ids

    def advance(self, token: int) -> None:
        """Behind the word comes the end."""
        self.allowed = self._stop_ids
