"""The door for clients of OpenAI's API: the real client uses it, and nothing breaks it."""

from __future__ import annotations

import base64
import io
import json
import math
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pydantic
import pytest
from fake_engine import fake_pipeline
from PIL import Image
from served import CAT_AND_DOG, LONG, embedded, served

from gemma_vision.images.limits import ImageError
from gemma_vision.web.api.openai.api_errors import ApiError
from gemma_vision.web.api.openai.call_line import MAX_BODY, CallLine, is_open
from gemma_vision.web.api.openai.chat_call import ChatCall, Message
from gemma_vision.web.api.openai.chat_run import ChatRun
from gemma_vision.web.api.openai.replies import StopWords
from gemma_vision.web.api.openai.schema_projection import SchemaProjection
from gemma_vision.web.server import picture_worker
from gemma_vision.web.server.guards.queue_share import SHARE

ROOT = Path(__file__).parent.parent
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MODEL = "fake"


class Thing(pydantic.BaseModel):
    label: str
    box: tuple[float, float, float, float]
    score: float | None


class Things(pydantic.BaseModel):
    instances: list[Thing]
    finish: str


@pytest.fixture(scope="module")
def url() -> str:
    return f"{served().url}v1"


@pytest.fixture(scope="module")
def client(url) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client


def data_address(size=(64, 48), color=(90, 120, 200), form="PNG") -> str:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, form)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def asked(text="detect cat ; dog", *, url: str | None = None) -> list[dict]:
    picture = {"type": "image_url", "image_url": {"url": url or data_address()}}
    return [{"role": "user", "content": [picture, {"type": "text", "text": text}]}]


def test_the_client_lists_the_model_that_answers(client):
    assert [one.id for one in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).object == "model"
    with pytest.raises(openai.NotFoundError, match="not here"):
        client.models.retrieve("google/gemma-3-4b-it")


def test_a_picture_is_answered_in_the_models_own_tokens(client):
    reply = client.chat.completions.create(model=MODEL, messages=asked())
    assert reply.choices[0].message.content == CAT_AND_DOG
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.completion_tokens == 12
    assert reply.model == MODEL and reply.object == "chat.completion"


def test_a_stream_comes_to_the_same(client):
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=asked("long"), stream=True, stream_options={"include_usage": True}
        )
    )
    told = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    whole = client.chat.completions.create(model=MODEL, messages=asked("long"))
    assert told == whole.choices[0].message.content and LONG.startswith(told[:200])
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [one.choices[0].finish_reason for one in chunks if one.choices][-1] is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len(chunks) > 5


def test_a_schema_of_the_clients_own_is_filled(client):
    reply = client.chat.completions.parse(model=MODEL, messages=asked(), response_format=Things)
    things = reply.choices[0].message.parsed
    assert [one.label for one in things.instances] == ["cat", "dog"]
    assert things.instances[0].box == pytest.approx((6.38, 4.79, 28.78, 24.02), abs=0.05)


def test_json_is_the_whole_answer(client):
    form = {"type": "json_object"}
    reply = client.chat.completions.create(model=MODEL, messages=asked(), response_format=form)
    answer = json.loads(reply.choices[0].message.content)
    assert {"model", "instances", "image", "text"} <= answer.keys()
    assert answer["image"] == {"width": 64, "height": 48}


def test_a_schema_is_streamed_whole(client):
    form = {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": Things.model_json_schema()},
    }
    chunks = client.chat.completions.create(
        model=MODEL, messages=asked(), response_format=form, stream=True
    )
    told = "".join(one.choices[0].delta.content or "" for one in chunks)
    assert len(Things.model_validate_json(told).instances) == 2


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_logprobs_are_those_of_the_tokens(client, is_stream):
    reply = client.chat.completions.create(
        model=MODEL, messages=asked(), logprobs=True, stream=is_stream
    )
    if is_stream:
        found = [one.choices[0].logprobs for one in reply]
        tokens = [token for one in found if one for token in one.content]
    else:
        tokens = reply.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == CAT_AND_DOG
    assert bytes(tokens[0].bytes) == b"<loc0102>"
    assert all(token.logprob == pytest.approx(math.log(0.9)) for token in tokens)


