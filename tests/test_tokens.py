"""The answer language: what each form reads as, however it arrives, and written back."""

import html
import json
import random
import re
import subprocess
import sys
import urllib.parse

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postprocess.tokens import (
    BOX_2D_UNITS,
    NUM_BINS,
    NUM_CODES,
    Mention,
    MentionError,
    Parser,
    Partial,
    lexer,
    parse,
    write,
)
from postprocess.tokens.label import clean_label


def locs(*numbers: int) -> str:
    return "".join(f"<loc{number:04d}>" for number in numbers)


def segs(*numbers: int) -> str:
    return "".join(f"<seg{number:03d}>" for number in numbers)


BOX = locs(10, 20, 300, 400)
CODES = tuple(range(5, 85, 5))
MASK = segs(*CODES)
BOX_TOKENS = [locs(number) for number in (10, 20, 300, 400)]
MASK_TOKENS = [segs(code) for code in CODES]
CAT = Mention("cat", (10, 20, 300, 400))
DOG = Mention("dog", (10, 20, 300, 400))
BARE = Mention("", (10, 20, 300, 400))
MASKED_CAT = Mention("cat", (10, 20, 300, 400), CODES)


def read(text: str) -> tuple[list[Mention], list[str], str]:
    """Mentions, the codes of the notices, plain words."""
    parser = Parser()
    mentions = parser.feed(text) + parser.close()
    return mentions, [notice.code for notice in parser.notices], parser.plain


