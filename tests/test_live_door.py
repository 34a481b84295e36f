"""A camera's frames: the newest wins, none waits, every guard holds, and nothing of them stays."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fake_engine import CAT_WITH_MASK, FakeEngine, fake_pipeline
from PIL import Image
from served import Served
from served import served as start
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import PALIGEMMA
from gemma_vision.web.api.live import door, frame_run
from gemma_vision.web.api.live.door import PATH, live_routes
from gemma_vision.web.api.live.frame_call import MAX_BODY
from gemma_vision.web.api.live.frame_line import MAX_FRAMES, SHARE, FrameBusyError, FrameLine
from gemma_vision.web.api.live.frame_run import side_of
from gemma_vision.web.jobs.job import model_lock
from gemma_vision.web.server import live_switch
from gemma_vision.web.server.guards.chain import chain, check_variables
from gemma_vision.web.server.live_switch import LiveSwitchError, is_live

PAGE = "0123456789abcdef"
ASKED = {"page": PAGE, "task": "detect", "words": "cat ; dog"}


def jpeg(size: tuple[int, int] = (64, 48), color: str = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    return file.getvalue()


def body(asked: Any = ASKED, picture: bytes | None = None) -> bytes:
    return json.dumps(asked).encode() + b"\n" + (jpeg() if picture is None else picture)


def states(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def app_of(pipeline: Any) -> Starlette:
    return Starlette(routes=live_routes(SimpleNamespace(pipeline=pipeline)))


def ask(pipeline: Any, **changes: Any) -> httpx.Response:
    return TestClient(app_of(pipeline)).post(PATH, content=body(ASKED | changes))


def test_what_was_found_comes_in_pixels_of_the_frame() -> None:
    answer = ask(fake_pipeline())
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    (state,) = states(answer.text)
    assert (state["width"], state["height"], state["finish"]) == (64, 48, "stop")
    assert [thing["label"] for thing in state["things"]] == ["cat", "dog"]
    x0, y0, x1, y1 = state["things"][0]["box"]
    assert 0 <= x0 < x1 <= 64 and 0 <= y0 < y1 <= 48
    assert all(thing["path"] is None for thing in state["things"])


def test_masks_come_as_outlines_where_they_were_asked_for() -> None:
    from fake_engine import FakeDecoder

    pipeline = fake_pipeline(CAT_WITH_MASK, decoder=FakeDecoder())
    (segmented,) = states(ask(pipeline, task="segment", words="cat").text)
    (detected,) = states(ask(pipeline, words="cat").text)
    assert segmented["things"][0]["path"].startswith("M")
    assert detected["things"][0]["path"] is None


def test_boxes_come_while_a_slow_model_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_run, "EVERY", 0.02)
    told = states(ask(fake_pipeline(delay=0.02)).text)
    assert len(told) > 3 and [state["finish"] for state in told[-2:]] == [None, "stop"]
    counts = [len(state["things"]) for state in told]
    assert counts == sorted(counts) and counts[0] == 0 and 1 in counts
    assert any(state["partial"] for state in told)


REFUSALS = [
    pytest.param(b"", 422, "E_ARGUMENTS", id="nothing"),
    pytest.param(b"x" * 100_000, 422, "E_ARGUMENTS", id="no line"),
    pytest.param(b"{\n" + jpeg(), 422, "E_ARGUMENTS", id="no JSON"),
    pytest.param(b"[" * 5000 + b"\n" + jpeg(), 422, "E_ARGUMENTS", id="deep JSON"),
    pytest.param(body([]), 422, "E_ARGUMENTS", id="no object"),
    pytest.param(body(ASKED | {"page": 7}), 422, "E_ARGUMENTS", id="no mark"),
    pytest.param(body(ASKED | {"page": "../" * 8}), 422, "E_ARGUMENTS", id="no digits"),
    pytest.param(body(picture=b""), 422, "E_NO_IMAGE", id="no picture"),
    pytest.param(body(picture=b"hello"), 422, "E_IMAGE_FORMAT", id="no picture's bytes"),
    pytest.param(body(ASKED | {"task": "caption"}), 422, "E_TASK_UNSUPPORTED", id="no things"),
    pytest.param(body(ASKED | {"task": ["detect"]}), 422, "E_TASK_UNSUPPORTED", id="no task"),
    pytest.param(body(ASKED | {"words": ["cat"]}), 422, "E_TEXT", id="no words"),
    pytest.param(body(ASKED | {"words": " ; "}), 422, "E_NO_NAMES", id="no names"),
    pytest.param(body(ASKED | {"words": "<eos>"}), 422, "E_CONTROL_TOKEN", id="a command"),
    pytest.param(body(ASKED | {"max_tokens": "many"}), 422, "E_MAX_TOKENS", id="no number"),
    pytest.param(body(ASKED | {"min_scores": 0.9}), 422, "E_ARGUMENTS", id="no option"),
    pytest.param(body(ASKED | {"options": {"seed": 1}}), 422, "E_ARGUMENTS", id="options in one"),
    pytest.param(body(ASKED | {"upload": "/etc/x"}), 422, "E_ARGUMENTS", id="an upload"),
    pytest.param(body(ASKED | {"\ud800": 1}), 422, "E_ARGUMENTS", id="half a name"),
    pytest.param(body(picture=b"x" * (MAX_BODY + 1)), 413, "E_IMAGE_TOO_LARGE", id="too long"),
]


@pytest.mark.parametrize("content, status, code", REFUSALS)
def test_what_is_no_frame_is_refused_in_words(content: bytes, status: int, code: str) -> None:
    pipeline = fake_pipeline()
    answer = TestClient(app_of(pipeline)).post(PATH, content=content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"].endswith(".") and not pipeline.engine.prompts


def test_all_that_the_tab_of_cameras_sends_is_taken(served: Served) -> None:
    components = httpx.get(f"{served.url}config").json()["components"]
    (viewer,) = (one for one in components if one["props"].get("elem_id") == "live")
    form = viewer["props"]["props"]["form"]
    assert {"task", "words", "min_score"} <= form.keys()
    fields = {name: value for name, value in form.items() if name not in ASKED}
    answer = ask(fake_pipeline(), form=fields | {"budget": 70, "style": "cap"})
    assert answer.status_code == 200  # fields that are hidden keep a value from before


@pytest.mark.parametrize(
    "option, code",
    [
        pytest.param({"budget": 70}, "E_BUDGET", id="not taught"),
        pytest.param({"thinking": 64}, "E_THINKING", id="cannot"),
        pytest.param({"style": "cap"}, "E_OPTION", id="of another task"),
        pytest.param({"language": "zz"}, "E_OPTION", id="no value of another task"),
        pytest.param({"decoding": ""}, "E_DECODING", id="a field's word for as usual"),
        pytest.param({"names_per_prompt": 0}, "E_NAMES_PER_PROMPT", id="a field's number"),
        pytest.param({"leave_out": ["drop_repeats"]}, "E_ARGUMENTS", id="a field of the page"),
        pytest.param({"form": ["budget"]}, "E_ARGUMENTS", id="no form"),
        pytest.param({"form": {"upload": "x"}}, "E_ARGUMENTS", id="no field"),
        pytest.param({"form": {}, "seed": 1}, "E_ARGUMENTS", id="a form and an option"),
    ],
)
def test_an_option_that_cannot_be_met_is_refused_and_never_dropped(
    option: dict[str, Any], code: str
) -> None:
    pipeline = Pipeline(FakeEngine(""), PALIGEMMA)
    answer = ask(pipeline, **option)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["message"].endswith(".") and not pipeline.engine.prompts


def test_null_is_an_options_default() -> None:
    assert ask(fake_pipeline(), budget=None, decoding=None, drop_unasked=None).status_code == 200


def test_only_a_post_is_a_frame() -> None:
    answer = TestClient(app_of(fake_pipeline())).get(PATH)
    assert answer.status_code == 405 and answer.json()["code"] == "E_ARGUMENTS"


def test_a_failure_of_ours_says_nothing_of_the_frame(caplog: pytest.LogCaptureFixture) -> None:
    def fail(prompt: Any) -> str:
        raise RuntimeError("cat ; dog")

    answer = ask(fake_pipeline(fail))
    assert (answer.status_code, answer.json()["code"]) == (500, "E_INTERNAL")
    assert "cat" not in caplog.text and "cat" not in answer.text


async def post(app: Starlette, **changes: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.post(PATH, content=body(ASKED | changes))


def test_a_newer_frame_of_a_page_takes_the_place_of_the_one_under_way() -> None:
    pipeline = fake_pipeline(delay=0.05)
    app = app_of(pipeline)
    asyncio.run(post(app))
    whole, pipeline.engine.steps = pipeline.engine.steps, 0
    pipeline.engine.prompts.clear()

    async def both() -> tuple[httpx.Response, httpx.Response]:
        first = asyncio.create_task(post(app, words="cat"))
        while not pipeline.engine.steps:
            await asyncio.sleep(0.005)
        second = await post(app, words="dog")
        return await first, second

    first, second = asyncio.run(both())
    (*_, last) = states(first.text)
    assert last["code"] == "E_STOPPED"  # at its status, or where it grew already, on its last line
    assert states(second.text)[-1]["finish"] == "stop"
    assert pipeline.engine.steps < 2 * whole
    assert [prompt.text for prompt in pipeline.engine.prompts] == ["detect cat", "detect dog"]


def test_frames_of_two_pages_do_not_stop_each_other() -> None:
    app = app_of(fake_pipeline(delay=0.01))

    async def both() -> list[httpx.Response]:
        return await asyncio.gather(post(app), post(app, page="f" * 16))

    assert [states(one.text)[-1]["finish"] for one in asyncio.run(both())] == ["stop", "stop"]


def test_whoever_leaves_ends_the_work() -> None:
    pipeline = fake_pipeline(delay=0.05)
    sent: list[Any] = []

    async def leave() -> None:
        pending = [{"type": "http.request", "body": body(), "more_body": False}]

        async def receive() -> dict[str, Any]:
            if pending:
                return pending.pop()
            while not pipeline.engine.steps:
                await asyncio.sleep(0.005)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
        await app_of(pipeline)(scope | {"client": ("127.0.0.1", 1)}, receive, send)

    asyncio.run(leave())
    assert pipeline.engine.cancelled == 1 and not model_lock.locked()


def test_a_frame_waits_for_the_model_no_longer_than_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frame_run, "PATIENCE", 0.2)
    with model_lock:
        answer = ask(fake_pipeline())
    assert (answer.status_code, answer.json()["code"]) == (429, "E_BUSY")
    assert int(answer.headers["retry-after"]) >= 1
    assert ask(fake_pipeline()).status_code == 200


def test_a_frame_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_run, "SECONDS", 0.05)
    answer = ask(fake_pipeline(delay=0.02))
    assert (answer.status_code, answer.json()["code"]) == (504, "E_DEADLINE")
    assert not model_lock.locked()


def asked_by(address: str) -> Any:
    return SimpleNamespace(scope={"type": "http", "client": (address, 1), "headers": []})


def test_one_client_has_two_frames_and_all_together_half_of_the_model() -> None:
    line = FrameLine()
    mine = [line.enter(asked_by("8.8.8.8")) for _ in range(SHARE)]
    with pytest.raises(FrameBusyError, match="Two cameras"):
        line.enter(asked_by("8.8.8.8"))
    for number in range(MAX_FRAMES - SHARE):
        line.enter(asked_by(f"9.9.9.{number}"))
    with pytest.raises(FrameBusyError, match="Too many"):
        line.enter(asked_by("7.7.7.7"))
    line.leave(mine[0])
    assert line.enter(asked_by("8.8.8.8")) == "8.8.8.8"


def test_pages_of_this_machine_are_not_one_client() -> None:
    line = FrameLine()
    assert [line.enter(asked_by("127.0.0.1")) for _ in range(SHARE + 1)] == [None] * (SHARE + 1)


def test_places_are_given_back_however_a_frame_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[FrameLine] = []
    monkeypatch.setattr(door, "FrameLine", lambda: lines.append(FrameLine()) or lines[0])
    client = TestClient(app_of(fake_pipeline(delay=0.01)))
    monkeypatch.setattr(frame_run, "EVERY", 0.02)
    for content in (body(), b"", body(ASKED | {"words": ""}), body(picture=b"x")):
        client.post(PATH, content=content)
    assert not lines[0]._frames and not lines[0]._clients.total() and not model_lock.locked()


def test_frames_keep_to_sizes_that_a_model_can_use() -> None:
    pipeline = fake_pipeline()
    sides = {}
    for side in (112, 448, 4096, None):
        pipeline.card["side"] = side
        sides[side] = side_of(pipeline)
    assert sides == {112: 384, 448: 448, 4096: 1024, None: 768}


def test_an_engine_is_told_to_keep_nothing_of_a_frame() -> None:
    pipeline = fake_pipeline()
    ask(pipeline)
    assert [prompt.is_passing for prompt in pipeline.engine.prompts] == [True]
    assert isinstance(pipeline.engine, FakeEngine)  # the app's own is left as it was


@pytest.mark.parametrize(
    "variables, expected",
    [
        ({}, True),
        ({"GEMMA_VISION_LIVE": "off"}, False),
        ({"SPACES_ZERO_GPU": "1"}, False),
        ({"SPACES_ZERO_GPU": "1", "GEMMA_VISION_LIVE": "on"}, True),
    ],
    ids=str,
)
def test_who_runs_the_app_decides(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: bool
) -> None:
    for name in (live_switch.VARIABLE, live_switch.PAID_BY_CALL):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_live() == expected
    answer = ask(fake_pipeline())
    assert answer.status_code == (200 if expected else 404)
    assert expected or answer.json()["code"] == "E_LIVE"


def test_a_switch_that_is_neither_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(live_switch.VARIABLE, "sometimes")
    with pytest.raises(LiveSwitchError, match="sometimes"):
        check_variables()


def guarded(pipeline: Any) -> TestClient:
    routes = live_routes(SimpleNamespace(pipeline=pipeline))
    app = Starlette(routes=routes, middleware=chain("127.0.0.1"))
    return TestClient(app, base_url="http://127.0.0.1:7860")


def test_the_rates_of_an_operator_count_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMMA_VISION_RATE_ALL", "3/minute")
    client = guarded(fake_pipeline())
    answers = [client.post(PATH, content=body()) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["retry-after"]) >= 1


def test_keys_are_asked_for_before_a_frame_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMMA_VISION_API_KEYS", "a-key-of-letters")
    pipeline = fake_pipeline()
    client = guarded(pipeline)
    assert client.post(PATH, content=body()).status_code == 401
    assert not pipeline.engine.prompts
    known = {"authorization": "Bearer a-key-of-letters"}
    assert client.post(PATH, content=body(), headers=known).status_code == 200


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}],
    ids=str,
)
def test_a_page_elsewhere_sends_no_frames(served: Served, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{served.url}live", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "E_ORIGIN")


def test_the_app_looks_at_frames_and_writes_none(served: Served) -> None:
    def files() -> set[Path]:
        return set(served.folder.parent.rglob("*")) - {served.log}

    httpx.post(f"{served.url}live", content=body())  # the first makes what every frame needs
    before, log = files(), served.log.read_text()
    for color in ("red", "green", "blue"):
        answer = httpx.post(f"{served.url}live", content=body(picture=jpeg((96, 64), color)))
        assert [one["label"] for one in states(answer.text)[-1]["things"]] == ["cat", "dog"]
        assert answer.headers["content-security-policy"] and answer.headers["x-request-id"]
    assert {path.name for path in files() - before} <= {"engine.draft"}
    assert served.log.read_text() == log
