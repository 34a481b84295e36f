"""Grammar: which tokens may come next, so that any model writes well-formed records.

    answer  =  nothing  |  record  |  record " ; " answer
    record  =  four positions, then the codes where asked for (16, a space before them), then
               a space and one of the names

Knows nothing of models; a tokenizer turns it into ids.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from postprocess.errors import UserError
from postprocess.tokens import CODES_PER_MASK, NUM_BINS, NUM_CODES, NUM_POSITIONS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SEPARATOR = " ; "
NEVER = 1 << 30  # tokens to an end that cannot be reached


class GrammarError(UserError):
    """A language of answers that cannot be had."""

    CODE = "E_DECODING"


@dataclass(frozen=True)
class Grammar:
    """Records of the given names, with a mask each or without.

    is_bare: one record at most, its codes right behind its positions and no label, as checkpoints
    write it that were tuned on single phrases. box: four bins that the one record there is to be
    begins with.
    """

    names: tuple[str, ...]
    has_masks: bool = False
    is_bare: bool = False
    box: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.names or not all(name.strip() for name in self.names):
            raise GrammarError("A grammar needs names, each with at least one letter.")

    def rules(self, tokenizer: Tokenizer, stop_ids: Collection[int]) -> Rules:
        """The grammar in the ids of a tokenizer; GrammarError where it has no position tokens."""
        positions = run_of(tokenizer, "<loc{:04d}>", NUM_BINS)
        codes = run_of(tokenizer, "<seg{:03d}>", NUM_CODES) if self.has_masks else range(0)
        space = spell(tokenizer, " ") if self.has_masks and not self.is_bare else []
        rules = Rules(positions, codes, tuple(stop_ids))
        first = rules.chain([positions] * (NUM_POSITIONS - 1))
        last = rules.chain([*space, *[codes] * (CODES_PER_MASK if codes else 0)], first[-1])
        rules.label = last[-1]
        rules.start.then = rules.again.then = first[0]
        if self.box:
            begun = rules.chain([positions[one] for one in self.box])
            rules.start.run, rules.start.may_end = range(0), False
            rules.start.branches, begun[-2].branches = (
                begun[0].branches,
                {positions[self.box[-1]]: first[-1]},
            )
        if self.is_bare:
            rules.label.may_end = True
            return rules
        for index, name in enumerate(self.names):
            alone, joined = spell(tokenizer, f" {name}"), spell(tokenizer, f" {name}{SEPARATOR}")
            rules.label.add(alone, Node()).ends(index)
            if not self.box:
                rules.label.add(joined, rules.again)
            rules.spellings.append(alone if self.box else joined)
        return rules

    def pattern(self) -> str:
        """The same language as a regular expression, for engines that take one."""
        box = rf"(?:<loc(?:0[0-9]{{3}}|10[01][0-9]|102[0-3])>){{{NUM_POSITIONS}}}"
        codes = rf"(?:<seg(?:0[0-9]{{2}}|1[01][0-9]|12[0-7])>){{{CODES_PER_MASK}}}"
        if self.box:
            box = "".join(f"<loc{one:04d}>" for one in self.box)
            tail = "" if self.is_bare else f" (?:{'|'.join(map(re.escape, self.names))})"
            return f"{box}{(' ' if tail else '') + codes if self.has_masks else ''}{tail}"
        if self.is_bare:
            return f"(?:{box}{codes if self.has_masks else ''})?"
        names = "|".join(re.escape(name) for name in self.names)
        record = f"{box}{f' {codes}' if self.has_masks else ''} (?:{names})"
        return f"(?:{record}(?:{re.escape(SEPARATOR)}{record})*)?"


@dataclass(eq=False)
class Node:
    """A place in an answer: the tokens that may come next, and where each leads.

    run: tokens that all lead to `then`; branches: others, each to a place of its own. may_end: the
    answer may end here. name: which of the names is complete here, -1 where none is.
    """

    run: range = range(0)
    then: Node | None = None
    branches: dict[int, Node] = field(default_factory=dict)
    may_end: bool = False
    begins_record: bool = False
    name: int = -1
    cost: int = NEVER  # tokens it takes at least from here to a place where the answer may end
    choices: tuple[int, ...] = ()  # every token that may come, once somebody asked

    def follow(self, token: int) -> Node | None:
        """The place behind a token; None where it may not come."""
        return self.then if token in self.run else self.branches.get(token)

    def add(self, ids: Sequence[int], last: Node) -> Node:
        """One more spelling from here, which leads to a place."""
        node = self
        for token in ids[:-1]:
            node = node.branches.setdefault(token, Node())
        return node.branches.setdefault(ids[-1], last)

    def ends(self, name: int) -> None:
        """A name is complete here."""
        self.may_end, self.name = True, name

    @property
    def is_run(self) -> bool:
        """Whether inside a record only numbers of one kind may come here."""
        return bool(self.run) and not (self.branches or self.may_end or self.begins_record)

    def next_nodes(self) -> Iterator[Node]:
        """The places behind this one."""
        if self.then is not None and self.run:
            yield self.then
        yield from self.branches.values()


class Rules:
    """A grammar in ids: a graph of places from `start`. `again` is that behind a separator."""

    def __init__(self, positions: range, codes: range, stop_ids: tuple[int, ...]) -> None:
        self.positions, self.codes, self.stop_ids = positions, codes, stop_ids
        self.start = Node(positions, may_end=True, begins_record=True)
        self.again = Node(positions, begins_record=True)
        self.label = Node()
        self.spellings: list[list[int]] = []  # of each name with its separator

    def chain(self, steps: Iterable[int | range], first: Node | None = None) -> list[Node]:
        """Places one behind the other, joined by one token or any of a run.

        first: the place that the chain begins at.
        """
        nodes = [Node() if first is None else first]
        for step in steps:
            nodes.append(Node())
            if isinstance(step, range):
                nodes[-2].run, nodes[-2].then = step, nodes[-1]
            else:
                nodes[-2].branches[step] = nodes[-1]
        return nodes

    def allowed(self, node: Node, budget: int) -> list[int]:
        """The tokens that may come at a place and leave enough of the budget for an end.

        Those that end the answer are among them where it may end.
        """
        fits = list(node.run) if node.then is not None and self.fits(node.then, budget) else []
        fits += [token for token, then in node.branches.items() if self.fits(then, budget)]
        return [*fits, *self.stop_ids] if node.may_end else fits

    def fits(self, then: Node, budget: int) -> bool:
        """Whether a token that leads there leaves enough of the budget for an end."""
        return budget > self._cost(then)

    def options(self, node: Node, budget: int) -> Sequence[int]:
        """The tokens that come into question at a place: one that is certain, a run, or a list.

        Where the answer may end, those that it has no budget for are among them: whether the model
        would go on is what tells an answer that is whole from one that was cut.
        """
        if node.is_run:
            return node.run
        if not node.choices:
            node.choices = tuple(self.allowed(node, NEVER + 1))
        if node.may_end or all(self.fits(then, budget) for then in node.branches.values()):
            return node.choices
        return self.allowed(node, budget) or node.choices  # none fits behind a draft that does not

    def draft(self, node: Node | None, name: int, room: int) -> list[int]:
        """What follows a place for certain, and what likely does: a name and its separator.

        name: the one that is likely; room: how many tokens at most. Ends where numbers come.
        """
        tokens: list[int] = []
        while node is not None and len(tokens) < room and node.branches and not node.run:
            if node is self.label and self.spellings:
                more = self.spellings[min(name, len(self.spellings) - 1)]
            else:
                more = [next(iter(node.branches))]
            for token in more[: room - len(tokens)]:
                tokens.append(token)
                node = node and node.follow(token)
        return tokens

    def _cost(self, node: Node) -> int:
        return node.cost if self._is_costed else NEVER

    @cached_property
    def _is_costed(self) -> bool:
        """Work out every place's cost, from the ends backwards."""
        nodes = list(self._nodes())
        changed = True
        while changed:
            changed = False
            for node in reversed(nodes):
                ways = [1 + then.cost for then in node.next_nodes()]
                cost = 0 if node.may_end else min(ways, default=NEVER)
                changed |= cost < node.cost
                node.cost = min(cost, node.cost)
        return True

    def _nodes(self) -> Iterator[Node]:
        found: dict[int, Node] = {id(self.start): self.start, id(self.again): self.again}
        todo = list(found.values())
        while todo:
            for node in todo.pop().next_nodes():
                if id(node) not in found:
                    found[id(node)] = node
                    todo.append(node)
        yield from found.values()


def spell(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text that stands between marks."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def run_of(tokenizer: Tokenizer, form: str, count: int) -> range:
    """The ids of tokens that are numbered in one run."""
    first, last = (tokenizer.token_to_id(form.format(number)) for number in (0, count - 1))
    if first is None or last is None or last - first != count - 1:
        raise GrammarError(
            f"This checkpoint has no run of {form.format(0)} tokens to write records with; "
            "take exact or free decoding."
        )
    return range(first, last + 1)
