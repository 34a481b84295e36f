"""Detokenizer: token ids as they arrive, turned into text that only ever grows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tokenizers import Tokenizer

BYTE = re.compile(r"<0x[0-9A-F]{2}>")
BROKEN = "\ufffd"  # what the tokenizer writes for bytes that are not yet a character


class Detokenizer:
    """Spells one answer. The pieces put together are the tokenizer's decoding of all ids.

    A piece is "" while a run of bytes goes on, for they become characters together or not at all;
    `rest` gives what is left. `alone` remembers how each token is spelled by itself; spellers of
    one tokenizer share it. `marks` are special tokens that are spelled all the same, by id.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        alone: dict[int, tuple[str, str]] | None = None,
        marks: Mapping[int, str] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._marks = marks or {}
        self._alone = {} if alone is None else alone
        self._ids: list[int] = []  # of the last finished piece, then of the one being spelled
        self._finished = 0  # how many of them belong to the finished piece
        self._text = ""  # the finished piece: how a token is spelled may depend on the one before
        self._is_byte = False  # whether the last token is one byte of a run

    def add(self, token: int) -> str:
        """What this token adds to the text."""
        if token in self._marks:
            piece = self.rest() + self._marks[token]
            self._ids, self._finished, self._text, self._is_byte = [], 0, "", False
            return piece
        self._ids.append(token)
        alone = self._spell_alone(token)
        if alone:  # marks are not spelled, and end no run of bytes
            self._is_byte = BYTE.fullmatch(alone) is not None
        if self._is_byte:
            return ""
        text = self._decode(self._ids)
        return "" if text.endswith(BROKEN) else self._finish(text)

    def rest(self) -> str:
        """What the ids still held back amount to, broken characters included."""
        held_back = len(self._ids) > self._finished
        return self._finish(self._decode(self._ids)) if held_back else ""

    def _finish(self, text: str) -> str:
        piece = text[len(self._text) :]
        self._ids = self._ids[self._finished :]
        self._finished = len(self._ids)
        self._text = self._decode(self._ids)
        return piece

    def _spell_alone(self, token: int) -> str:
        """The token's name where it is spelled at all, "" for marks and unknown ids."""
        return self._look_up(token)[0]

    def _look_up(self, token: int) -> tuple[str, str]:
        """The token's name, and its text where it stands alone."""
        if token not in self._alone:
            text = self._tokenizer.decode([token], skip_special_tokens=True)
            name = self._tokenizer.id_to_token(token) if text else ""
            self._alone[token] = (name or "", text)
        return self._alone[token]

    def _decode(self, ids: list[int]) -> str:
        if len(ids) == 1:
            return self._look_up(ids[0])[1]
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text