@pytest.mark.parametrize(
    ("text", "mentions", "notices", "plain"),
    [
        pytest.param("", [], [], "", id="nothing"),
        pytest.param(f"{BOX} cat", [CAT], [], "", id="a box"),
        pytest.param(f"{BOX}cat", [CAT], [], "", id="no space before the label"),
        pytest.param(f"{BOX}", [BARE], [], "", id="no label"),
        pytest.param(f"{BOX} cat ; {BOX} dog", [CAT, DOG], [], "", id="two boxes"),
        pytest.param(f"{BOX} cat;{BOX} dog ;", [CAT, DOG], [], "", id="separators without space"),
        pytest.param(f"{BOX} cat  ;   {BOX} dog ; ", [CAT, DOG], [], "", id="much space"),
        pytest.param(f"{BOX} cat {BOX} dog", [CAT, DOG], [], "", id="no separator"),
        pytest.param(f"{BOX} cat\n{BOX} dog", [CAT, DOG], [], "", id="a new line separates"),
        pytest.param(f"{BOX} cat\r\n{BOX} dog\r\n", [CAT, DOG], [], "", id="lines of Windows"),
        pytest.param(f"{BOX} ; {BOX} dog", [BARE, DOG], [], "", id="one without a label"),
        pytest.param(f"{BOX} ; ; {BOX} dog", [BARE, DOG], [], "", id="a separator too many"),
        pytest.param(f"{BOX} {BOX} cat", [BARE, CAT], [], "", id="a space parts two runs"),
        pytest.param(f"{BOX} {MASK} cat", [MASKED_CAT], [], "", id="a mask"),
        pytest.param(f"{BOX}{MASK}cat", [MASKED_CAT], [], "", id="a mask without spaces"),
        pytest.param(f"{BOX}{MASK}", [Mention("", CAT.box, CODES)], [], "", id="referring"),
        pytest.param(
            f"{BOX} {segs(*CODES[:8])} {segs(*CODES[8:])} cat",
            [MASKED_CAT],
            [],
            "",
            id="spaced mask",
        ),
        pytest.param(locs(1, 2, 3), [], ["incomplete_box"], "", id="three positions"),
        pytest.param(f"{locs(1)} cat", [], ["incomplete_box"], "", id="one position"),
        pytest.param(f"{BOX} cat ; {locs(7, 8)}", [CAT], ["incomplete_box"], "", id="cut in a box"),
        pytest.param(f"{BOX}{locs(900)} cat", [CAT], ["surplus_locs"], "", id="five positions"),
        pytest.param(
            f"{BOX}{locs(1, 2, 3, 4)} {MASK} cat",
            [BARE, Mention("cat", (1, 2, 3, 4), CODES)],
            ["surplus_locs"],
            "",
            id="eight positions",
        ),
        pytest.param(
            f"{BOX}{locs(1, 2, 3, 4, 5, 6, 7)} cat",
            [BARE, Mention("cat", (1, 2, 3, 4))],
            ["surplus_locs"],
            "",
            id="eleven positions",
        ),
        pytest.param(
            f"{BOX} {segs(*CODES[:15])} cat", [CAT], ["incomplete_mask"], "", id="fifteen codes"
        ),
        pytest.param(f"{BOX} {MASK}{segs(1)} cat", [MASKED_CAT], ["surplus_codes"], "", id="17"),
        pytest.param(f"{MASK} cat", [], ["stray_codes"], "cat", id="codes without a box"),
        pytest.param(f"{BOX} cat {MASK}", [CAT], ["stray_codes"], "", id="codes after the label"),
        pytest.param(
            f"{BOX} black {segs(3)}cat",
            [Mention("black cat", CAT.box)],
            ["stray_codes"],
            "",
            id="a code inside the label",
        ),
        pytest.param(
            f"{locs(1, 2, 3)}{MASK} cat",
            [],
            ["stray_codes", "incomplete_box"],
            "",
            id="codes after three positions",
        ),
        pytest.param(
            f"{locs(5, 6, 1024, 99999)} cat",
            [Mention("cat", (5, 6, 1023, 1023))],
            ["out_of_range", "out_of_range"],
            "",
            id="positions above the last bin",
        ),
        pytest.param(
            f"{BOX} {segs(*CODES[:15], 128)} cat", [CAT], ["out_of_range"], "", id="code 128"
        ),
        pytest.param(
            f"{BOX} {MASK}{segs(200)} cat",
            [MASKED_CAT],
            ["out_of_range", "surplus_codes"],
            "",
            id="a surplus code above the last",
        ),
        pytest.param(
            f"{locs(300, 20, 10, 400)} cat", [CAT], ["inverted_box"], "", id="upside down"
        ),
        pytest.param(
            f"{locs(10, 400, 300, 20)} cat", [CAT], ["inverted_box"], "", id="left to right"
        ),
        pytest.param(
            f"{locs(0, 1, 1022, 1023)} cat",
            [Mention("cat", (0, 1, 1022, 1023))],
            ["full_frame"],
            "",
            id="the whole frame",
        ),
        pytest.param(
            f"{locs(0, 2, 1023, 1023)} cat",
            [Mention("cat", (0, 2, 1023, 1023))],
            [],
            "",
            id="not quite the whole frame",
        ),
        pytest.param(f"{BOX} cat ; {BOX} cat", [CAT, CAT], ["repeat"], "", id="a copy"),
        pytest.param(
            f"{BOX} cat ; {BOX} {MASK} cat", [CAT, MASKED_CAT], [], "", id="codes make a difference"
        ),
        pytest.param(f"<bos>{BOX}<pad> cat<eos>", [CAT], [], "", id="marks"),
        pytest.param(
            "<loc0010><image><loc0020><bos><loc0300><loc0400> cat", [CAT], [], "", id="marks inside"
        ),
        pytest.param(f"{BOX} cat<end_of_turn>\n", [CAT], [], "", id="the end of a turn"),
        pytest.param(f"{BOX} cat<eos>{BOX} dog", [CAT, DOG], [], "", id="more after the end"),
        pytest.param("A cat.\nIt sits.", [], [], "A cat.\nIt sits.", id="a caption"),
        pytest.param("cats ; dogs", [], [], "cats ; dogs", id="words with a separator"),
        pytest.param(
            f"detect cat ; dog\n{BOX} cat", [CAT], [], "detect cat ; dog", id="the prompt's echo"
        ),
        pytest.param(f"I see: {BOX} cat\nbye", [CAT], [], "I see: bye", id="words on both sides"),
        pytest.param("a < b <loc12> <locate>", [], [], "a < b <loc12> <locate>", id="no marks"),
        pytest.param(f"{BOX} 猫, l'été", [Mention("猫, l'été", CAT.box)], [], "", id="unicode"),
        pytest.param(f"{BOX} 10 of clubs", [Mention("10 of clubs", CAT.box)], [], "", id="digits"),
        pytest.param(f"{BOX} a {{b}}", [Mention("a {b}", CAT.box)], [], "", id="braces"),
    ],
)
def test_each_form_reads_by_the_rules(text, mentions, notices, plain):
    assert read(text) == (mentions, notices, plain)


