"""Grammar: which tokens may come next, so that any model writes well-formed records.

    answer  =  nothing  |  record  |  record " ; " answer
    record  =  four positions, then the codes where asked for (16, a space before them), then
               a space and one of the names

Off by default: it changes what a model says wherever the model would have said something else.
Knows nothing of models; a tokenizer turns it into ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tokenizers import Tokenizer

from postprocess.tokens import CODES_PER_MASK, NUM_BINS, NUM_CODES, NUM_POSITIONS


@dataclass(frozen=True)
class Grammar:
    """Records of the given names, with a mask each or without.

    box: four bins that the one record there is to be begins with.
    """

    names: tuple[str, ...]
    has_masks: bool = False
    box: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.names or not all(name.strip() for name in self.names):
            raise ValueError("A grammar needs names, each with at least one letter.")

    def rules(self, tokenizer: Tokenizer, stop_ids: Collection[int]) -> Rules:
        """The grammar in the ids of a tokenizer; ValueError where it has no position tokens."""
        root = Node()
        for name in self.names:
            if not self.box:
                root.add(spell(tokenizer, f" {name} ; "), Then.record)
            root.add(spell(tokenizer, f" {name}"), Then.end)
        return Rules(
            positions=run_of(tokenizer, "<loc{:04d}>", NUM_BINS),
            codes=run_of(tokenizer, "<seg{:03d}>", NUM_CODES) if self.has_masks else range(0),
            space=spell(tokenizer, " ") if self.has_masks else [],
            label=root,
            stop_ids=tuple(stop_ids),
            box=self.box,
        )


class Then:
    """What a label that is complete leads to."""

    record = "record"  # its separator is written: another record has to come
    end = "end"  # the answer may end


@dataclass
class Node:
    """A point in the spelling of a label: the ids that go on, and what may follow here."""

    next: dict[int, Node] = field(default_factory=dict)
    then: str = ""

    def add(self, ids: Iterable[int], then: str) -> None:
        """One more spelling from here."""
        node = self
        for token in ids:
            node = node.next.setdefault(token, Node())
        node.then = then


@dataclass(frozen=True)
class Rules:
    """A grammar in ids. `start` gives a walker for each answer."""

    positions: range
    codes: range
    space: list[int]
    label: Node
    stop_ids: tuple[int, ...]
    box: tuple[int, ...] = ()

    def start(self) -> Walker:
        """A walker before the first token."""
        return Walker(self)


class Walker:
    """Follows one answer. `allowed` says what may come, `take` what came."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._num_positions = self._num_spaces = self._num_codes = 0
        self._node: Node | None = None  # in a label
        self._may_end = not rules.box

    @property
    def allowed(self) -> Collection[int]:
        """The ids that may come next."""
        rules = self.rules
        if self._may_end:
            goes_on = rules.positions if self._node is None else self._node.next
            return (*goes_on, *rules.stop_ids)
        if self._num_positions < NUM_POSITIONS:
            given = rules.box[self._num_positions : self._num_positions + 1]
            return tuple(rules.positions[one] for one in given) or rules.positions
        if self._num_spaces < len(rules.space):
            return (rules.space[self._num_spaces],)
        if self._num_codes < (CODES_PER_MASK if rules.codes else 0):
            return rules.codes
        assert self._node is not None
        return self._node.next

    def advance(self, token: int) -> None:
        """Go one token on; it has to be an allowed one."""
        rules, node = self.rules, self._node
        if node is not None:
            self._enter(node.next[token])
        elif token in rules.positions and self._num_positions < NUM_POSITIONS:
            self._num_positions += 1
            self._may_end = False
        elif self._num_spaces < len(rules.space):
            self._num_spaces += 1
        else:
            self._num_codes += 1
        wanted = (NUM_POSITIONS, len(rules.space), CODES_PER_MASK if rules.codes else 0)
        if node is None and (self._num_positions, self._num_spaces, self._num_codes) == wanted:
            self._node = rules.label

    def _enter(self, node: Node) -> None:
        """Be at a point of a label; a label with its separator begins the next record."""
        self._may_end = node.then == Then.end
        self._node = node
        if node.then == Then.record:
            self._num_positions = self._num_spaces = self._num_codes = 0
            self._node = None


def spell(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text that stands between marks."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def run_of(tokenizer: Tokenizer, form: str, count: int) -> range:
    """The ids of tokens that are numbered in one run."""
    first, last = (tokenizer.token_to_id(form.format(number)) for number in (0, count - 1))
    if first is None or last is None or last - first != count - 1:
        raise ValueError(f"This tokenizer has no run of {form.format(0)} tokens to write with.")
    return range(first, last + 1)