def test_limits_of_tokens_and_words_to_stop_at_end_an_answer(client):
    short = client.chat.completions.create(model=MODEL, messages=asked(), max_tokens=3)
    assert short.choices[0].message.content == "<loc0102><loc0102><loc0512>"
    assert short.choices[0].finish_reason == "length"
    stopped = client.chat.completions.create(model=MODEL, messages=asked(), stop=[" ;", "zebra"])
    assert stopped.choices[0].message.content == CAT_AND_DOG.split(" ;")[0]
    assert stopped.choices[0].finish_reason == "stop"
    chunks = client.chat.completions.create(
        model=MODEL, messages=asked("long"), stop="<loc0012>", stream=True
    )
    told = "".join(one.choices[0].delta.content or "" for one in chunks)
    assert told == LONG.split("<loc0012>")[0]


def test_a_conversation_is_one_where_the_checkpoint_holds_them(url):
    chatty = served("gemma3")
    messages = [
        {"role": "system", "content": "Be brief."},
        *asked("What is this?"),
        {"role": "assistant", "content": "A lawn."},
        {"role": "user", "content": "And on it?"},
    ]
    with openai.OpenAI(base_url=f"{chatty.url}v1", api_key="none", max_retries=0) as client:
        reply = client.chat.completions.create(model=MODEL, messages=messages)
    assert reply.choices[0].message.content == "two animals on a lawn"
    prompt = chatty.engine()["prompts"][-1][0]
    turns = ("Be brief.\n\n", "What is this?", "A lawn.", "And on it?")
    assert [prompt.count(one) for one in turns] == [1] * 4
    assert prompt.count("<start_of_turn>") == 4


def test_a_stream_that_nobody_reads_any_more_is_stopped(client):
    before = served().engine()["cancelled"]
    stream = client.chat.completions.create(
        model=MODEL, messages=asked("long"), max_tokens=900, stream=True
    )
    next(iter(stream))
    stream.close()
    latest = time.monotonic() + 20
    while served().engine()["cancelled"] == before and time.monotonic() < latest:
        time.sleep(0.05)
    assert served().engine()["cancelled"] == before + 1


def test_a_failure_of_ours_tells_nothing_of_itself(client):
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=MODEL, messages=asked("fail"))
    assert "secret" not in str(caught.value) and caught.value.code == "E_INTERNAL"
    with pytest.raises(openai.APIError) as caught:
        list(client.chat.completions.create(model=MODEL, messages=asked("fail"), stream=True))
    assert "secret" not in str(caught.value)


PICTURE = {"type": "image_url", "image_url": {"url": "PICTURE"}}
TEXT = {"type": "text", "text": "detect cat"}
GOOD = {"model": MODEL, "messages": [{"role": "user", "content": [PICTURE, TEXT]}]}


def with_content(*parts) -> dict:
    return GOOD | {"messages": [{"role": "user", "content": list(parts)}]}


def with_url(url) -> dict:
    return with_content({"type": "image_url", "image_url": url}, TEXT)


def with_schema(schema) -> dict:
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    return GOOD | {"response_format": form}


