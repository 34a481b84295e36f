"""JSON grammar: which tokens may come next, so that a model writes a well-formed list of things.

    answer  =  a fence, "[", nothing or records with commas between, "]", the fence again
    record  =  {"box_2d": [four numbers from 0 to 1000], "label": one of the names}

or "point" with two numbers. An automaton over characters; tokens are those that can be spelled
along it, whatever pieces a tokenizer cuts texts into. Off by default, as `Grammar` is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tokenizers import Tokenizer

HIGHEST = 1000  # of a coordinate
BYTE = re.compile(r"<0x([0-7][0-9A-F])>")  # a token that is one plain letter
FENCE = "```"


@dataclass(eq=False)
class CharNode:
    """A place in the answer: the characters that may follow, and where each leads."""

    next: dict[str, CharNode] = field(default_factory=dict)
    is_end: bool = False

    def lead(self, text: str, to: CharNode) -> CharNode:
        """Let a text lead from here to a node; what is there already is shared."""
        node = self
        for letter in text[:-1]:
            node = node.next.setdefault(letter, CharNode())
        node.next[text[-1]] = to
        return self


@dataclass(frozen=True)
class JsonGrammar:
    """Records of the given names, with a box each, or with a point."""

    names: tuple[str, ...]
    has_points: bool = False

    def __post_init__(self) -> None:
        if not self.names or not all(name.strip() for name in self.names):
            raise ValueError("A grammar needs names, each with at least one letter.")

    def rules(self, tokenizer: Tokenizer, stop_ids: Collection[int]) -> JsonRules:
        """The grammar in the ids of a tokenizer."""
        start = self.automaton()
        return JsonRules(start, VocabularyTrie.of(tokenizer, letters_of(start)), tuple(stop_ids))

    def automaton(self) -> CharNode:
        """The place before the first character."""
        record, end = CharNode(), CharNode(is_end=True)
        after = CharNode().lead("},\n  ", record).lead(f"}}\n]\n{FENCE}", end)
        key, count = ("point", 2) if self.has_points else ("box_2d", 4)
        label = CharNode()
        for name in self.names:
            label.lead(json.dumps(name, ensure_ascii=False), after)
        place = CharNode().lead('], "label": ', label)
        for left in range(count):
            place = number(place)
            if left < count - 1:
                place = CharNode().lead(", ", place)
        record.lead(f'{{"{key}": [', place)
        begin = CharNode().lead(f"]\n{FENCE}", end).lead("\n  ", record)
        return CharNode().lead(f"{FENCE}json\n[", begin)


def number(out: CharNode) -> CharNode:
    """A number from 0 to 1000 without zeros in front, and then what follows `out`."""
    last = CharNode(dict(out.next))
    second = CharNode(dict(out.next) | dict.fromkeys("0123456789", last))
    first = CharNode(dict(out.next) | dict.fromkeys("0123456789", second))
    tens = CharNode(dict(second.next) | {"0": CharNode(dict(out.next) | {"0": last})})
    one = CharNode(dict(first.next) | {"0": tens})
    return CharNode({"0": last, "1": one} | dict.fromkeys("23456789", first))


def letters_of(start: CharNode) -> frozenset[str]:
    """Every character that an answer may have."""
    letters: set[str] = set()
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        letters |= node.next.keys()
        fresh = set(node.next.values()) - seen
        seen |= fresh
        waiting += fresh
    return frozenset(letters)


@dataclass
class VocabularyTrie:
    """Tokens by how they are spelled, letter by letter."""

    next: dict[str, VocabularyTrie] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, tokenizer: Tokenizer, letters: frozenset[str]) -> VocabularyTrie:
        """The tokens of a tokenizer that have none but these letters; no marks."""
        root, marks = cls(), tokenizer.get_added_tokens_decoder()
        for token, index in tokenizer.get_vocab().items():
            text = spelled(token)
            is_mark = index in marks and marks[index].special
            if not is_mark and text and letters.issuperset(text):
                node = root
                for letter in text:
                    node = node.next.setdefault(letter, cls())
                node.ids.append(index)
        return root


def spelled(token: str) -> str:
    """What a token writes.   "\u2581cat"  ->  " cat"; "<0x0A>"  ->  a line break"""
    byte = BYTE.fullmatch(token)
    return chr(int(byte[1], 16)) if byte else token.replace("\u2581", " ")


@dataclass(frozen=True)
class JsonRules:
    """A grammar in ids. `start` gives a walker for each answer."""

    first: CharNode
    vocabulary: VocabularyTrie
    stop_ids: tuple[int, ...]

    def start(self) -> JsonWalker:
        """A walker before the first token."""
        return JsonWalker(self)


class JsonWalker:
    """Follows one answer. `allowed` says what may come, `advance` what came."""

    def __init__(self, rules: JsonRules) -> None:
        self._rules = rules
        self._node = rules.first
        self._after: dict[int, CharNode] = {}  # where each allowed token leads

    @property
    def allowed(self) -> Collection[int]:
        """The ids that may come next."""
        if self._node.is_end:
            return self._rules.stop_ids
        self._after = dict(reach(self._rules.vocabulary, self._node))
        return self._after.keys()

    def advance(self, token: int) -> None:
        """Go one token on; it has to be an allowed one."""
        after = self._after or dict(reach(self._rules.vocabulary, self._node))
        self._node, self._after = after[token], {}


def reach(tokens: VocabularyTrie, node: CharNode) -> Iterator[tuple[int, CharNode]]:
    """Every token that can be spelled from a place, and where it leads."""
    for letter in tokens.next.keys() & node.next.keys():
        further, there = tokens.next[letter], node.next[letter]
        yield from ((index, there) for index in further.ids)
        yield from reach(further, there)