FULL_WIDTH = str.maketrans(
    {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
)  # ! to ~ as Chinese and Japanese input methods write them


@pytest.mark.parametrize(
    ("text", "mentions", "notices", "plain"),
    [
        pytest.param(" ".join(BOX_TOKENS) + " cat", [CAT], [], "", id="spaces"),
        pytest.param(", ".join(BOX_TOKENS) + " cat", [CAT], [], "", id="commas"),
        pytest.param("\n".join(BOX_TOKENS) + " cat", [CAT], [], "", id="lines"),
        pytest.param(",\r\n\t".join(BOX_TOKENS) + "\ncat", [BARE], [], "cat", id="a line behind"),
        pytest.param(str(BOX_TOKENS) + " cat", [CAT], [], "", id="a list of tokens"),
        pytest.param(
            f"{BOX} {', '.join(MASK_TOKENS)} cat", [MASKED_CAT], [], "", id="codes with commas"
        ),
        pytest.param(
            f"{BOX} " + "\n".join(MASK_TOKENS) + " cat", [MASKED_CAT], [], "", id="columns"
        ),
        pytest.param(f"{BOX}, {MASK}, cat", [MASKED_CAT], [], "", id="commas between the parts"),
        pytest.param(
            f"{BOX} {MASK}\ncat", [Mention("", CAT.box, CODES)], [], "cat", id="a line ends a mask"
        ),
        pytest.param(
            f"{locs(1, 2, 3)}\ncat", [], ["incomplete_box"], "cat", id="a line ends half a box"
        ),
        pytest.param(
            f"{BOX} {segs(*CODES[:9])}\n{BOX} dog",
            [BARE, DOG],
            ["incomplete_mask"],
            "",
            id="a line ends half a mask",
        ),
        pytest.param(html.escape(f"{BOX} cat"), [CAT], ["escaped"], "", id="HTML"),
        pytest.param(
            html.escape(html.escape(f"{BOX} {MASK} cat")), [MASKED_CAT], ["escaped"], "", id="twice"
        ),
        pytest.param(
            html.escape(f'{BOX} dog & "cat"'),
            [Mention('dog & "cat"', CAT.box)],
            ["escaped"],
            "",
            id="HTML in the label",
        ),
        pytest.param(
            BOX.replace("<", "&#60;").replace(">", "&#x3E;"), [BARE], ["escaped"], "", id="numbers"
        ),
        pytest.param(
            json.dumps(f"{BOX} cat\n").replace("<", "\\u003c").replace(">", "\\u003e"),
            [CAT],
            ["escaped"],
            "",
            id="JSON",
        ),
        pytest.param(
            f"{BOX} cat".replace("<", "\\<").replace(">", "\\>"),
            [CAT],
            ["escaped"],
            "",
            id="Markdown",
        ),
        pytest.param(urllib.parse.quote(BOX), [BARE], ["escaped"], "", id="an address"),
        pytest.param(f"`{BOX} cat`", [CAT], ["escaped"], "", id="code"),
        pytest.param(
            f"So:\n```text\n{BOX} cat ; {BOX} dog\n```\nBye.",
            [CAT, DOG],
            ["escaped"],
            "So: Bye.",
            id="a fence",
        ),
        pytest.param(
            f"{BOX} cat".upper(), [Mention("CAT", CAT.box)], ["escaped"], "", id="capitals"
        ),
        pytest.param(f"{BOX.translate(FULL_WIDTH)} cat", [CAT], ["escaped"], "", id="full-width"),
        pytest.param(f"{BOX} cat<EOS>", [CAT], ["escaped"], "", id="an end mark in capitals"),
        pytest.param(
            f"{html.escape(BOX)} cat ; {html.escape(BOX)} dog",
            [CAT, DOG],
            ["escaped"],
            "",
            id="once",
        ),
        pytest.param("R&D &amp; a 5% \\ b", [], [], "R&D &amp; a 5% \\ b", id="nothing escaped"),
        pytest.param(
            f"<|channel>thought\n{BOX} dog<channel|>Yes: {BOX} cat",
            [CAT],
            [],
            "Yes:",
            id="a thought",
        ),
        pytest.param(f"<think>{BOX} dog</think>\n{BOX} cat", [CAT], [], "", id="another's thought"),
        pytest.param(f"{BOX} cat ; <think>{BOX} dog", [CAT], [], "", id="a thought without an end"),
    ],
)
def test_tokens_are_read_however_they_are_wrapped(text, mentions, notices, plain):
    assert read(text) == (mentions, notices, plain)


def test_a_thought_is_kept_apart():
    parser = Parser()
    parser.feed(f"<|channel>thought\nI see {BOX} a dog.<channel|>{BOX} cat")
    parser.close()
    assert parser.thought == f"I see {BOX} a dog." and parser.plain == ""


@pytest.mark.parametrize(
    ("words", "label"),
    [
        pytest.param("\u2581cat\u2581", "cat", id="sentencepiece"),
        pytest.param("black\u2581cat", "black cat", id="sentencepiece inside"),
        pytest.param("cat]'", "cat", id="the end of a list"),
        pytest.param("cat`", "cat", id="a backtick"),
        pytest.param("`${cat}`{{dog}}", "`${cat}`{{dog}}", id="backticks that belong to it"),
        pytest.param("cat</s>", "cat", id="another end mark"),
        pytest.param("cat<unk>", "cat", id="unknown"),
        pytest.param("cat<|im_end|>", "cat", id="the end of a turn elsewhere"),
        pytest.param("'cat'", "cat", id="quotes"),
        pytest.param("\u201ccat\u201d", "cat", id="curly quotes"),
        pytest.param("\u300c\u732b\u300d", "\u732b", id="corner brackets"),
        pytest.param("[cat]", "cat", id="brackets"),
        pytest.param("(cat),", "cat", id="a comma"),
        pytest.param("**cat**", "cat", id="bold"),
        pytest.param("cat (black)", "cat (black)", id="brackets that belong to it"),
        pytest.param("man's hat", "man's hat", id="an apostrophe"),
        pytest.param('the "Queen"', 'the "Queen"', id="quotes that belong to it"),
        pytest.param("black cat, left", "black cat, left", id="a comma inside"),
        pytest.param("'" * 5000, "", id="nothing but quotes"),
    ],
)
def test_what_surrounds_a_label_is_no_part_of_it(words, label):
    assert [mention.label for mention in parse(f"{BOX} {words}")] == [label]


def test_a_list_of_texts_is_read_without_its_quotes():
    text = repr([f"{BOX} cat", f"{BOX} man's hat", f"{BOX} dog"])
    assert [mention.label for mention in parse(text)] == ["cat", "man's hat", "dog"]


def box_2d(*numbers: object, **rest: object) -> str:
    return json.dumps({"box_2d": numbers, **rest})


THOUSANDTHS = Mention("cat", (10, 20, 300, 400), units=BOX_2D_UNITS)


@pytest.mark.parametrize(
    ("text", "mentions", "notices", "plain"),
    [
        pytest.param(
            f"```json\n[\n  {box_2d(10, 20, 300, 400, label='cat')}\n]\n```",
            [THOUSANDTHS],
            [],
            "",
            id="fenced",
        ),
        pytest.param(
            f"[{box_2d(10, 20, 300, 400, label='cat')}, {box_2d(1, 2, 3, 4, label='dog')}]",
            [THOUSANDTHS, Mention("dog", (1, 2, 3, 4), units=BOX_2D_UNITS)],
            [],
            "",
            id="bare",
        ),
        pytest.param(
            f"Sure! {box_2d(10, 20, 300, 400, label='cat')} Bye.",
            [THOUSANDTHS],
            [],
            "Sure! Bye.",
            id="among words",
        ),
        pytest.param(
            box_2d(10, 20, 300, 400, label='a "}{" \\ b'),
            [Mention('a "}{" \\ b', THOUSANDTHS.box, units=BOX_2D_UNITS)],
            [],
            "",
            id="quotes and braces in a label",
        ),
        pytest.param(
            box_2d(10, 20, 300, 400, label="a;\nb"),
            [Mention("a; b", THOUSANDTHS.box, units=BOX_2D_UNITS)],
            [],
            "",
            id="a separator in a label",
        ),
        pytest.param(
            box_2d(10.4, 20, 300, 399.6),
            [Mention("", THOUSANDTHS.box, units=1000)],
            [],
            "",
            id="real",
        ),
        pytest.param(
            box_2d(300, 400, 10, 1001, label="cat"),
            [Mention("cat", (10, 400, 300, 1000), units=BOX_2D_UNITS)],
            ["out_of_range", "inverted_box"],
            "",
            id="out of range and inverted",
        ),
        pytest.param(
            box_2d(0, 0, 1000, 1000, label="cat"),
            [Mention("cat", (0, 0, 1000, 1000), units=BOX_2D_UNITS)],
            ["full_frame"],
            "",
            id="the whole frame",
        ),
        pytest.param(box_2d(1, 2, 3), [], ["incomplete_box"], "", id="three numbers"),
        pytest.param(
            '[{"box_2d": [10, 20, 300, 400], "label": "cat',
            [THOUSANDTHS],
            [],
            "",
            id="cut in the label",
        ),
        pytest.param('[{"box_2d": [10, 20, 30', [], ["incomplete_box"], "", id="cut in the box"),
        pytest.param('{"a": 1} {b}', [], [], '{"a": 1} {b}', id="other JSON"),
        pytest.param("{" * 3000 + "}" * 3000, [], [], "{" * 3000 + "}" * 3000, id="braces"),
        pytest.param('{"box_2d": ' + "[" * 99999 + "}", [], [], None, id="a list too deep"),
        pytest.param(
            '{"box_2d": [1, 2, 3, 1' + "0" * 5000 + "]}", [], [], None, id="a number too long"
        ),
        pytest.param(f'{{"a: {BOX} cat', [CAT], [], '{"a:', id="a record ends a broken string"),
        pytest.param(
            f"{BOX} cat ; {box_2d(10, 20, 300, 400, label='cat')}",
            [CAT, THOUSANDTHS],
            [],
            "",
            id="after a record",
        ),
    ],
)
def test_boxes_in_json_are_read_in_thousandths(text, mentions, notices, plain):
    found = read(text)
    assert found[:2] == (mentions, notices)
    assert plain is None or found[2] == plain


def test_an_apostrophe_in_braces_opens_no_string():
    box = '{"box_2d": [10, 20, 300, 400], "label": "cat"}'
    mentions, notices, plain = read(f"{{a man's hat}} {box}")
    assert mentions == [Mention("cat", (10, 20, 300, 400), units=1000)]
    assert (notices, plain) == ([], "{a man's hat}")


@pytest.mark.parametrize("surplus, said", [(0, "boxes of 4."), (2, "boxes of 4 and 2 left out.")])
def test_positions_that_make_no_box_are_told(surplus, said):
    parser = Parser()
    parser.feed(f"{BOX}{BOX}{BOX[: surplus * len('<loc0000>')]} cat")
    parser.close()
    (notice,) = parser.notices
    assert notice.code == "surplus_locs" and notice.message.endswith(said)


def test_notices_point_at_the_characters_they_are_about():
    text = f"{BOX}{locs(1024)} {segs(1)} cat ; {segs(2)}{segs(3)}x {locs(1, 2)}"
    parser = Parser()
    parser.feed(text)
    parser.close()
    places = {notice.code: text[notice.start :] for notice in parser.notices}
    assert places["out_of_range"].startswith("<loc1024>")
    assert places["surplus_locs"].startswith("<loc1024>")
    assert places["incomplete_mask"].startswith("<seg001>")
    assert places["stray_codes"].startswith("<seg002>")
    assert places["incomplete_box"].startswith("<loc0001><loc0002>")
    assert all(notice.message.endswith(".") for notice in parser.notices)


def test_a_mention_knows_its_characters():
    text = f"words {BOX} {MASK} black cat ; {BOX}{locs(1, 2, 3, 4)}"
    assert [text[mention.start : mention.end] for mention in parse(text)] == [
        f"{BOX} {MASK} black cat",
        BOX,
        locs(1, 2, 3, 4),
    ]


def test_only_closed_records_are_mentions_until_the_end():
    text = f"{BOX} cat ; {BOX} dog"
    assert parse(text, final=False) == [CAT]
    assert parse(text) == [CAT, DOG]
    assert parse(text + ";", final=False) == [CAT, DOG]


@pytest.mark.parametrize(
    ("text", "partial"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("words", None, id="words"),
        pytest.param(f"{BOX} cat ;", None, id="between records"),
        pytest.param(locs(1, 2), Partial("", (1, 2), ()), id="two positions"),
        pytest.param(f"{locs(1, 2)}<lo", Partial("", (1, 2), ()), id="half a position"),
        pytest.param(BOX, Partial("", CAT.box, ()), id="four positions"),
        pytest.param(BOX + locs(7), Partial("", (7,), ()), id="the next box of a run"),
        pytest.param(f"{BOX} {segs(4, 5)}", Partial("", CAT.box, (4, 5)), id="two codes"),
        pytest.param(f"{BOX} {MASK}{segs(1)}", Partial("", CAT.box, CODES), id="17 codes"),
        pytest.param(f"{BOX} {segs(1, 128)}", Partial("", CAT.box, ()), id="an unsound code"),
        pytest.param(f"{BOX} black ca", Partial("black ca", CAT.box, ()), id="half a label"),
        pytest.param('{"box_2d": [10, 20, 3', Partial("", (10, 20), (), 1000), id="JSON numbers"),
        pytest.param(
            '{"box_2d": [10, 20, 300, 400], "label": "ca',
            Partial("ca", CAT.box, (), 1000),
            id="JSON label",
        ),
    ],
)
def test_the_record_being_written_is_known_so_far(text, partial):
    parser = Parser()
    parser.feed(text)
    assert parser.partial == partial


def test_a_partial_record_can_be_shown_once_it_has_a_box():
    assert Partial("ca", (1, 2, 3), ()).mention is None
    assert Partial("ca", (3, 2, 1, 4), ()).mention == Mention("ca", (1, 2, 3, 4))
    shown = Partial("", CAT.box, (4, 5)).mention
    assert shown is not None and shown.codes == (4, 5) + (-1,) * 14


# The pieces that answers are made of, sound and unsound.
PIECES = st.one_of(
    st.integers(0, 1100).map(locs),
    st.integers(0, 140).map(segs),
    st.just(BOX),
    st.just(MASK),
    st.sampled_from(
        ["<bos>", "<pad>", "<image>", "<eos>", "<end_of_turn>", ";", " ; ", " ", "\n", "\r\n"]
    ),
    st.sampled_from(
        [
            "cat",
            "dog",
            "<",
            "<loc",
            "<loc12",
            "<seg1>",
            "<eo",
            "\u00a0",
            "é",
            "猫",
            "```json\n[",
            "]```",
        ]
    ),
    st.sampled_from(
        [
            '{"box_2d": [1, 2, 3, 4], "label": "cat"}',
            '{"box_2d": [',
            '"',
            "{",
            "}",
            "\\",
            '"}',
            ", ",
            "'",
            "//",
            "/*",
            "*/",
            "{'point': [5, 6], 'label': 'a'},",
            '{"objects": [',
            '{"x_min":0.1,"y_min":0.2,"x_max":0.3,"y_max":0.4}',
            "]}",
        ]
    ),
    st.sampled_from(
        [
            "<ref>cat</ref>",
            "<ref>",
            "<box>(1,2),(3,4)</box>",
            "<box>",
            "</box>",
            "<|det|>[[1, 2, 3, 4]]<|/det|>",
            "<loc_12>",
            "<loc_1><loc_2><loc_3><loc_4>",
            "<sep>",
            '<point x="1" y="2" alt="a">a</point>',
            "</point>",
            "<think>",
            "</think>",
            "<|channel>thought",
            "<channel|>",
        ]
    ),
    st.sampled_from(
        [
            "&lt;loc0102&gt;",
            "&amp;lt;seg001&amp;gt;",
            "\\u003cloc0102\\u003e",
            "\\<loc0102\\>",
            "%3Cloc0102%3E",
            "\uff1c\uff4c\uff4f\uff43\uff10\uff11\uff10\uff12\uff1e",
            "<LOC0102>",
            "&quot;",
            "&amp;",
            "\\n",
            "&#60;",
            "`",
            "```",
            "\u2581",
            "</s>",
        ]
    ),
    st.text(max_size=5),
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)


def snapshots(arrival: list[str]) -> list[tuple[object, ...]]:
    """All that is known of a text before and after it is closed."""
    parser = Parser()
    mentions = [mention for piece in arrival for mention in parser.feed(piece)]
    return [state(parser, mentions), state(parser, mentions + parser.close())]


def state(parser: Parser, mentions: list[Mention]) -> tuple[object, ...]:
    spans = [(mention, mention.start, mention.end) for mention in mentions]
    return spans, list(parser.notices), parser.plain, parser.partial


@given(TEXTS, st.data())
@settings(max_examples=300, deadline=None)
def test_however_the_text_arrives_it_reads_the_same(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert snapshots(list(text)) == snapshots(pieces) == snapshots([text])


@pytest.mark.parametrize(
    "opening, closing",
    [
        ("<", ">"),
        ("&lt;", "&gt;"),
        ("&amp;#x3c;", "&#62;"),
        ("\\u003c", "\\u003e"),
        ("\\<", "\\>"),
        ("%3C", "%3e"),
        ("\uff1c", "\uff1e"),
        ("\ufe64", "\ufe65"),
    ],
)
def test_tokens_are_read_letter_by_letter_however_they_are_escaped(opening, closing):
    text = BOX.replace("<", opening).replace(">", closing) + " cat"
    assert parse(text) == [CAT]
    assert snapshots(list(text)) == snapshots([text])


@given(TEXTS)
@settings(max_examples=100, deadline=None)
@example(f"{BOX}{BOX}{BOX} cat ; {BOX}")
@example("<box><loc_12>}<box>(1,2),(3,4)</box>;<loc_1><loc_2><loc_3><loc_4>]```")
def test_a_prefix_parses_to_a_prefix(text):
    whole = parse(text)
    for cut in range(len(text) + 1):
        mentions = parse(text[:cut], final=False)
        assert mentions == whole[: len(mentions)]


MARK = re.compile(r"<(loc\d{4,6}|seg\d{3,6}|bos|pad|image|eos|end_of_turn)>", re.ASCII)
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters=";\r\n")
LABELS = st.text(LETTERS).map(clean_label).filter(lambda label: not MARK.search(label))
SOUND = st.builds(
    lambda label, ys, xs, codes: Mention(
        label, (min(ys), min(xs), max(ys), max(xs)), tuple(codes or ())
    ),
    LABELS,
    st.tuples(st.integers(0, NUM_BINS - 1), st.integers(0, NUM_BINS - 1)),
    st.tuples(st.integers(0, NUM_BINS - 1), st.integers(0, NUM_BINS - 1)),
    st.none() | st.lists(st.integers(0, NUM_CODES - 1), min_size=16, max_size=16),
)


@given(st.lists(SOUND, max_size=6))
@settings(max_examples=300, deadline=None)
def test_what_is_written_reads_back_the_same(mentions):
    assert parse(write(mentions)) == mentions


def test_writing_takes_the_form_that_models_were_trained_on():
    assert write([CAT, MASKED_CAT, BARE]) == f"{BOX} cat ; {BOX} {MASK} cat ; {BOX}"
    assert write([]) == ""


@pytest.mark.parametrize(
    ("mention", "said"),
    [
        pytest.param(Mention("a;b", (1, 2, 3, 4)), "a;b", id="separator"),
        pytest.param(Mention("a\nb", (1, 2, 3, 4)), "new line", id="new line"),
        pytest.param(Mention(" a", (1, 2, 3, 4)), "space", id="space at an end"),
        pytest.param(Mention("a<loc0001>", (1, 2, 3, 4)), "<loc", id="a position"),
        pytest.param(Mention("<eos>", (1, 2, 3, 4)), "mark", id="an end mark"),
        pytest.param(Mention("a", (1, 2, 3, 1024)), "1023", id="a position out of range"),
        pytest.param(Mention("a", (5, 2, 3, 4)), "y0 <= y1", id="upside down"),
        pytest.param(Mention("a", (1, 2, 3, 4), (1, 2)), "16", id="two codes"),
        pytest.param(Mention("a", (1, 2, 3, 4), (128,) * 16), "127", id="a code out of range"),
        pytest.param(Mention("a", (1, 2, 3, 4), units=1000), "1000", id="thousandths"),
        pytest.param(Mention("a", (1, 2, 1, 2), point=(1, 2)), "point", id="a point"),
        pytest.param(Mention("[a]", (1, 2, 3, 4)), "brackets", id="brackets around it"),
        pytest.param(Mention("a\\<loc0001>", (1, 2, 3, 4)), "<loc", id="an escaped position"),
    ],
)
def test_what_would_read_back_differently_is_refused(mention, said):
    with pytest.raises(MentionError, match=said):
        write([mention])


def nonsense(rng: random.Random) -> str:
    """A string of tokens, their halves, JSON and bytes, in any order."""
    words = (
        lambda: locs(rng.randrange(1200)),
        lambda: locs(*(rng.randrange(1024) for _ in range(4))),
        lambda: segs(*(rng.randrange(140) for _ in range(rng.choice((1, 15, 16, 17))))),
        lambda: rng.choice(
            (";", " ; ", " ", "\n", "<eos>", "<bos>", "cat", "<", "{", "}", '"', "\\")
        ),
        lambda: rng.choice(
            ('{"box_2d": [1,2,3,4]', ', "label": "a"}', "```json", "[", "]", "1e999")
        ),
        lambda: locs(rng.randrange(1024))[: rng.randrange(9)],
        lambda: bytes(rng.randrange(256) for _ in range(4)).decode("utf-8", "surrogateescape"),
    )
    return "".join(rng.choice(words)() for _ in range(rng.randrange(14)))


def check_nonsense(count: int, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(count):
        text = nonsense(rng)
        parser = Parser()
        mentions = parser.feed(text) + parser.close()
        for mention in mentions:
            y0, x0, y1, x1 = mention.box
            assert 0 <= y0 <= y1 <= mention.units and 0 <= x0 <= x1 <= mention.units
            assert len(mention.codes) in (0, 16) and mention.label == mention.label.strip()
            assert 0 <= mention.start < mention.end <= len(text)
        assert all(0 <= notice.start < len(text) for notice in parser.notices)
        assert isinstance(parser.plain, str)


def test_20000_strings_of_nonsense_are_read():
    check_nonsense(20_000, seed=1)


@pytest.mark.slow
def test_300000_strings_of_nonsense_are_read():
    check_nonsense(300_000, seed=2)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=200, deadline=None)
def test_any_text_at_all_is_read(text):
    parser = Parser()
    parser.feed(text)
    parser.close()
    assert parser.partial is None


def characters_looked_at(monkeypatch, text: str, step: int) -> int:
    """How many characters the lexer's pattern is run over while a text arrives in steps."""
    looked_at = 0
    cut = lexer._cut

    def counting(part: str, offset: int):
        nonlocal looked_at
        looked_at += len(part)
        return cut(part, offset)

    monkeypatch.setattr(lexer, "_cut", counting)
    parser = Parser()
    for start in range(0, len(text), step):
        parser.feed(text[start : start + step])
    parser.close()
    monkeypatch.undo()
    return looked_at


@pytest.mark.parametrize("step", [1, 9, 10**9], ids=["characters", "tokens", "at once"])
def test_each_character_is_looked_at_once(monkeypatch, step):
    text = f" {BOX} {MASK} cat ; " * 50
    assert characters_looked_at(monkeypatch, text, step) == len(text)


def lines_run(text: str, step: int) -> int:
    """How many lines of this package run while a text arrives in steps: work, not time."""
    count = 0

    def local(frame, event, argument):
        nonlocal count
        count += event == "line"
        return local

    def tracer(frame, event, argument):
        return local if "postprocess" in frame.f_code.co_filename else None

    parser = Parser()
    previous = sys.gettrace()
    sys.settrace(tracer)
    try:
        for start in range(0, len(text), step):
            parser.feed(text[start : start + step])
        parser.close()
    finally:
        sys.settrace(previous)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param(f"{BOX} cat ; ", id="boxes"),
        pytest.param(BOX, id="one endless run"),
        pytest.param(f"{BOX} " + MASK * 4, id="codes"),
        pytest.param("word ", id="words"),
        pytest.param('{"box_2d": [1, 2, 3, 4], "label": "a"}, ', id="JSON"),
        pytest.param("{", id="braces"),
        pytest.param("{'a': {'b': 1}}, ", id="other objects"),
        pytest.param("<ref>cat</ref><box>(1,2),(3,4)</box> ", id="tags"),
        pytest.param("<ref><", id="broken tags"),
        pytest.param("cat<loc_1><loc_2><loc_3><loc_4>", id="Florence-2"),
        pytest.param("&lt;loc0102&gt;", id="escapes"),
        pytest.param("<loc0001>, ", id="a run with commas"),
    ],
)
@pytest.mark.parametrize("step", [3, 10**9], ids=["in pieces", "at once"])
def test_twice_the_text_is_twice_the_work(unit, step):
    once, twice = lines_run(unit * 60, step), lines_run(unit * 120, step)
    assert twice <= 2.05 * once + 50


@pytest.mark.slow
def test_10000_objects_are_read():
    text = " ; ".join(f"{locs(k % 500, 1, 600, 700)} {MASK} cat" for k in range(10_000))
    assert len(parse(text)) == 10_000


def test_the_language_needs_nothing_but_python():
    said = (
        "import sys; import postprocess; from postprocess import parse, Parser, Notice; parse('');"
        "print([n for n in ('torch', 'numpy', 'PIL', 'cv2', 'gradio') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