LOOP = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
WIDE = {"$defs": {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 9} for n in range(30)}}
MALFORMED = {
    "no body": (b"", 400),
    "no json": (b"{", 400),
    "deep json": (b"[" * 100_000, 400),
    "not utf-8": (b'{"model": "\xff"}', 400),
    "a list": ([], 400),
    "a null": (None, 400),
    "a number": (7, 400),
    "nothing": ({}, 400),
    "no messages": ({"model": MODEL}, 400),
    "messages null": (GOOD | {"messages": None}, 400),
    "messages empty": (GOOD | {"messages": []}, 400),
    "messages a string": (GOOD | {"messages": "detect cat"}, 400),
    "messages of numbers": (GOOD | {"messages": [1, 2]}, 400),
    "too many messages": (GOOD | {"messages": GOOD["messages"] * 65}, 400),
    "no model": ({"messages": GOOD["messages"]}, 400),
    "model a number": (GOOD | {"model": 3}, 400),
    "another model": (GOOD | {"model": "gpt-9"}, 404),
    "no role": (GOOD | {"messages": [{"content": "detect cat"}]}, 400),
    "a role of its own": (GOOD | {"messages": [{"role": "tool", "content": "x"}]}, 400),
    "role a list": (GOOD | {"messages": [{"role": [], "content": "x"}]}, 400),
    "no content": (GOOD | {"messages": [{"role": "user"}]}, 400),
    "content null": (GOOD | {"messages": [{"role": "user", "content": None}]}, 400),
    "content a number": (GOOD | {"messages": [{"role": "user", "content": 5}]}, 400),
    "content empty": (with_content(), 400),
    "parts of strings": (with_content("detect cat"), 400),
    "a part without type": (with_content({"text": "detect cat"}), 400),
    "a part of sound": (with_content({"type": "input_audio", "input_audio": {}}), 400),
    "a text that is none": (with_content(PICTURE, {"type": "text", "text": 5}), 400),
    "no picture": (with_content(TEXT), 400),
    "no words": (with_content(PICTURE), 400),
    "blank words": (with_content(PICTURE, {"type": "text", "text": "  "}), 400),
    "half a character": (with_content(PICTURE, {"type": "text", "text": "\ud800"}), 400),
    "control tokens": (with_content(PICTURE, {"type": "text", "text": "<bos>detect"}), 400),
    "too many words": (with_content(PICTURE, {"type": "text", "text": "cat " * 2000}), 400),
    "an address elsewhere": (with_url({"url": "http://127.0.0.1:9/cat.png"}), 400),
    "a file": (with_url({"url": "file:///etc/passwd"}), 400),
    "a path": (with_url({"url": "/etc/passwd"}), 400),
    "url null": (with_url({"url": None}), 400),
    "url missing": (with_url({}), 400),
    "image_url a number": (with_url(5), 400),
    "no base64": (with_url({"url": "data:image/png,abc"}), 400),
    "damaged base64": (with_url({"url": "data:image/png;base64,a"}), 400),
    "an empty picture": (with_url({"url": "data:image/png;base64,"}), 400),
    "no picture at all": (with_url({"url": "data:image/png;base64,aGVsbG8="}), 400),
    "17 pictures": (with_content(*[PICTURE] * 17, TEXT), 400),
    "a conversation": (GOOD | {"messages": [*GOOD["messages"], *GOOD["messages"]]}, 400),
    "a system message": (GOOD | {"messages": [{"role": "system", "content": "x"}]}, 400),
    "max_tokens a string": (GOOD | {"max_tokens": "5"}, 400),
    "max_tokens 0": (GOOD | {"max_tokens": 0}, 400),
    "max_tokens huge": (GOOD | {"max_completion_tokens": 10**30}, 400),
    "temperature high": (GOOD | {"temperature": 3}, 400),
    "temperature true": (GOOD | {"temperature": True}, 400),
    "seed below": (GOOD | {"seed": -1}, 400),
    "seed a fraction": (GOOD | {"seed": 0.5}, 400),
    "two answers": (GOOD | {"n": 2}, 400),
    "top_p": (GOOD | {"top_p": 0.5}, 400),
    "tools": (GOOD | {"tools": [{"type": "function", "function": {"name": "f"}}]}, 400),
    "stop a number": (GOOD | {"stop": 5}, 400),
    "five stops": (GOOD | {"stop": ["a"] * 5}, 400),
    "an empty stop": (GOOD | {"stop": [""]}, 400),
    "stream a string": (GOOD | {"stream": "yes"}, 400),
    "stream_options a list": (GOOD | {"stream": True, "stream_options": []}, 400),
    "top_logprobs": (GOOD | {"logprobs": True, "top_logprobs": 3}, 400),
    "logprobs of json": (
        GOOD | {"logprobs": True, "response_format": {"type": "json_object"}},
        400,
    ),
    "a parameter of its own": (GOOD | {"frobnicate": 1}, 400),
    "a format of its own": (GOOD | {"response_format": {"type": "xml"}}, 400),
    "a format that is a list": (GOOD | {"response_format": []}, 400),
    "a schema missing": (GOOD | {"response_format": {"type": "json_schema"}}, 400),
    "a schema that is null": (with_schema(None), 400),
    "a schema of colours": (
        with_schema({"type": "object", "properties": {"hue": {}}, "required": ["hue"]}),
        400,
    ),
    "a schema of a list": (with_schema({"type": "array", "items": {"type": "string"}}), 400),
    "a schema that refers to nothing": (with_schema({"$ref": "#/$defs/none"}), 400),
    "a schema that refers to itself": (with_schema(LOOP), 400),
    "a schema without end": (with_schema(WIDE | {"$ref": "#/$defs/a0"}), 400),
    "a schema too large": (with_schema({"properties": {"a": {"title": "x" * 70_000}}}), 400),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_call_is_refused_in_that_apis_shape(url, name):
    body, status = MALFORMED[name]
    if not isinstance(body, bytes):
        body = json.dumps(body).replace('"PICTURE"', json.dumps(data_address())).encode()
    reply = httpx.post(f"{url}/chat/completions", content=body, timeout=60)
    error = reply.json()["error"]
    assert (reply.status_code, set(error)) == (status, {"message", "type", "param", "code"}), error
    assert error["message"] and error["type"] == "invalid_request_error"
    assert "Traceback" not in served().log.read_text()


def test_streams_are_refused_by_their_status_too(url):
    body = json.dumps(with_url({"url": "data:image/png;base64,aGVsbG8="}) | {"stream": True})
    reply = httpx.post(f"{url}/chat/completions", content=body, timeout=60)
    assert reply.status_code == 400 and reply.json()["error"]["code"] == "E_IMAGE_FORMAT"


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/chat/completions", 405),
        ("POST", "/models", 405),
        ("POST", "/embeddings", 404),
        ("GET", "/models/none/of/them", 404),
    ],
)
def test_other_addresses_are_refused_in_that_apis_shape(url, method, path, status):
    reply = httpx.request(method, f"{url}{path}")
    assert (reply.status_code, "message" in reply.json()["error"]) == (status, True)


