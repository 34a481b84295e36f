"""Row: one answer under way, and what it asks of the model at each step.

m positions that are read at once, W width, V vocabulary.

A row feeds tokens (`pending`): the newest one, and behind it those that are certain or likely to
come. Under a grammar alone (strict) each place is decided among what may come there. Verified
(exact) the same shortcuts are taken and then checked: a token is part of the answer only when the
whole vocabulary would have said it too, so that the answer is the one of plain greedy decoding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gemma_vision.runtime.choices import ChoiceWalker
from gemma_vision.runtime.detokenizer import Detokenizer
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.grammar import Node, Rules
from gemma_vision.runtime.json_grammar import JsonWalker
from gemma_vision.runtime.thinking import ThoughtCounter

MAX_BLOCK = 16  # tokens of one row that are fed at once


@dataclass
class Query:
    """Hidden states (m, W) whose next tokens a row wants to know.

    among: the tokens that come into question, for each state; None is every one. A run is shared by
    all states. is_scored: whether it is asked how sure the model is.
    """

    hidden: Tensor
    among: Sequence[Sequence[int] | None] | range
    is_scored: bool = True


@dataclass
class Picks:
    """What came of a query: a token for each state, and how sure the model was of it."""

    tokens: list[int]
    scores: list[float]


@dataclass(eq=False)
class Row:
    """One answer. `timing` is what is told of it; `outbox` what nobody has taken yet.

    defers: numbers inside a record are picked among their own kind and verified at its end, all at
    once. That is for large vocabularies; in a small one the whole costs no more than a part.
    max_block: tokens that are fed at once. walker: keeps a free answer to a list in JSON, or to a
    word. thought: counts what the model thinks before it answers.
    """

    prompt: Prompt
    detokenizer: Detokenizer
    rules: Rules | None
    stop_ids: Collection[int]
    defers: bool = False
    max_block: int = MAX_BLOCK
    timing: dict[str, float] = field(default_factory=dict)
    outbox: deque[Chunk] = field(default_factory=deque)
    pending: list[int] = field(default_factory=list)
    finish: str | None = None
    error: BaseException | None = None
    num_tokens: int = 0  # of the answer; a thought counts apart
    walker: JsonWalker | ChoiceWalker | None = None
    thought: ThoughtCounter | None = None

    def __post_init__(self) -> None:
        self.generator = torch.Generator().manual_seed(self.prompt.seed)
        self.is_verified = self.rules is not None and self.prompt.is_verified
        self._node = self.rules.start if self.rules else None  # behind what is accepted
        self._places: list[Node | None] = []  # behind each pending token
        self._name = 0  # the name that likely comes next
        self._unverified: list[tuple[Tensor, int]] = []  # a state and the token taken from it

    def first_query(self, hidden: Tensor) -> Query:
        """What is asked of the prompt's last state, (1, W)."""
        self._places = [self._node]
        return self._whole(hidden) if self._is_free or self.is_verified else self._strict(hidden)

    def query(self, hidden: Tensor) -> Query:
        """What is asked of the states of the pending tokens, (m, W)."""
        if self._is_free:
            return self._whole(hidden)
        if not self.is_verified:
            return self._strict(hidden)
        place = self._places[-1]
        if self.defers and place is not None and place.is_run:
            return Query(hidden[-1:], place.run, is_scored=False)
        if self._unverified:
            hidden = torch.cat([*(state for state, _ in self._unverified), hidden])
        return Query(hidden, [None] * len(hidden))

    def take(self, picks: Picks, hidden: Tensor) -> int:
        """Go on with what the model said. How many of the fed positions are to be forgotten."""
        if self.is_verified and not picks.scores:  # among numbers, to be verified later
            (token,) = picks.tokens
            expected = [*self.pending[1:], token]
            states = [hidden[i : i + 1] for i in range(len(hidden))]
            self._unverified += zip(states, expected, strict=True)
            place = self._places[-1]
            self._feed(token, place and place.follow(token))
            return 0
        if self.is_verified or self._is_free:
            expected = [token for _, token in self._unverified] + self.pending[1:]
            self._unverified = []
            return self._accept_while_alike(expected, picks)
        return self._accept_allowed(picks)

    def fail(self, error: BaseException) -> None:
        """The answer cannot go on."""
        self.error, self.finish = error, "error"

    @property
    def _is_free(self) -> bool:
        return self.rules is None

    def _whole(self, hidden: Tensor) -> Query:
        ending = self.thought.allowed if self.thought else None
        allowed = ending or (self.walker.allowed if self.walker else None)
        return Query(hidden[-1:], [None if allowed is None else tuple(allowed)])

    def _strict(self, hidden: Tensor) -> Query:
        assert self.rules is not None
        among: list[Sequence[int] | None] = []
        budget = self.prompt.max_tokens - self.num_tokens
        for offset, place in enumerate(self._places):
            assert place is not None, "strict answers stay within the grammar"
            among.append(self.rules.options(place, budget - offset))
        return Query(hidden, among)

    def _accept_while_alike(self, expected: list[int], picks: Picks) -> int:
        """Take the picks up to the first that is not as expected, that one included."""
        count = 0
        while count < len(expected) and picks.tokens[count] == expected[count]:
            count += 1
        self._accept(picks.tokens[: count + 1], picks.scores[: count + 1])
        return len(expected) - count

    def _accept_allowed(self, picks: Picks) -> int:
        """The same of an answer that keeps to its grammar and ends before its room does."""
        assert self.rules is not None
        expected, count = self.pending[1:], 0
        budget = self.prompt.max_tokens - self.num_tokens
        for place, token in zip(self._places, picks.tokens, strict=True):
            assert place is not None
            then = place.follow(token)
            if then is not None and not self.rules.fits(then, budget - count):
                self._accept(picks.tokens[:count], picks.scores[:count], "length")
                return len(expected) - count
            count += 1
            if count > len(expected) or token != expected[count - 1]:
                break
        self._accept(picks.tokens[:count], picks.scores[:count])
        return len(expected) - count + 1

    def _accept(
        self, tokens: Sequence[int], scores: Sequence[float], finish: str | None = None
    ) -> None:
        pieces: list[str] = []
        for token in tokens:
            if token in self.stop_ids:
                finish = "stop"
                break
            pieces.append(self.detokenizer.add(token))
            is_thought = self.thought is not None and self.thought.advance(token)
            if self.walker and not is_thought:
                self.walker.advance(token)
            self._move(token)
            self.num_tokens += not is_thought
            if not is_thought and self.num_tokens == self.prompt.max_tokens:
                finish = "length"
                break
        count, self.finish = len(pieces), finish
        lengths = tuple(map(len, pieces)) if count > 1 else ()
        text = "".join(pieces)
        if finish:
            text += self.detokenizer.rest()
            lengths = (*lengths[:-1], lengths[-1] + len(text) - sum(lengths)) if lengths else ()
        ids = tuple(tokens[:count])
        chunk = Chunk(text, ids, tuple(scores[:count]), finish, lengths, dict(self.timing))
        self.outbox.append(chunk)
        if not finish:
            self._feed(tokens[-1], self._node)

    def _move(self, token: int) -> None:
        """Go one accepted token on; behind what no grammar has, the next position begins anew."""
        if self.rules is None:
            return
        self._node = self._node.follow(token) if self._node else None
        if self._node is None and token in self.rules.positions:
            self._node = self.rules.start.then
        if self._node is not None and self._node.name >= 0:
            self._name = self._node.name + 1

    def _feed(self, token: int, place: Node | None) -> None:
        """Let the model read a token next, and what is certain or likely to follow it."""
        self.pending, self._places = [token], [place]
        if self.rules is None:
            return
        room = min(self.max_block, self.prompt.max_tokens - self.num_tokens) - 1
        for draft in self.rules.draft(place, self._name, room):
            place = place and place.follow(draft)
            self.pending.append(draft)
            self._places.append(place)
