"""Plain records: the beginning of an answer that is as models are taught to write it, read at once.

What is read here, the parser would have read alike, a piece at a time and five times as slowly.
"""

import re

from postprocess.tokens.language import CODES_PER_MASK, NUM_POSITIONS, Mention, Notice
from postprocess.tokens.record import Record

_LOC, _SEG = "<loc0000>", "<seg000>"
# Whole records with a separator and another record behind them; labels that nothing surrounds.
_RECORD = re.compile(
    rf"((?:<loc(?:0[0-9]{{3}}|10[01][0-9]|102[0-3])>){{{NUM_POSITIONS}}})"
    rf"(?: ((?:<seg(?:0[0-9]{{2}}|1[01][0-9]|12[0-7])>){{{CODES_PER_MASK}}}))?"
    r" ([A-Za-z0-9]{1,40}(?: [A-Za-z0-9]{1,40}){0,5}) ; (?=<loc)"
)


def read_plain_records(text: str, notices: list[Notice]) -> tuple[list[Mention], int]:
    """The mentions of the plain records that a text begins with, and where what follows begins."""
    mentions: list[Mention] = []
    end, match = 0, _RECORD.match(text)
    while match is not None:
        start, places, codes = match.start(), match[1], match[2] or ""
        y0, x0, y1, x1 = box = (
            int(places[4:8]),
            int(places[13:17]),
            int(places[22:26]),
            int(places[31:35]),
        )
        if y0 > y1 or x0 > x1 or (y0 <= 1 and x0 <= 1):  # what there may be a notice of
            mentions += _read_odd(box, match, notices)
        else:
            numbers = tuple(int(codes[at + 4 : at + 7]) for at in range(0, len(codes), len(_SEG)))
            mentions.append(Mention(match[3], box, numbers, start=start, end=match.end(3)))
        end = match.end()
        match = _RECORD.match(text, end)
    return mentions, end


def _read_odd(
    box: tuple[int, int, int, int], match: re.Match[str], notices: list[Notice]
) -> list[Mention]:
    """The record as the parser puts it together, with what it has to say of it."""
    record = Record(match.start(), notices)
    for index, number in enumerate(box):
        at = match.start() + index * len(_LOC)
        record.add_position(number, at, at + len(_LOC))
    codes = match[2] or ""
    for at in range(0, len(codes), len(_SEG)):
        record.add_code(int(codes[at + 4 : at + 7]), match.start(2) + at, match.end(2))
    record.add_words(f" {match[3]} ", match.start(3) - 1)
    return record.close()