def test_a_page_elsewhere_is_not_listened_to(url):
    headers = {"Origin": "https://elsewhere.example", "Content-Type": "text/plain"}
    assert httpx.post(f"{url}/chat/completions", content="{}", headers=headers).status_code == 403


def test_a_body_that_is_too_long_is_refused_while_it_comes(url):
    def endless():
        for _ in range(MAX_BODY // 2**20 + 8):
            yield b" " * 2**20

    try:
        reply = httpx.post(f"{url}/chat/completions", content=endless(), timeout=60)
    except httpx.HTTPError:  # it was refused before everything was sent
        return
    assert reply.status_code == 413


def test_the_pictures_of_a_call_have_so_many_pixels_together(monkeypatch):
    monkeypatch.setattr(picture_worker, "MAX_TOGETHER", 2 * 64 * 48)
    picture = base64.b64decode(data_address().partition(",")[2])
    for count, code in ((2, None), (3, "E_IMAGE_TOO_LARGE")):
        messages = (Message("user", ("caption en",), (picture,) * count),)
        run = ChatRun(fake_pipeline("a cat"), ChatCall("fake", messages, {}))
        try:
            list(run.pieces())
        except ImageError as error:
            assert error.code == code, error
        else:
            assert code is None


def test_calls_side_by_side_are_all_answered(client):
    replies = []
    threads = [
        threading.Thread(
            target=lambda: replies.append(
                client.chat.completions.create(model=MODEL, messages=asked()).choices[0]
            )
        )
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.message.content for one in replies] == [CAT_AND_DOG] * 12


class Asked:
    """A request from somewhere."""

    def __init__(self, address: str) -> None:
        self.scope = {"type": "http", "client": (address, 1), "headers": []}


class EmptyQueue:
    event_queue_per_concurrency_id: dict = {}  # noqa: RUF012


def test_a_client_has_a_share_and_all_have_a_limit():
    line = CallLine(EmptyQueue(), 2 * SHARE)
    places = [line.enter(Asked("8.8.8.8")) for _ in range(SHARE)]
    with pytest.raises(ApiError, match="You have") as caught:
        line.enter(Asked("8.8.8.8"))
    assert caught.value.status == 429
    places += [line.enter(Asked("9.9.9.9")) for _ in range(SHARE)]
    with pytest.raises(ApiError, match="Too many"):
        line.enter(Asked("1.1.1.1"))
    for place in places:
        line.leave(place)
    assert line.waiting("8.8.8.8") == 0
    line.enter(Asked("8.8.8.8"))


@pytest.mark.parametrize(
    "host, variable, expected",
    [
        ("127.0.0.1", "", True),
        ("0.0.0.0", "", False),
        ("0.0.0.0", "on", True),
        ("127.0.0.1", "off", False),
    ],
)
def test_the_door_is_closed_where_strangers_come(monkeypatch, host, variable, expected):
    monkeypatch.setenv("GEMMA_VISION_OPENAI", variable)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert is_open(host, LOOPBACK) == expected


def test_a_closed_door_says_who_opens_it():
    app = embedded(GEMMA_VISION_OPENAI="off")
    reply = httpx.get(f"{app.url}v1/models")
    assert reply.status_code == 404 and "GEMMA_VISION_OPENAI" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "text, stops, expected",
    [
        ("one two three", ["two"], "one "),
        ("one two three", ["twelve"], "one two three"),
        ("abcabd", ["abd"], "abc"),
        ("abcabd", ["c", "b"], "a"),
        ("ab", ["abc"], "ab"),
        ("", ["a"], ""),
    ],
)
def test_an_answer_is_cut_before_a_word_however_its_tokens_fall(text, stops, expected):
    for step in (1, 2, 3, 5):
        words, told = StopWords(stops), ""
        for start in range(0, len(text), step):
            told += "".join(t for t, _ in words.feed([(text[start : start + step], 0.5)]))
        told += "".join(t for t, _ in words.feed([], is_over=True))
        assert told == expected, step


