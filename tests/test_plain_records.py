"""Whole answers as models write them are read at once, and as they would be piece by piece."""

from __future__ import annotations

import random
import time

import pytest

from postprocess.tokens import Mention, Parser, parse, write


def random_answer(seed: int) -> str:
    """Records of every kind, a few of them broken somewhere."""
    choose, records = random.Random(seed), []
    for _ in range(choose.randint(1, 9)):
        box = [choose.choice([0, 1, 5, 500, 1022, 1023]) for _ in range(4)]
        text = "".join(f"<loc{number:04d}>" for number in box)
        if choose.random() < 0.4:
            text += " " + "".join(f"<seg{choose.randrange(128):03d}>" for _ in range(16))
        records.append(f"{text} {choose.choice(['cat', 'black cat', 'cat', '3', 'man 2'])}")
    text = " ; ".join(records)
    for _ in range(choose.choice([0, 0, 1, 2])):
        at = choose.randrange(len(text))
        text = (
            text[:at]
            + choose.choice(["", ";", "\n", " it ", "<eos>", "\uff1b", "9"])
            + text[at + 1 :]
        )
    return choose.choice(["", "", "", " ", "here: "]) + text + choose.choice(["", " ; ", "\nbye"])


def everything(parser: Parser, mentions: list[Mention]) -> tuple[object, ...]:
    spans = [(mention.start, mention.end) for mention in mentions]
    return mentions, spans, parser.plain, parser.notices, parser.partial


@pytest.mark.parametrize("seed", range(150))
def test_read_at_once_as_piece_by_piece(seed: int) -> None:
    text = random_answer(seed)
    whole, pieces = Parser(), Parser()
    at_once = whole.feed(text)
    slowly = [mention for character in text for mention in pieces.feed(character)]
    assert everything(whole, at_once) == everything(pieces, slowly)
    at_once, slowly = at_once + whole.close(), slowly + pieces.close()
    assert everything(whole, at_once) == everything(pieces, slowly)


def many(count: int) -> list[Mention]:
    return [Mention(f"cat {i % 7}", (i % 500, 3, 500 + i % 500, 9 + i % 900)) for i in range(count)]


def test_ten_thousand_records_are_read_in_a_tenth_of_a_second() -> None:
    mentions = many(10_000)
    text = write(mentions)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        assert parse(text) == mentions
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.1
