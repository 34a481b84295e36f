"""Answers as token ids: spelled and read with a table of pieces alone."""

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from postprocess.tokens import (
    Mention,
    Parser,
    Spelling,
    SpellingError,
    parse,
    parse_ids,
    read_pieces,
    spell,
)

CHECKPOINT = Path(__file__).parent.parent / "gemma_vision" / "checkpoints" / "tiny"
BOX = [f"<loc{number:04d}>" for number in (10, 20, 300, 400)]
MASK = [f"<seg{number:03d}>" for number in range(16)]
PIECES = dict(
    enumerate([*BOX, *MASK, "\u2581cat", "\u2581;", "\u2581", "<eos>", "<0xC3>", "<0xA9>"])
)
IDS = {piece: number for number, piece in PIECES.items()}


def ids(*pieces: str) -> list[int]:
    return [IDS[piece] for piece in pieces]


@pytest.mark.parametrize(
    ("tokens", "mentions"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(ids(*BOX, "\u2581cat", "<eos>"), [("cat", ())], id="a box"),
        pytest.param(
            ids(*BOX, "\u2581", *MASK, "\u2581cat"), [("cat", tuple(range(16)))], id="a mask"
        ),
        pytest.param(
            ids(*BOX, "\u2581cat", "\u2581;", "\u2581", *BOX, "\u2581cat"),
            [("cat", ()), ("cat", ())],
            id="two boxes",
        ),
        pytest.param(
            ids(*BOX, "\u2581cat", "<0xC3>", "<0xA9>"), [("cat\u00e9", ())], id="a letter in bytes"
        ),
        pytest.param(ids(*BOX, "<0xC3>"), [("\ufffd", ())], id="half a letter"),
        pytest.param(
            [*ids(*BOX, "\u2581cat"), 999_999], [("cat\ufffd", ())], id="an id that is not known"
        ),
    ],
)
def test_ids_read_as_their_text(tokens, mentions):
    assert parse_ids(tokens, PIECES) == [
        Mention(label, (10, 20, 300, 400), codes) for label, codes in mentions
    ]


def test_an_answer_spelled_while_it_is_written_reads_as_the_whole():
    tokens = ids(
        *BOX, *MASK, "\u2581cat", "<0xC3>", "<0xA9>", "\u2581;", "\u2581", *BOX, "\u2581cat"
    )
    spelling, parser = Spelling(PIECES), Parser()
    mentions = [one for token in tokens for one in parser.feed(spelling.feed([token]))]
    mentions += parser.feed(spelling.close()) + parser.close()
    assert mentions == parse_ids(tokens, PIECES) == parse(spell(tokens, PIECES))
    assert [mention.label for mention in mentions] == ["cat\u00e9", "cat"]


@pytest.mark.parametrize("seed", range(3))
def test_any_ids_are_spelled_as_the_tokenizer_decodes_them(seed):
    tokenizer = Tokenizer.from_file(str(CHECKPOINT / "tokenizer.json"))
    pieces = read_pieces(CHECKPOINT)
    draw = random.Random(seed)
    for _ in range(200):
        tokens = draw.choices(sorted(pieces), k=draw.randint(0, 30))
        assert spell(tokens, pieces) == tokenizer.decode(tokens, skip_special_tokens=False)


class Counted(Mapping):
    """A table that counts how often it is asked."""

    def __init__(self) -> None:
        self.count = 0

    def __getitem__(self, key: int) -> str:
        self.count += 1
        return PIECES[key]

    def __iter__(self) -> Iterator[int]:
        return iter(PIECES)

    def __len__(self) -> int:
        return len(PIECES)


def test_each_token_is_looked_up_once():
    table, tokens = Counted(), ids(*BOX, *MASK, "\u2581cat", "\u2581;", "\u2581") * 50
    spelling = Spelling(table)
    said = [spelling.feed([token]) for token in tokens]
    assert table.count == len(tokens)
    assert said == [
        PIECES[token].replace("\u2581", " ") for token in tokens
    ]  # nothing is held back


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no file"),
        pytest.param("no json", id="no json"),
        pytest.param(json.dumps({"model": {"vocab": [["a", -1.0]]}}), id="another vocabulary"),
    ],
)
def test_a_file_without_a_table_is_refused(content, tmp_path):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(SpellingError, match="has no table of pieces"):
        read_pieces(tmp_path)