@pytest.mark.parametrize(
    "schema, expected",
    [
        ({}, {"text": "a", "instances": [{"box": [1.6], "mask": None}]}),
        ({"properties": {"text": {"type": "string"}}}, {"text": "a"}),
        (
            {"properties": {"instances": {"items": {"properties": {"box": {"type": "array"}}}}}},
            {"instances": [{"box": [1.6]}]},
        ),
        (
            {
                "properties": {
                    "instances": {
                        "items": {
                            "properties": {
                                "box": {"items": {"type": "integer"}},
                                "mask": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                                "colour": {"type": "string"},
                            }
                        }
                    }
                }
            },
            {"instances": [{"box": [2], "mask": None}]},
        ),
    ],
)
def test_an_answer_is_told_as_a_schema_has_it(schema, expected):
    answer = {"text": "a", "instances": [{"box": [1.6], "mask": None}]}
    assert SchemaProjection(schema).project(answer) == expected


def about_things(**properties) -> dict:
    """A schema of the things of an answer."""
    return {"properties": {"instances": {"items": {"properties": properties}}}}


THING = {"label": "bird", "score": 0.4, "box": [1.6, 2.0, 3.4, 9.0], "mask": None}
PLACES = [{"type": "integer"}] * 2


@pytest.mark.parametrize(
    "label",
    [
        pytest.param({"type": "string", "enum": ["cat", "bird"]}, id="one of several"),
        pytest.param({"enum": ["bird"]}, id="of no kind"),
        pytest.param({"const": "bird"}, id="the one"),
        pytest.param({"anyOf": [{"const": "cat"}, {"const": "bird"}]}, id="one of two schemas"),
        pytest.param({"type": ["string", "null"], "enum": ["bird", None]}, id="of two kinds"),
        pytest.param({"type": "string", "minLength": 4, "maxLength": 4}, id="as long"),
        pytest.param({"allOf": [{"type": "string"}, {"enum": ["bird", 1]}]}, id="all of them"),
        pytest.param(
            {"allOf": [{"enum": ["cat", "bird"]}, {"enum": ["bird", "dog"]}]}, id="what both name"
        ),
    ],
)
def test_what_a_schema_says_of_a_value_is_kept(label):
    projection = SchemaProjection(about_things(label=label))
    assert projection.project({"instances": [THING]}) == {"instances": [{"label": "bird"}]}


