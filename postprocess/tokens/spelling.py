"""Spelling: token ids -> the answer's text, by a table of the tokenizer's pieces alone.

For whoever has ids and no tokenizer at hand. The table is `{id: piece}` as SentencePiece
vocabularies have it: U+2581 stands for a space, `<0xE2>` for one byte of a character.
"""

import json
import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path

from postprocess.errors import UserError
from postprocess.tokens.language import Mention
from postprocess.tokens.parser import Parser

Pieces = Mapping[int, str]

_SPACE = "\u2581"
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_BROKEN = "\ufffd"  # for an id outside the table, and for each byte of what is no character


class SpellingError(UserError):
    """A tokenizer file without a table of pieces."""

    CODE = "E_TOKENS"


class Spelling:
    """Spells one answer as it is written; each token costs the same, however long the answer.

    spelling, parser = Spelling(pieces), Parser()
    for token in tokens:
        mentions += parser.feed(spelling.feed([token]))
    mentions += parser.feed(spelling.close()) + parser.close()
    """

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._bytes = bytearray()  # a run of byte tokens: characters together or not at all

    def feed(self, ids: Iterable[int]) -> str:
        """What these tokens add to the text; "" while a run of bytes goes on."""
        return "".join(part for token in ids for part in self._spell(int(token)))

    def close(self) -> str:
        """What the bytes at the very end amount to."""
        run, self._bytes = bytes(self._bytes), bytearray()
        try:
            return run.decode()
        except UnicodeDecodeError:
            return _BROKEN * len(run)

    def _spell(self, token: int) -> tuple[str, ...]:
        piece = self._pieces.get(token, _BROKEN)
        byte = _BYTE.fullmatch(piece)
        if byte is not None:
            self._bytes.append(int(byte[1], 16))
            return ()
        text = piece.replace(_SPACE, " ")
        return (self.close(), text) if self._bytes else (text,)


def spell(ids: Iterable[int], pieces: Pieces) -> str:
    """The text of a whole answer's ids, as the tokenizer with its marks would decode them."""
    spelling = Spelling(pieces)
    return spelling.feed(ids) + spelling.close()


def parse_ids(ids: Iterable[int], pieces: Pieces) -> list[Mention]:
    """The things that an answer's token ids mention; characters count in `spell(ids, pieces)`."""
    parser = Parser()
    return parser.feed(spell(ids, pieces)) + parser.close()


def read_pieces(path: str | PathLike[str]) -> dict[int, str]:
    """The table of a `tokenizer.json`, or of the one in a folder.

    Raises SpellingError for a file that is not there or has no such table. Those who hold a
    tokenizer of transformers write `{number: piece for piece, number in
    tokenizer.get_vocab().items()}` instead.
    """
    path = Path(path)
    path = path / "tokenizer.json" if path.is_dir() else path
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        pieces = {int(number): str(piece) for piece, number in content["model"]["vocab"].items()}
        added = {int(one["id"]): str(one["content"]) for one in content["added_tokens"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpellingError(
            f"{path} has no table of pieces ({error!r}). Name the tokenizer.json of a checkpoint "
            "with a SentencePiece vocabulary, as Gemma's is."
        ) from error
    return pieces | added
