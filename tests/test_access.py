"""Who may use the app, how much of it, and the number by which a request is spoken of."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from served import CAT_AND_DOG, Served, embedded
from served import served as start
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gemma_vision.errors import describe, request_id
from gemma_vision.web.server.guards import access, rates, request_log
from gemma_vision.web.server.guards.access import Access, AccessError, is_known, secrets
from gemma_vision.web.server.guards.chain import chain, check_variables
from gemma_vision.web.server.guards.rates import RateError, Rates
from gemma_vision.web.server.guards.request_guard import RequestGuard
from gemma_vision.web.server.guards.request_log import JsonFormatter, LogError, RequestLog, door_of
from postprocess.errors import UserError

LOGIN, KEY, OTHER = "ann:a-long-password", "key-of-a-program", "another-program-1"
PATHS = (
    "/",
    "/config",
    "/gradio_api/call/detect",
    "/gradio_api/upload",
    "/mcp",
    "/metrics",
    "/v1/models",
)


def basic(login: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def app_with(*middleware: Middleware, client: tuple[str, int] = ("8.8.8.8", 1)) -> TestClient:
    async def answer(request: Request) -> PlainTextResponse:
        await asyncio.to_thread(lambda: None)
        return PlainTextResponse(request_id.get() or "taken")

    route = Route("/{path:path}", answer, methods=["GET", "POST"])
    return TestClient(Starlette(routes=[route], middleware=list(middleware)), client=client)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv(access.LOGIN, LOGIN)
    monkeypatch.setenv(access.KEYS, f"{KEY}, {OTHER}")
    return app_with(Middleware(Access))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [basic(LOGIN), bearer(KEY), bearer(OTHER), {"x-api-key": KEY}],
    ids=["login", "key", "other", "x"],
)
def test_who_is_known_is_let_in(guarded: TestClient, path: str, headers: dict[str, str]) -> None:
    assert guarded.post(path, headers=headers).text == "taken"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("ann:a-long-passwor"),
        basic("ann:A-long-password"),
        basic(KEY),
        basic(""),
        bearer(LOGIN),
        bearer("ann:a-long-password"),
        bearer(f"{KEY}, {OTHER}"),
        bearer(""),
        bearer("\u00e9" * 3),
        {"authorization": "Basic !!!"},
        {"authorization": KEY},
        {"x-api-key": ""},
        {"x-api-key": LOGIN},
        {"cookie": f"access={KEY}"},
    ],
    ids=str,
)
def test_nobody_else_is(
    monkeypatch: pytest.MonkeyPatch, path: str, headers: dict[str, str]
) -> None:
    monkeypatch.setenv(access.LOGIN, LOGIN)
    monkeypatch.setenv(access.KEYS, f"{KEY}, {OTHER}")
    with app_with(Middleware(Access)) as fresh:
        raw = [(name, value.encode("utf-8")) for name, value in headers.items()]
        answer = fresh.post(f"{path}?api_key={KEY}", headers=raw)  # type: ignore[arg-type]
    told = answer.json()
    code = told["error"]["code"] if path.startswith("/v1/") else told["code"]
    known = "invalid_api_key" if path.startswith("/v1/") else "E_ACCESS"
    assert (answer.status_code, code) == (401, known)
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_what_looks_after_the_process_needs_no_key(guarded: TestClient) -> None:
    assert guarded.get("/healthz").text == guarded.get("/readyz").text == "taken"


def test_without_a_variable_everybody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (access.LOGIN, access.KEYS):
        monkeypatch.delenv(name, raising=False)
    assert app_with(Middleware(Access)).get("/config").text == "taken"


def test_all_secrets_are_compared_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one step each, whichever fits: no time tells how much of one was right."""
    monkeypatch.setenv(access.LOGIN, LOGIN)
    monkeypatch.setenv(access.KEYS, f"{KEY}, {OTHER}")
    compared: list[tuple[int, int]] = []
    compare = access.hmac.compare_digest
    monkeypatch.setattr(
        access.hmac,
        "compare_digest",
        lambda a, b: compared.append((len(a), len(b))) or compare(a, b),
    )
    for given, fits in (("", False), (f"Basic {LOGIN}", True), ("x" * 5000, False)):
        compared.clear()
        assert is_known(given, secrets()) is fits and compared == [(32, 32)] * 3