@pytest.mark.parametrize(
    "properties, said",
    [
        ({"label": {"enum": ["cat", "dog"]}}, 'label is \'bird\', .* one of "cat", "dog"; ask'),
        ({"label": {"type": "string", "const": "cat"}}, 'label is .* wants one of "cat"'),
        ({"label": {"anyOf": [{"const": "cat"}, {"const": "dog"}]}}, 'wants one of "cat"'),
        ({"label": {"maxLength": 3}}, "label is 'bird', .* at most 3 characters"),
        ({"label": {"allOf": [{"minLength": 2}, {"maxLength": 3}]}}, "at most 3 characters"),
        ({"label": {"maxLength": 3, "anyOf": [{"type": "string"}]}}, "at most 3 characters"),
        ({"label": {"allOf": [{"maxLength": 3}, {"maxLength": 9}]}}, "at most 3 characters"),
        ({"score": {"type": "number", "minimum": 0.5}}, "score is 0.4, .* at least 0.5"),
        ({"score": {"exclusiveMaximum": 0.4}}, "score is 0.4, .* less than 0.4"),
        ({"box": {"type": "array", "maxItems": 2}}, "box is .* at most 2 items"),
        ({"box": {"items": {"type": "integer", "maximum": 8}}}, r"box\[3\] is 9, .* at most 8"),
    ],
)
def test_a_value_that_a_schema_does_not_allow_is_said(properties, said):
    projection = SchemaProjection(about_things(**properties))
    with pytest.raises(ApiError, match=said):
        projection.project({"instances": [THING]})


def test_all_parts_of_a_schema_hold_at_once():
    of_all = {
        "allOf": [about_things(label={"type": "string"}), about_things(score={"type": "number"})],
        "required": ["instances"],
    }
    projection = SchemaProjection({"$ref": "#/$defs/things", "$defs": {"things": of_all}})
    found = projection.project({"instances": [THING], "text": "a"})
    assert found == {"instances": [{"label": "bird", "score": 0.4}]}


PAIRS = [{"const": n} for n in range(40)]


