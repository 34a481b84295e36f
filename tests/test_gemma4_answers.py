"""What Gemma 4 really wrote, and shapes of answers that are likely: each read as what it says."""

from __future__ import annotations

import pytest

from gemma_vision.requests.request import without_thoughts
from postprocess.tokens import Parser

BLOG = '```json\n[\n  {"box_2d": [171, 75, 245, 308], "label": "view recipe element"}\n]\n```'
COWS = (
    "No, these images are not identical.\n\nThe first image is a photograph of a **cow** standing "
    "on a beach under a blue sky.\n\n"
)
COW = (
    "This image shows a **brown and white cow** standing on a **sandy beach** with the **ocean and "
    "a blue sky** in the background"
)
STREET = (
    "Based on the image, here is a description of what I see:\n\n**Foreground & Street Scene:**\n* "
    "**Traffic Sign:** The most prominent"
)
SEAGULL = (
    "A solitary seagull perches atop a grey stone pedestal in a bustling European piazza, with the "
    "historical grandeur of a classical building dominating the right side of the frame, "
    "contrasting with the more modern, low-rise architecture in the background under a bright, "
    "hazy sky."
)
TEMPLE = (
    "Based on the image, which appears to show a magnificent, ornate **Buddhist temple or "
    "pagoda**, likely in Southeast Asia (such as Thailand, Myanmar, or Cambodia), here is some "
    "general travel advice.."
)
TOOL = '<|tool_call>call:get_weather{city:<|"|>Bangkok<|"|>}<tool_call|><eos>'

Box = tuple[str, tuple[int, int, int, int]]


def read(text: str) -> Parser:
    parser = Parser()
    parser.mentions = parser.feed(text) + parser.close()  # type: ignore[attr-defined]
    return parser


@pytest.mark.parametrize(
    "text, boxes",
    [
        pytest.param(BLOG, [("view recipe element", (171, 75, 245, 308))], id="the blog's"),
        pytest.param(f"Here it is:\n{BLOG}\nThat is all.", 1, id="text around the fence"),
        pytest.param('[{"box_2d": [1, 2, 3, 4], "label": "a"}]', 1, id="bare, in one line"),
        pytest.param('[{"box_2d": [1, 2, 3, 4]}]', [("", (1, 2, 3, 4))], id="no label"),
        pytest.param('[{"box_2d": [1, 2, 3, 4], "name": "a"}]', [("a", (1, 2, 3, 4))], id="name"),
        pytest.param(
            '{"objects": [{"box_2d": [1, 2, 3, 4], "label": "a"}]}', 1, id="within an object"
        ),
        pytest.param(
            '<|channel>thought\n[{"box_2d": [9, 9, 9, 9], "label": "no"}]\n<channel|>'
            '[{"box_2d": [1, 2, 3, 4], "label": "a"}]<turn|>',
            [("a", (1, 2, 3, 4))],
            id="behind a thought with a box",
        ),
        pytest.param(
            "<|channel>thought\n<channel|>" + BLOG + "<turn|>", 1, id="behind an empty thought"
        ),
        pytest.param('```json\n[{"box_2d": [1, 2, 3, 4], "label": "a"}, {"box_', 1, id="cut"),
        pytest.param("[{'box_2d': [1, 2, 3, 4], 'label': 'a'},]", 1, id="single quotes"),
        pytest.param(
            '{"box_2d": [[1, 2, 3, 4], [5, 6, 7, 8]], "label": "a"}',
            [("a", (1, 2, 3, 4)), ("a", (5, 6, 7, 8))],
            id="several in one",
        ),
        pytest.param(
            '[{"box_2d": {"ymin": 1, "xmin": 2, "ymax": 3, "xmax": 4}, "label": "a"}]',
            [("a", (1, 2, 3, 4))],
            id="sides by name",
        ),
        pytest.param(
            '[{"label": "a", "box_2d": {"x1": 2, "y1": 1, "x2": 4, "y2": 3}}]',
            [("a", (1, 2, 3, 4))],
            id="sides by number",
        ),
        pytest.param(
            '[{"box_2d": [1, 2, 3, 4], "label": ["a", "b"]}]', [("a", (1, 2, 3, 4))], id="labels"
        ),
    ],
)
def test_boxes_are_read_whatever_stands_around_them(text: str, boxes: list[Box] | int) -> None:
    parser = read(text)
    found = [(one.label, one.box) for one in parser.mentions]
    assert (found == boxes) if isinstance(boxes, list) else (len(found) == boxes)
    assert all(one.units == 1000 for one in parser.mentions)
    for mark in ("box_2d", "objects", "thought", "<turn|>", "channel"):
        assert mark not in parser.plain


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[]", id="a list"),
        pytest.param("```json\n[]\n```", id="fenced"),
        pytest.param('{"objects":[]}', id="an object"),
        pytest.param('{"objects": []}', id="with a space"),
        pytest.param("<|channel>thought\nNo cat.\n<channel|>[]<turn|>", id="behind a thought"),
        pytest.param('[{"box_2d": null, "label": "cat"}]', id="null"),
        pytest.param('[{"box_2d": [null, null, null, null], "label": "cat"}]', id="four nulls"),
        pytest.param('[{"box_2d": [0, 0, 0, 0], "label": "cat"}]', id="four zeros"),
    ],
)
def test_nothing_found_is_an_answer_of_no_things(text: str) -> None:
    parser = read(text)
    assert parser.mentions == [] and parser.plain.strip() == ""


def test_four_zeros_are_said_to_mean_nothing() -> None:
    assert [one.code for one in read('{"box_2d": [0, 0, 0, 0], "label": "cat"}').notices] == [
        "unread"
    ]


def test_points_are_read() -> None:
    parser = read('```json\n[{"point": [376, 508], "label": "cat"}]\n```')
    (one,) = parser.mentions
    assert (one.point, one.label, one.units) == ((376, 508), "cat", 1000)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("I have received the image.", id="no task"),
        pytest.param(COWS, id="two pictures"),
        pytest.param(COW, id="what is shown"),
        pytest.param(STREET, id="what do you see"),
        pytest.param(SEAGULL, id="a caption"),
        pytest.param(TEMPLE, id="cut at 100 tokens"),
    ],
)
def test_words_stay_words(text: str) -> None:
    parser = read(text)
    assert parser.mentions == [] and parser.plain.strip() == text.strip()


def test_a_call_of_a_tool_is_no_thing() -> None:
    assert read(TOOL).mentions == []


def test_words_without_their_thoughts() -> None:
    assert without_thoughts("<|channel>thought\na dog?\n<channel|>a cat") == "a cat"
    assert without_thoughts("<|channel>thought\na dog? and on") == ""
    assert without_thoughts("a cat") == "a cat"


@pytest.mark.parametrize(
    "text, thought",
    [
        pytest.param("<|channel>thought\nA cat?\nYes.<channel|>[]", "A cat?\nYes.", id="Gemma 4"),
        pytest.param("<|channel>thou", "", id="the name is being written"),
        pytest.param("<|channel>thought\nA c", "A c", id="it grows"),
        pytest.param("<think>thought so\nA cat?</think>[]", "thought so\nA cat?", id="another's"),
        pytest.param("<|channel>A cat?<channel|>[]", "A cat?", id="no name"),
    ],
)
def test_the_name_of_the_channel_is_none_of_the_thought(text: str, thought: str) -> None:
    assert read(text).thought == thought
