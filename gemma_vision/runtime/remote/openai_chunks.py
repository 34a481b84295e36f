"""OpenAI chunks: the events of a server's stream as chunks of an engine.

Token ids say more than the text, of which a server may leave position tokens out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gemma_vision.requests.family import Family
from gemma_vision.runtime.engine import Chunk

FIRST_LOC = 256_000  # of PaliGemma's vocabulary: <loc0000> to <loc1023>, then the codes
NUM_BINS = 1024
NUM_CODES = 128
NEIGHBOURS = 10  # bins on either side that count as the same place
LOC = re.compile(r"<loc(\d{4})>")
JSON = Mapping[str, Any]


@dataclass(frozen=True)
class Token:
    """A token of an event: what it wrote, its id (None where nobody says) and its score."""

    text: str
    id: int | None
    score: float


class ChunkReader:
    """Reads the events of one call, one after the other."""

    def __init__(self, family: Family) -> None:
        self._stops = family.stop_tokens
        self._has_locations = family.has_locations
        self._finish = "stop"
        self._count = 0

    def read(self, event: JSON) -> Chunk | None:
        """What an event brings; None where it brings nothing."""
        choices = event.get("choices") or [{}]
        choice = choices[0] if isinstance(choices[0], dict) else {}
        if choice.get("finish_reason"):
            self._finish = "length" if choice["finish_reason"] == "length" else "stop"
        text = (choice.get("delta") or {}).get("content") or ""
        tokens = [one for one in self._tokens(choice, text) if one.text not in self._stops]
        if not tokens:
            return None
        ids = []
        for token in tokens:
            ids.append(self._count if token.id is None else token.id)
            self._count += 1
        return Chunk(
            "".join(token.text for token in tokens),
            tuple(ids),
            tuple(token.score for token in tokens),
            lengths=tuple(len(token.text) for token in tokens),
        )

    def last(self) -> Chunk:
        """The chunk that says how it ended."""
        return Chunk("", finish=self._finish)

    def _tokens(self, choice: JSON, text: str) -> list[Token]:
        """The tokens of an event; one without an id where the server tells of none."""
        entries = (choice.get("logprobs") or {}).get("content") or []
        ids = choice.get("token_ids") or []
        if entries and len(ids) in (0, len(entries)):
            known: Sequence[int | None] = ids or [None] * len(entries)
            told = [self._token(entry, one) for entry, one in zip(entries, known, strict=True)]
            if is_whole("".join(token.text for token in told), text):
                return told
        spelled = "".join(spell(one) or "" for one in ids) if self._has_locations else ""
        if spelled and not LOC.search(text) and not text.strip():
            return [Token(spell(one) or "", one, 1.0) for one in ids]
        return [Token(text, ids[0] if len(ids) == 1 else None, 1.0)] if text else []

    def _token(self, entry: JSON, token_id: int | None) -> Token:
        own = spell(token_id) if token_id is not None and self._has_locations else None
        text = own or str(entry.get("token", ""))
        return Token(text, token_id, score_of(entry, text))


def spell(token_id: int) -> str | None:
    """256005  ->  "<loc0005>"; None for what is no position and no code."""
    place = token_id - FIRST_LOC
    if 0 <= place < NUM_BINS:
        return f"<loc{place:04d}>"
    if NUM_BINS <= place < NUM_BINS + NUM_CODES:
        return f"<seg{place - NUM_BINS:03d}>"
    return None


def is_whole(told: str, text: str) -> bool:
    """Whether the tokens of an event write its text, which may lack special ones alone."""
    return told == text or re.sub(r"<[^<>\s]+>", "", told) == re.sub(r"<[^<>\s]+>", "", text)


def score_of(entry: JSON, text: str) -> float:
    """A token's probability; of a position that of its neighbourhood, as far as it is told."""
    found = LOC.fullmatch(text)
    others = entry.get("top_logprobs") or []
    if not found or not others:
        return probability(entry)
    total = 0.0
    for other in others:
        near = LOC.fullmatch(str(other.get("token", "")))
        if near and abs(int(near[1]) - int(found[1])) <= NEIGHBOURS:
            total += probability(other)
    return min(max(total, probability(entry)), 1.0)


def probability(entry: JSON) -> float:
    """0 to 1; 1 where nobody says."""
    value = entry.get("logprob")
    return min(math.exp(value), 1.0) if isinstance(value, (int, float)) else 1.0