def test_who_guesses_is_told_to_wait(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(access.MAX_FAILURES):
        assert guarded.get("/", headers=bearer(f"guess {number}")).status_code == 401
    assert guarded.get("/", headers=bearer(KEY)).status_code == 429
    now = time.monotonic()
    monkeypatch.setattr(access.time, "monotonic", lambda: now + access.WINDOW + 1)
    assert guarded.get("/", headers=bearer(KEY)).text == "taken"


def test_who_cannot_be_told_apart_is_not_shut_out_for_anothers_guesses(
    guarded: TestClient,
) -> None:
    space = TestClient(guarded.app, client=("10.0.0.1", 1), headers={"x-forwarded-for": "8.8.8.8"})
    guesses = [space.get("/", headers=bearer(f"guess {number}")) for number in range(12)]
    assert [one.status_code for one in guesses] == [401] * access.MAX_FAILURES + [429] * 2
    assert space.get("/", headers=bearer(KEY)).text == "taken"


@pytest.mark.parametrize(
    "variable, given",
    [
        (access.LOGIN, "ann"),
        (access.LOGIN, ":a-long-password"),
        (access.LOGIN, "ann:short"),
        (access.KEYS, "short"),
        (access.KEYS, f"{KEY},short"),
    ],
)
def test_a_secret_that_is_none_is_said_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, given: str
) -> None:
    monkeypatch.setenv(variable, given)
    with pytest.raises(AccessError, match=variable) as refusal:
        secrets()
    assert given not in str(refusal.value) and "short" not in str(refusal.value)


