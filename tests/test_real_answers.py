"""Real answers of public systems, read by the rules and checked by readers that share no code."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from postprocess.tokens import Parser

ANSWERS = Path(os.environ.get("GEMMA_VISION_REFERENCE", "../shared/reference")) / "answers.jsonl"

pytestmark = pytest.mark.skipif(
    not ANSWERS.exists(),
    reason="answers.jsonl is not here; GEMMA_VISION_REFERENCE names the folder that has it",
)

LINES = ANSWERS.read_text(encoding="utf-8").splitlines() if ANSWERS.exists() else []
ROWS = [json.loads(line) for line in LINES]
TOKEN = re.compile(r"<(loc|seg)(\d+)>")


def read(text):
    parser = Parser()
    mentions = parser.feed(text) + parser.close()
    return mentions, parser.notices, parser.plain


def counted(text):
    """Boxes and masks of a text, counted by hand: runs of touching tokens, in the order written."""
    boxes, masks, run, end, kind = [], [], [], -1, None
    for match in [*TOKEN.finditer(text), None]:
        if match is None or match.start() != end or match[1] != kind:
            if kind == "loc":
                boxes += [tuple(run[k : k + 4]) for k in range(0, len(run) - 3, 4)]
            elif kind == "seg" and len(run) >= 16:
                masks.append(tuple(run[:16]))
            run = []
        if match:
            run, end, kind = [*run, min(int(match[2]), 1023)], match.end(), match[1]
    return boxes, masks


def labelled(text):
    """The label that follows each box: the words up to the next separator, token or line."""
    return [
        re.match(r"\s*(?:<seg\d{3}>)*([^;<\n]*)", text[match.end() :])[1].strip()
        for match in re.finditer(r"(?:<loc\d{4}>){4,}", text)
    ]


def of_rows(**wanted):
    chosen = [
        (number, row)
        for number, row in enumerate(ROWS)
        if all(row[key] == value for key, value in wanted.items())
    ]
    return [pytest.param(row, id=f"row {number}") for number, row in chosen]


@pytest.mark.parametrize("row", of_rows())
def test_every_complete_record_is_found_and_none_invented(row):
    mentions, _, _ = read(row["output"])
    boxes, masks = counted(row["output"])
    assert [mention.box for mention in mentions] == boxes
    assert [mention.codes for mention in mentions if mention.codes] == masks
    assert [mention.label for mention in mentions] == labelled(row["output"])


@pytest.mark.parametrize("row", of_rows())
def test_words_are_plain_only_where_there_are_no_records(row):
    _, _, plain = read(row["output"])
    assert plain == ("" if "<loc" in row["output"] else row["output"].strip())


@pytest.mark.parametrize("row", of_rows())
def test_what_is_odd_is_noticed(row):
    """Each notice is expected from a count that shares nothing with the parser."""
    mentions, notices, _ = read(row["output"])
    found = Counter(notice.code for notice in notices)
    runs = [len(run) // 9 for run in re.findall(r"(?:<loc\d{4}>)+", row["output"])]
    records = Counter((mention.box, mention.codes, mention.label) for mention in mentions)
    edges = [(max(box[:2]) <= 1 and min(box[2:]) >= 1022) for box in counted(row["output"])[0]]
    expected = {
        "incomplete_box": sum(run < 4 for run in runs),
        "surplus_locs": sum(run > 4 for run in runs),
        "repeat": sum(records.values()) - len(records),
        "full_frame": sum(edges),
        "out_of_range": len(
            re.findall(r"<loc(?:102[4-9]|10[3-9]\d|1[1-9]\d\d|[2-9]\d{3})>", row["output"])
        ),
    }
    assert found == Counter({code: count for code, count in expected.items() if count})


@pytest.mark.parametrize("row", of_rows())
def test_an_answer_reads_the_same_token_by_token(row):
    parser = Parser()
    pieces = re.findall(r"<\w+>|[^<]", row["output"])
    mentions = [mention for piece in pieces for mention in parser.feed(piece)] + parser.close()
    assert (mentions, parser.notices, parser.plain) == read(row["output"])


# The expression of the public Space, as its users know it: words, four positions, perhaps 16 codes,
# and a label that runs to the next separator or token.
SPACE = re.compile(
    r"(.*?)"
    + r"<loc(\d{4})>" * 4
    + r"\s*"
    + "(?:%s)?" % (r"<seg(\d{3})>" * 16)
    + r"\s*([^;<>]+)? ?(?:; )?"
)


def space_reader(text):
    """Boxes and labels as the public Space reads them, one record after the other."""
    found = []
    text = text.lstrip("\n")
    while match := SPACE.match(text):
        found.append((tuple(map(int, match.groups()[1:5])), match.groups()[-1]))
        text = text[match.end() :]
    return found


@pytest.mark.parametrize("row", of_rows())
def test_each_difference_from_the_space_is_a_rule_of_ours(row):
    ours = [(mention.box, mention.label) for mention in read(row["output"])[0]]
    theirs = space_reader(row["output"])
    assert len(ours) == len(theirs)
    codes = {notice.code for notice in read(row["output"])[1]}
    for (box, label), (their_box, their_label) in zip(ours, theirs, strict=True):
        stripped = (their_label or "").strip()  # labels are stripped, a missing one is ""
        assert label == stripped or "surplus_locs" in codes  # ours go to the last whole box
        clamped = tuple(min(value, 1023) for value in their_box)
        assert box == clamped and (clamped == their_box or "out_of_range" in codes)


def test_the_rows_hold_what_the_readers_disagree_about():
    """The comparison above would mean nothing on tame answers."""
    differ = [
        row
        for row in ROWS
        if space_reader(row["output"])
        != [(mention.box, mention.label) for mention in read(row["output"])[0]]
    ]
    assert len(ROWS) >= 61 and len(differ) >= 10