def referring(schema):
    """A schema that is referred to four hundred times, four hundred times over."""
    many = {"anyOf": [{"$ref": "#/$defs/one"}] * 400}
    return {"anyOf": [{"$ref": "#/$defs/many"}] * 400, "$defs": {"one": schema, "many": many}}


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"allOf": [{"type": "string"}, {"type": "number"}]}, id="two kinds"),
        pytest.param({"allOf": [{"const": "a"}, {"enum": ["b"]}]}, id="two values"),
        pytest.param({"allOf": [{"type": "string"}, False]}, id="never"),
        pytest.param({"allOf": [{"anyOf": PAIRS}] * 4}, id="too many"),
        pytest.param(
            {"anyOf": [{"allOf": [{"anyOf": PAIRS}, {"anyOf": PAIRS}]}] * 99, "type": "string"},
            id="too many that never hold",
        ),
        pytest.param(referring({"anyOf": [False] * 400}), id="too many of nothing"),
        pytest.param(referring({"anyOf": [{"anyOf": []}] * 400}), id="too many of empty lists"),
        pytest.param(referring({"allOf": [{}] * 400}), id="too many parts"),
        pytest.param(
            referring({"allOf": [{"enum": [*range(900)]}, {"enum": [*range(900, 1800)]}]}),
            id="too many named values",
        ),
        pytest.param({"allOf": [{"enum": 3}, {"enum": ["a"]}]}, id="an enum that is none"),
    ],
)
def test_parts_of_a_schema_that_hold_for_nothing_are_refused_at_once(schema):
    began = time.monotonic()
    with pytest.raises(ApiError):
        SchemaProjection(about_things(label=schema) | {"$defs": schema.get("$defs", {})})
    assert time.monotonic() - began < 5


def test_items_are_told_as_their_places_have_them():
    projection = SchemaProjection(about_things(box={"type": "array", "prefixItems": PLACES}))
    told = {"instances": [{"box": [2, 2, 3.4, 9.0]}]}
    assert projection.project({"instances": [THING]}) == told


@pytest.mark.parametrize(
    "label, said",
    [
        ({"enum": [1, 2]}, "asks for what an answer does not have"),
        ({"enum": []}, '"enum" has to be a list'),
        ({"enum": "cat"}, '"enum" has to be a list'),
        ({"maxLength": "3"}, '"maxLength" has to be a number'),
        ({"pattern": "^c"}, '"pattern", which is not looked at here; leave it out'),
        ({"not": {"const": "cat"}}, '"not", which is not looked at here'),
    ],
)
def test_what_of_a_schema_cannot_be_kept_is_refused_before_a_model_runs(label, said):
    with pytest.raises(ApiError, match=said):
        SchemaProjection(about_things(label=label))


def test_what_an_answer_has_no_value_for_is_said():
    mask = {"properties": {"mask": {"type": "object"}}, "required": ["mask"]}
    projection = SchemaProjection({"properties": {"instances": {"items": mask}}})
    with pytest.raises(ApiError, match=r"instances\[0\]\.mask"):
        projection.project({"instances": [{"mask": None}]})


def test_the_javascript_client_uses_it_unchanged(url):
    if not (ROOT / "node_modules" / "openai").is_dir():
        pytest.skip("npm's package openai is not installed")
    program = f"""
      import OpenAI from "openai";
      const client = new OpenAI({{ baseURL: "{url}", apiKey: "none" }});
      const content = [
        {{ type: "image_url", image_url: {{ url: "{data_address()}" }} }},
        {{ type: "text", text: "detect cat" }},
      ];
      const asked = {{ model: "{MODEL}", messages: [{{ role: "user", content }}] }};
      const whole = await client.chat.completions.create(asked);
      const stream = await client.chat.completions.create({{ ...asked, stream: true }});
      let told = "";
      for await (const chunk of stream) told += chunk.choices[0]?.delta?.content ?? "";
      const listed = (await client.models.list()).data.map((one) => one.id);
      let refused = 0;
      try {{ await client.chat.completions.create({{ ...asked, model: "none" }}); }}
      catch (error) {{ refused = error.status; }}
      const text = whole.choices[0].message.content;
      console.log(JSON.stringify({{ text, told, listed, refused }}));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen == {"text": CAT_AND_DOG, "told": CAT_AND_DOG, "listed": [MODEL], "refused": 404}