def test_a_browsers_login_is_no_help_to_another_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends the login along whatever page asks, so that who asks is looked at."""
    guard = Middleware(RequestGuard, is_local=False)
    foreign = {"origin": "https://evil.example"}
    assert app_with(guard).post("/", headers=foreign).is_success
    monkeypatch.setenv(access.LOGIN, LOGIN)
    with app_with(Middleware(RequestGuard, is_local=False)) as strict:
        assert strict.post("/", headers=foreign).status_code == 403
        assert strict.post("/", headers={"origin": "http://testserver"}).is_success
        assert strict.post("/").is_success


UPLOAD = "/gradio_api/upload"


def test_a_client_has_its_rate_and_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rates.EACH, "3/minute")
    one = app_with(Middleware(Rates))
    assert [one.post(UPLOAD).status_code for _ in range(5)] == [200] * 3 + [429] * 2
    refused = one.post(UPLOAD)
    assert refused.json()["detail"].startswith("E_BUSY: ") and refused.json()["code"] == "E_BUSY"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert one.get("/config").status_code == one.post("/model").status_code == 200
    other = TestClient(one.app, client=("9.9.9.9", 1))
    assert other.post(UPLOAD).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/mcp", "/gradio_api/call/detect", "/gradio_api/queue/join"],
)
def test_every_door_of_work_is_counted(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv(rates.EACH, "1/minute")
    one = app_with(Middleware(Rates))
    assert [one.post(path).status_code for _ in range(2)] == [200, 429]


def test_all_together_have_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rates.ALL, "4/minute")
    one = app_with(Middleware(Rates))
    other = TestClient(one.app, client=("9.9.9.9", 1))
    seen = [client.post(UPLOAD).status_code for _ in range(3) for client in (one, other)]
    assert seen == [200] * 4 + [429] * 2


def test_who_cannot_be_told_apart_has_the_common_rate_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(rates.EACH, "1/minute")
    space = app_with(Middleware(Rates), client=("10.0.0.1", 1))
    passed_on = {"x-forwarded-for": "8.8.8.8"}
    assert [space.post(UPLOAD, headers=passed_on).status_code for _ in range(3)] == [200] * 3


def test_a_rate_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rates.EACH, "many")
    with pytest.raises(RateError, match="'many'"):
        check_variables()


def test_without_a_rate_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (rates.EACH, rates.ALL):
        monkeypatch.delenv(name, raising=False)
    one = app_with(Middleware(Rates))
    assert {one.post(UPLOAD).status_code for _ in range(50)} == {200}


@pytest.mark.parametrize("name", [access.LOGIN, request_log.VARIABLE, rates.ALL])
def test_every_variable_is_looked_at_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(UserError, match=name):
        check_variables()


def test_the_log_is_outermost_and_access_comes_before_work() -> None:
    names = [one.cls.__name__ for one in chain("127.0.0.1")]
    assert names[:4] == ["RequestLog", "RequestGuard", "Access", "Rates"]
    assert set(names[4:]) >= {"UploadQuota", "ErrorFilter"}


def test_a_request_has_a_number_that_both_sides_see() -> None:
    client = app_with(Middleware(RequestLog))
    one, other = client.get("/"), client.get("/")
    assert one.text == one.headers["x-request-id"] != other.headers["x-request-id"] == other.text
    assert len(one.text) == 12 and not request_id.get()


def test_the_number_of_a_request_does_not_stay_behind_it() -> None:
    """The server goes on in the same context where a connection brings the next request."""

    async def answer(scope: object, receive: object, send: object) -> None:
        assert request_id.get()

    async def twice() -> str:
        for _ in range(2):
            await RequestLog(answer)({"type": "http", "path": "/", "method": "GET"}, None, None)  # type: ignore[arg-type]
        return request_id.get()

    assert asyncio.run(twice()) == ""


def test_an_error_of_ours_is_told_and_logged_by_the_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = request_id.set("0123456789ab")
    try:
        code, message = describe(KeyError("a secret"))
    finally:
        request_id.reset(token)
    assert code == "E_INTERNAL" and "noted as 0123456789ab." in message
    assert (
        caplog.messages[0].startswith("request 0123456789ab: KeyError")
        and "secret" not in caplog.text
    )


@pytest.mark.parametrize(
    "path, door",
    [
        ("/", "/"),
        ("/gradio_api/upload", "/gradio_api/upload"),
        ("/gradio_api/call/detect/0123456789abcdef0123456789abcdef", "/gradio_api/call/detect/..."),
        ("/gradio_api/file=/srv/x/holiday.png", "/gradio_api/..."),
        ("/my%20words", "/..."),
        ("/My Words/b", "/..."),
        ("/gradio_api/queue/join", "/gradio_api/queue/join"),
        ("/gradio_api/secret/join", "/gradio_api/..."),
    ],
)
def test_a_door_has_nothing_that_somebody_wrote(path: str, door: str) -> None:
    assert door_of(path) == door


def test_a_line_of_the_log_is_json() -> None:
    record = logging.LogRecord("a", logging.ERROR, __file__, 1, "b %s", ("c",), None)
    record.created, record.msecs = 0.0, 7.0
    row = json.loads(JsonFormatter().format(record))
    assert row == {
        "time": "1970-01-01T00:00:00.007Z",
        "level": "error",
        "logger": "a",
        "message": "b c",
        "request": None,
    }


def test_a_kind_of_log_that_there_is_not_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(request_log.VARIABLE, "xml")
    with pytest.raises(LogError, match="'xml'"):
        request_log.is_json()


@pytest.fixture(scope="module")
def closed() -> Served:
    """The whole app with a login, a key, rates and a log in JSON."""
    variables = {access.LOGIN: LOGIN, access.KEYS: KEY, request_log.VARIABLE: "json"}
    return embedded(**variables, **{rates.EACH: "200/minute"})


def test_the_app_is_closed_to_strangers_and_open_to_a_program(
    closed: Served, picture_file: Any
) -> None:
    for path in ("", "config", "gradio_api/info", "mcp", "metrics", "model"):
        assert httpx.get(f"{closed.url}{path}").status_code == 401
    assert httpx.get(f"{closed.url}healthz").status_code == 200
    assert httpx.get(closed.url, headers=basic(LOGIN)).status_code == 200
    client = Client(closed.url, headers=bearer(KEY), verbose=False)
    answer = client.predict(handle_file(str(picture_file)), "cat", api_name="/detect")
    assert answer["finish"] in ("stop", "length", "repeat")


def test_its_log_is_json_without_a_word_of_anybody(closed: Served) -> None:
    url = f"{closed.url}gradio_api/call/parse"
    sent = {"data": [f"{CAT_AND_DOG} a-secret-word", 640, 480, "none"]}
    asked = httpx.post(url, json=sent, headers=bearer(KEY))
    number = asked.headers["x-request-id"]
    latest = time.monotonic() + 10
    while number not in closed.log.read_text() and time.monotonic() < latest:
        time.sleep(0.1)
    rows = [json.loads(line) for line in closed.log.read_text().splitlines() if line[:1] == "{"]
    (row,) = [row for row in rows if row["request"] == number]
    assert (row["method"], row["door"], row["status"]) == ("POST", "/gradio_api/call/parse", 200)
    text = closed.log.read_text()
    assert not any(word in text for word in ("a-secret-word", KEY, "a-long-password", "ann"))


def test_a_visitor_is_told_the_number_of_what_went_wrong(picture_file: Any) -> None:
    served = start()
    client = Client(served.url, verbose=False)
    with pytest.raises(AppError, match=r"noted as [0-9a-f]{12}\.") as caught:
        client.predict(handle_file(str(picture_file)), "fail", api_name="/detect")
    number = str(caught.value).split("noted as ")[1][:12]
    assert f"request {number}" in served.log.read_text()


def test_the_number_in_an_error_is_that_of_the_request(picture_file: Any) -> None:
    """Events of many requests run one behind the other; each knows its own."""
    served = start()
    url = f"{served.url}gradio_api/call"
    with httpx.Client(timeout=60) as client:
        sent = {"files": picture_file.read_bytes()}
        (path,) = client.post(f"{served.url}gradio_api/upload", files=sent).json()
        image = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for _ in range(3):
            asked = client.post(f"{url}/v2/detect", json={"image": image, "text": "fail"})
            told = client.get(f"{url}/detect/{asked.json()['event_id']}").text
            assert f"noted as {asked.headers['x-request-id']}." in told
