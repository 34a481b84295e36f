"""Vocabulary: the names that a checkpoint lists, found under whatever form a person gives them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby

from gemma_vision.requests.interpretation.english import plurals, singulars
from gemma_vision.requests.interpretation.phrases import core, cores, words_of
from gemma_vision.requests.interpretation.synonyms import GROUPS

MIN_TYPO = 5  # letters of a word from which on any slip is looked for
MIN_PLAIN_TYPO = 3  # and those that make no other word of it
MAX_NAME_WORDS = 5
ACCENTS = dict.fromkeys(range(0x300, 0x370))  # of Latin letters; the marks of kana stay
KATAKANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}  # to hiragana
EMOJI_STYLE = "\ufe0f"  # may stand behind a sign to have it drawn in colour


@dataclass(frozen=True)
class Match:
    """A listed name, what was written for it, and whether that is another word."""

    name: str
    written: str
    is_other_word: bool = False


@lru_cache(maxsize=16)
def vocabulary_of(names: tuple[str, ...]) -> Vocabulary:
    """The vocabulary of these names, made once."""
    return Vocabulary(names)


class Vocabulary:
    """Names by every form they are written in: case, number, spaces, hyphens, kana, synonyms."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._matches: dict[str, Match] = {}
        for make in (lambda name: (name,), plurals, singulars):
            for name in self.names:
                for form in make(name):
                    self._matches.setdefault(key(form), Match(name, form))
        for group in GROUPS:
            listed = [self._matches[key(word)] for word in group if key(word) in self._matches]
            for word in group if listed else ():
                for form in (word, *(plurals(word) if is_word(word) else ())):
                    self._matches.setdefault(key(form), Match(listed[0].name, form, True))

        signs = [form for form in self._matches if not is_word(form)]
        longest = sorted(map(re.escape, signs), key=len, reverse=True)
        self._signs = re.compile(f"((?:{'|'.join(longest)}){EMOJI_STYLE}?)") if signs else None

    def find(self, phrase: str) -> Match | None:
        """The name that a phrase means, None where it means none or more than one."""
        for written in cores(phrase):
            if match := self._matches.get(key(written)):
                return replace(match, written=written)
        return None

    def apart(self, text: str) -> list[str]:
        """A text cut at the signs in it that are names, such as emoji.   "ball 🐶"  ->  ball, 🐶"""
        if self._signs is None:
            return [text]
        return [said for piece in self._signs.split(text) if (said := piece.strip())]

    def find_all(self, phrase: str) -> list[Match]:
        """The names that a phrase lists with nothing between them; none unless all are names.

        "cat dog"  ->  cat, dog;   "red car"  ->  nothing
        """
        words = words_of(core(phrase))
        found: list[Match] = []
        while words:
            for count in range(min(len(words), MAX_NAME_WORDS), 0, -1):
                if match := self.find(" ".join(words[:count])):
                    break
            else:
                return []
            found.append(match)
            words = words[count:]
        return found

    def suggest(self, phrase: str) -> tuple[str, ...]:
        """Names that may have been meant: one slip away, or else named within the phrase."""
        written = key(core(phrase))
        slips = {
            match.name: None for form, match in self._matches.items() if is_slip_of(written, form)
        }
        return tuple(slips or dict.fromkeys(self.named_within(phrase)))

    def named_within(self, phrase: str) -> Iterator[str]:
        """Names among the words of a phrase, and those within it in writing without spaces."""
        for word in re.findall(r"\w+", phrase):
            if match := self._matches.get(key(word)):
                yield match.name
        if not (written := key(phrase)).isascii():
            found = (
                (at, match.name)
                for form, match in self._matches.items()
                if is_word_within(form) and (at := written.find(form)) >= 0
            )
            yield from (name for _, name in sorted(found))


def key(text: str) -> str:
    """What forms of one word have in common: letters and digits, small, without accents, kana as
    hiragana; of a word of other signs, such as emoji, those.
    """
    plain = unicodedata.normalize("NFKD", text).casefold().translate(ACCENTS)
    plain = unicodedata.normalize("NFKC", plain).translate(KATAKANA)
    return "".join(filter(str.isalnum, plain)) or plain.replace(EMOJI_STYLE, "")


def is_word(text: str) -> bool:
    """Whether it has letters or digits; emoji have none."""
    return any(map(str.isalnum, text))


def is_word_within(form: str) -> bool:
    """Whether a form is plain in writing without spaces: one letter of kana is part of too much."""
    return not form.isascii() and (len(form) > 1 or not "ぁ" <= form <= "ん")


def is_slip_of(written: str, form: str) -> bool:
    """Whether a slip of the pen made this of a form.

    Short words are too near to each other for most ("rat" is no cat), but not for a letter written
    twice, or two in the wrong order:   "catt", "cta"  ->  cat
    """
    if len(form) >= MIN_TYPO:
        return is_one_slip(written, form)
    if len(form) < MIN_PLAIN_TYPO or not form.isascii() or not is_one_slip(written, form):
        return False
    return sorted(written) == sorted(form) or once(written) == once(form)


def once(text: str) -> str:
    """Letters that follow themselves, once.   "ball"  ->  "bal" """
    return "".join(letter for letter, _ in groupby(text))


def is_one_slip(one: str, other: str) -> bool:
    """Whether a letter more, less or else, or two in the wrong order, is all the difference."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    pairs = enumerate(zip(short, long, strict=False))
    n = next((n for n, (a, b) in pairs if a != b), len(short))  # the first difference
    if len(short) < len(long):
        return short[n:] == long[n + 1 :]
    is_swap = short[n + 2 :] == long[n + 2 :] and short[n : n + 2] == long[n : n + 2][::-1]
    return is_swap or short[n + 1 :] == long[n + 1 :]
