"""Decode: answers growing together, a step at a time. B rows, T tokens fed to each, V vocabulary.

Rows join between two steps, after their prompts are read, and leave when they have ended. A row's
answer does not hang on its neighbours.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from gemma_vision.model.row_cache import RowCache
from gemma_vision.model.state import State
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.runtime.choices import ChoiceRules
from gemma_vision.runtime.detokenizer import Detokenizer
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import GrammarError, Rules
from gemma_vision.runtime.json_grammar import JsonGrammar, JsonRules
from gemma_vision.runtime.replays import Replayer
from gemma_vision.runtime.row import MAX_BLOCK, Picks, Query, Row
from gemma_vision.runtime.sampling import Positions, sample, score
from gemma_vision.runtime.thinking import ThoughtCounter, ThoughtMarks

SMALL_VOCABULARY = 8192  # words up to which all of them cost no more than a part
LARGEST_HEAD = 64  # states that are compared with every word at once
MOST_KEPT = 64  # grammars and lists of choices that are held ready
CERTAIN = "certain"  # the group of states with one token alone to come
UNREAD: Any = object()  # of a grammar that is not held ready

Choices = Sequence[int] | None  # the tokens that come into question; None is every one


@dataclass
class DecodeBatch:
    """Rows that are decoded together. `logits` are the newest (M, V) that tokens came from.

    is_watched: a token at a time, out of every word, so that somebody can look at its logits.
    """

    model: VisionLanguageModel
    tokenizer: Tokenizer
    stop_ids: Collection[int]
    token_texts: dict[int, tuple[str, str]]  # what detokenizers of this tokenizer know
    rows: list[Row] = field(default_factory=list)
    cache: RowCache = field(default_factory=RowCache)
    logits: Tensor | None = None
    thoughts: ThoughtMarks | None = None
    is_watched: bool = False
    replayer: Replayer | None = None

    def __post_init__(self) -> None:
        self.positions = Positions.of(self.tokenizer)
        self.is_small = self.is_watched or self.model.head.shape[0] <= SMALL_VOCABULARY
        self._rules: dict[object, Rules | JsonRules | ChoiceRules | None] = {}
        self._biases: dict[int, tuple[Sequence[int], Tensor]] = {}

    @property
    def is_running(self) -> bool:
        return bool(self.rows)

    def make_row(self, prompt: Prompt) -> Row:
        """The answer to a prompt before its first token."""
        marks = self.thoughts
        detokenizer = Detokenizer(self.tokenizer, self.token_texts, marks.texts if marks else None)
        is_drawn = prompt.is_verified and prompt.temperature > 0  # every token is a free choice
        found = self._rules_of(prompt) if prompt.grammar and not is_drawn else None
        rules = found if isinstance(found, Rules) else None
        max_block = 1 if self.is_watched else MAX_BLOCK
        row = Row(prompt, detokenizer, rules, self.stop_ids, not self.is_small, max_block)
        row.walker = found.start() if isinstance(found, JsonRules | ChoiceRules) else None
        row.thought = ThoughtCounter(marks, prompt.thinking) if marks else None
        return row

    @torch.inference_mode()
    def join(self, rows: Sequence[Row], logits: Tensor, state: State) -> None:
        """Rows whose prompts have been read: (B, V) of their first tokens, and what was kept."""
        paddings = [0] * len(rows)
        if state.is_real is not None:
            paddings = (~state.is_real).sum(-1).tolist()
        start = time.perf_counter()
        self.cache.add_rows(state.cache, paddings)
        self.rows += rows
        queries = [row.first_query(one[None]) for row, one in zip(rows, logits, strict=True)]
        among: list[Choices] = [query.among[0] for query in queries]  # type: ignore[misc]
        picks = self._pick(logits, among, rows)
        count_time(rows, start)
        for row, token, sure in zip(rows, picks.tokens, picks.scores, strict=True):
            row.pending = row.pending or [-1]  # the prompt's last token, which is fed already
            row.take(Picks([token], [sure]), logits)
        self._drop(row for row in rows if row.finish)

    @torch.inference_mode()
    def advance(self) -> None:
        """One step: every row gets a token or several, or ends."""
        start = time.perf_counter()
        rows, width = list(self.rows), max(len(row.pending) for row in self.rows)
        fed = [row.pending + [0] * (width - len(row.pending)) for row in rows]
        ids = torch.tensor(fed, device=self.model.device)
        step = self.model.step_rows if self.replayer is None else self.replayer.step_rows
        states = step(ids, self.cache)
        hidden = [states[i, : len(row.pending)] for i, row in enumerate(rows)]
        queries = [row.query(one) for row, one in zip(rows, hidden, strict=True)]
        picks = self._answer(rows, queries)
        count_time(rows, start)
        for i, row in enumerate(rows):
            num_fed = len(row.pending)
            self.cache.lengths[i] += num_fed - row.take(picks[i], hidden[i])
        self._drop(row for row in rows if row.finish)

    @torch.inference_mode()
    def leave(self, rows: Iterable[Row]) -> None:
        """Answers that nobody wants any more."""
        self._drop(rows)

    def _drop(self, rows: Iterable[Row]) -> None:
        places = sorted((self.rows.index(row) for row in rows), reverse=True)
        if not places:
            return
        self.cache.drop_rows(places)
        for place in places:  # as the cache does: the last takes the place of each
            self.rows[place] = self.rows[-1]
            self.rows.pop()

    def _rules_of(self, prompt: Prompt) -> Rules | JsonRules | ChoiceRules | None:
        """The prompt's grammar in ids; None where it guides alone and there is nothing to guide."""
        grammar = prompt.grammar
        assert grammar is not None
        if prompt.is_verified and isinstance(grammar, JsonGrammar):
            return None  # its places are worked out as it goes: nothing is found sooner by it
        key = (grammar, prompt.is_verified, tuple(self.stop_ids))
        rules: Rules | JsonRules | ChoiceRules | None
        rules = self._rules.get(key, UNREAD)  # callers come in threads of their own
        if rules is UNREAD:
            if len(self._rules) >= MOST_KEPT:
                self._rules.clear()
            try:
                rules = grammar.rules(self.tokenizer, tuple(self.stop_ids))
            except GrammarError:
                if not prompt.is_verified:
                    raise
                rules = None
            self._rules[key] = rules
        return rules

    def _answer(self, rows: Sequence[Row], queries: Sequence[Query]) -> list[Picks]:
        """The picks of every query. States that are compared with the same words go together."""
        if len(queries) == 1 and len(queries[0].hidden) == 1:
            return [self._answer_one(queries[0], rows)]
        picks = [Picks([], []) for _ in queries]
        groups: dict[object, list[tuple[int, int, Choices]]] = defaultdict(list)
        for i, query in enumerate(queries):
            for j in range(len(query.hidden)):
                among = query.among if isinstance(query.among, range) else query.among[j]
                groups[self._group(among)].append((i, j, among))
        found: dict[tuple[int, int], tuple[int, float]] = {}
        for key, entries in groups.items():
            if key == CERTAIN:
                found |= {(i, j): (among[0], 1.0) for i, j, among in entries if among}
                continue
            for start in range(0, len(entries), LARGEST_HEAD):
                part = entries[start : start + LARGEST_HEAD]
                hidden = [queries[i].hidden[j : j + 1] for i, j, _ in part]
                one = self._compare(
                    hidden[0] if len(hidden) == 1 else torch.cat(hidden),
                    [choices for *_, choices in part],
                    [rows[i] for i, *_ in part],
                    is_scored=any(queries[i].is_scored for i, *_ in part),
                )
                for (i, j, _), token, sure in zip(part, one.tokens, one.scores, strict=True):
                    found[i, j] = (token, sure)
        for i, query in enumerate(queries):
            pairs = [found[i, j] for j in range(len(query.hidden))]
            picks[i].tokens = [token for token, _ in pairs]
            picks[i].scores = [sure for _, sure in pairs] if query.is_scored else []
        return picks

    def _answer_one(self, query: Query, rows: Sequence[Row]) -> Picks:
        """As `_answer` of one state of one row."""
        among = query.among if isinstance(query.among, range) else query.among[0]
        if among is not None and self._group(among) == CERTAIN:
            return Picks([among[0]], [1.0] if query.is_scored else [])
        picks = self._compare(query.hidden, [among], rows, is_scored=query.is_scored)
        return picks if query.is_scored else Picks(picks.tokens, [])

    def _group(self, among: Choices) -> object:
        """States of one group are compared with the same words."""
        if isinstance(among, range):
            return among
        if among is None or (self.is_small and len(among) > 1):
            return None
        return CERTAIN if len(among) == 1 else id(among)

    def _compare(
        self, hidden: Tensor, among: Sequence[Choices], rows: Sequence[Row], *, is_scored: bool
    ) -> Picks:
        """Hidden states (M, W) of one group to tokens."""
        choices = among[0]
        if self._group(choices) is None:
            self.logits = self.model.logits(hidden)
            return self._pick(self.logits, among, rows)
        assert choices is not None
        if isinstance(choices, range):
            logits, first = self.model.logits(hidden, choices), choices.start
            is_place = self.positions is not None and self.positions.first == first
            places = Positions(0) if is_place else None
        else:
            ids = torch.tensor(choices, device=hidden.device)
            logits, places = self.model.logits(hidden, ids), None
        at = draw(logits, rows)
        scores = score(logits, at, places) if is_scored else [0.0] * len(at)
        return Picks([choices[place] for place in at], scores)

    def _pick(self, logits: Tensor, among: Sequence[Choices], rows: Sequence[Row]) -> Picks:
        """(M, V) over every word to tokens, each out of those that come into question."""
        self.logits = logits
        if any(choices is not None for choices in among):
            logits = logits + torch.stack([self._bias(choices, logits) for choices in among])
        tokens = draw(logits, rows)
        return Picks(tokens, score(logits, tokens, self.positions))

    def _bias(self, choices: Choices, like: Tensor) -> Tensor:
        """(V,), 0 for what comes into question and minus infinity for all else"""
        key = id(choices)
        if key not in self._biases or self._biases[key][0] is not choices:
            bias = torch.zeros_like(like[0])
            if choices is not None:
                bias.fill_(-torch.inf)[torch.tensor(choices, device=like.device)] = 0.0
            if len(self._biases) >= MOST_KEPT:
                self._biases.clear()
            self._biases[key] = (choices or (), bias) if choices is None else (choices, bias)
        return self._biases[key][1]


def draw(logits: Tensor, rows: Sequence[Row]) -> list[int]:
    """(M, V) -> M ids, each as its row's temperature and seed say"""
    temperatures = [row.prompt.temperature for row in rows]
    return sample(logits, temperatures, [row.generator for row in rows])


def count_time(rows: Sequence[Row], start: float) -> None:
    """What has passed counts as decoding of each of these rows."""
    passed = time.perf_counter() - start
    for row in rows:
        row.timing["decode"] = row.timing.get("decode", 0.0) + passed
