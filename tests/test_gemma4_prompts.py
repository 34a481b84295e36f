"""Gemma 4's prompts, thoughts and options, by the published chat template."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import Environment
from PIL import Image
from tiny_models import make_tokenizer

from gemma_vision.requests.family import Family
from gemma_vision.requests.prompts import GEMMA3, GEMMA4, GEMMA4E, PALIGEMMA
from gemma_vision.requests.request import Request, Turn
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.detokenizer import Detokenizer
from gemma_vision.runtime.thinking import ThoughtCounter, ThoughtMarks
from postprocess.tokens import Parser

PICTURE = Image.new("RGB", (30, 20))
MARKS = ["<|turn>", "<turn|>", "<|image|>", "<|image>", "<image|>", "<|channel>", "<channel|>"]
MARKS += ["<|think|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<|audio|>", "<|video|>"]
# What the published templates write, put down from their rules: turns with marks around them, one
# system turn where there is a system text or thinking, items with nothing between them, texts
# trimmed, earlier thoughts dropped, and an empty thought where the large models are to have none.
TEMPLATE = """\
{{ '<bos>' }}\
{%- set first = messages[0] -%}
{%- if thinking or first.role == 'system' -%}
{{ '<|turn>system\\n' }}{{ '<|think|>\\n' if thinking }}\
{{ first.content[0].text | trim if first.role == 'system' }}{{ '<turn|>\\n' }}
{%- endif -%}
{%- for message in messages if message.role != 'system' -%}
{{ '<|turn>' + message.role + '\\n' }}
{%- for item in message.content -%}
{{ '<|image|>' if item.type == 'image' else item.text.split('<channel|>')[-1] | trim }}
{%- endfor -%}
{{ '<turn|>\\n' }}
{%- endfor -%}
{{ '<|turn>model\\n' }}{{ '<|channel>thought\\n<channel|>' if closed and not thinking }}"""


def rendered(request: Request, words: str, closed: bool) -> str:
    """The same conversation by the template."""
    messages: list[dict[str, Any]] = [
        {"role": turn.role, "content": items(len(turn.images), turn.text)} for turn in request.turns
    ]
    count = len(request.images) - sum(len(turn.images) for turn in request.turns)
    messages.append({"role": "user", "content": items(count, words)})
    template = Environment(trim_blocks=False).from_string(TEMPLATE)
    return template.render(messages=messages, thinking=bool(request.thinking), closed=closed)


def items(count: int, text: str) -> list[dict[str, str]]:
    return [{"type": "image"}] * count + [{"type": "text", "text": text}]


CHAT = (
    Turn("user", " what is it? ", (PICTURE, PICTURE)),
    Turn("model", "<|channel>thought\nA cat, or a dog.\n<channel|>a cat "),
)
REQUESTS = [
    pytest.param(Request(PICTURE, Task.ask, " what is it? "), id="one picture"),
    pytest.param(Request((PICTURE, PICTURE), Task.free, "compare"), id="two pictures"),
    pytest.param(Request(PICTURE, Task.ask, "what is it?", thinking=64), id="thinking"),
    pytest.param(Request(PICTURE, Task.chat, "and this?", turns=CHAT), id="a conversation"),
    pytest.param(
        Request(PICTURE, Task.chat, "and?", turns=(Turn("system", "Be short. "), *CHAT)),
        id="system",
    ),
    pytest.param(
        Request(PICTURE, Task.chat, "a", turns=(Turn("system", "Be short."),), thinking=9),
        id="system, thinking",
    ),
]


@pytest.mark.parametrize("family", [GEMMA4E, GEMMA4], ids=["E2B", "31B"])
@pytest.mark.parametrize("request_", REQUESTS)
def test_prompts_and_their_ids_are_the_templates(family: Family, request_: Request) -> None:
    written = family.write_prompt(request_)
    expected = rendered(request_, request_.text, family.closes_thought)
    assert "<bos>" + written == expected
    counts = [3, 5, 2][: len(request_.images)]
    laid_out = family.lay_out(written, [1] * len(counts))
    tokenizer = make_tokenizer(family.name)
    ids = tokenizer.encode(laid_out, add_special_tokens=False).ids
    image = tokenizer.token_to_id("<|image|>")
    around = tuple(tokenizer.token_to_id(mark) for mark in ("<|image>", "<image|>"))
    theirs = tokenizer.encode(expected, add_special_tokens=False).ids
    wrapped = [
        one for id_ in theirs for one in ((around[0], id_, around[1]) if id_ == image else (id_,))
    ]
    assert ids == wrapped and ids.count(tokenizer.token_to_id("<bos>")) == 1


def test_the_two_sizes_differ_where_there_is_to_be_no_thought() -> None:
    request = Request(PICTURE, Task.ask, "a")
    assert GEMMA4E.write_prompt(request).endswith("<|turn>model\n")
    assert GEMMA4.write_prompt(request).endswith("<|turn>model\n<|channel>thought\n<channel|>")
    thinking = Request(PICTURE, Task.ask, "a", thinking=10)
    assert GEMMA4.write_prompt(thinking) == GEMMA4E.write_prompt(thinking)


def test_gemma_3_puts_what_holds_for_all_before_the_first_words() -> None:
    request = Request(PICTURE, Task.chat, "hi", turns=(Turn("system", "Be short."),))
    assert GEMMA3.write_prompt(request) == (
        "<start_of_turn>user\nBe short.\n\n<start_of_image>hi<end_of_turn>\n<start_of_turn>model\n"
    )


@pytest.mark.parametrize("mark", MARKS)
def test_a_persons_text_cannot_hold_marks(mark: str) -> None:
    with pytest.raises(TaskError, match="command to the model") as caught:
        Request(PICTURE, Task.ask, f"what is {mark} this?")
    assert caught.value.code == "E_CONTROL_TOKEN"


@pytest.mark.parametrize(
    "family, request_, code, said",
    [
        pytest.param(
            GEMMA4E, ("segment", "cat", {}), "E_TASK_UNSUPPORTED", "PaliGemma", id="masks"
        ),
        pytest.param(GEMMA4, ("segment", "cat", {}), "E_TASK_UNSUPPORTED", "PaliGemma", id="31B"),
        pytest.param(PALIGEMMA, ("point", "cat", {}), "E_TASK_UNSUPPORTED", "point", id="point"),
        pytest.param(PALIGEMMA, ("detect", "cat", {"budget": 280}), "E_BUDGET", "budget", id="280"),
        pytest.param(GEMMA3, ("ask", "a", {"thinking": 9}), "E_THINKING", "thinking", id="thinks"),
        pytest.param(
            GEMMA4E, ("ask", "a", {"pan_and_scan": True}), "E_PAN_AND_SCAN", "whole", id="crops"
        ),
    ],
)
def test_what_a_family_cannot_is_refused(family: Family, request_, code: str, said: str) -> None:
    task, text, options = request_
    with pytest.raises(TaskError, match=said) as caught:
        family.write_prompt(Request(PICTURE, task, text, **options))
    assert caught.value.code == code


@pytest.mark.parametrize("budget", [0, 69, 281, "280", 280.5, True, 1121])
def test_a_budget_is_one_of_five(budget: object) -> None:
    with pytest.raises(TaskError, match="70, 140, 280, 560, 1120") as caught:
        Request(PICTURE, Task.detect, "cat", budget=budget)  # type: ignore[arg-type]
    assert caught.value.code == "E_BUDGET"


def test_things_get_a_larger_budget_than_words_unless_asked() -> None:
    ask = Request(PICTURE, Task.ask, "a")
    detect = Request(PICTURE, Task.detect, "a")
    asked = Request(PICTURE, Task.detect, "a", budget=1120)
    assert [GEMMA4E.budget_of(one) for one in (ask, detect, asked)] == [280, 560, 1120]
    assert PALIGEMMA.budget_of(detect) is None


def test_names_are_quoted_where_boxes_are_asked_for_in_words() -> None:
    words = GEMMA4E.write_prompt(Request(PICTURE, Task.detect, 'Cat ; "big" dog'))
    assert 'Detect "cat", "\\"big\\" dog". Answer with a JSON list' in words
    assert '{"box_2d": [y_min, x_min, y_max, x_max], "label": "..."}' in words


def test_a_thought_is_spelled_and_told_apart() -> None:
    tokenizer = make_tokenizer("gemma4")
    marks = ThoughtMarks.of(tokenizer, GEMMA4.thought)
    assert marks is not None
    text = "<|channel>a cat ; <channel|> a dog<turn|>"
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    speller = Detokenizer(tokenizer, None, marks.texts)
    spelled = "".join([*map(speller.add, ids), speller.rest()])
    assert spelled == "<|channel>a cat ; <channel|> a dog"
    parser = Parser()
    parser.feed("<|channel>thought\nthe cat? [1, 2]<channel|>a dog")
    parser.close()
    assert parser.plain.strip() == "a dog" and "cat" in parser.thought
    assert ThoughtMarks.of(make_tokenizer(), PALIGEMMA.thought) is None


def test_a_thought_ends_when_it_has_been_long_enough() -> None:
    counter = ThoughtCounter(ThoughtMarks(7, 8, ("<|channel>", "<channel|>")), limit=2)
    assert counter.allowed is None and not counter.advance(5)
    assert counter.advance(7) and counter.allowed is None
    assert counter.advance(5) and counter.allowed is None
    assert counter.advance(5) and counter.allowed == (8,)
    assert counter.advance(8) and counter.allowed is None
    assert not counter.advance(5)
