"""Pages and names from elsewhere reach nothing, and every answer tells a browser its limits."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import httpx
import pytest
from fake_engine import fake_pipeline
from served import Served
from served import served as start
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gemma_vision.errors import CheckpointError
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.components.model_choice import ANY, LISTED, Choice, freedom
from gemma_vision.web.server.guards import clients, request_guard
from gemma_vision.web.server.guards.clients import ProxyError, client_of, proxies
from gemma_vision.web.server.guards.request_guard import RequestGuard

DOORS = (
    ("GET", ""),
    ("GET", "config"),
    ("GET", "model"),
    ("GET", "gradio_api/info"),
    ("POST", "gradio_api/upload"),
    ("POST", "gradio_api/queue/join"),
    ("POST", "gradio_api/call/detect"),
    ("POST", "gradio_api/call/v2/detect"),
    ("POST", "gradio_api/run/detect"),
    ("POST", "model/token"),
    ("DELETE", "model/token"),
    ("POST", "mcp"),
    ("POST", "gradio_api/mcp/"),
)


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""]
)
@pytest.mark.parametrize("method, path", DOORS)
def test_a_name_that_was_pointed_here_reaches_nothing(
    served: Served, method: str, path: str, host: str
) -> None:
    answer = httpx.request(method, f"{served.url}{path}", headers={"host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "E_ORIGIN")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"origin": "http://[bad"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method, path", [door for door in DOORS if door[0] != "GET"])
def test_what_another_page_sends_is_not_taken(
    served: Served, method: str, path: str, headers: dict[str, str]
) -> None:
    before = {one.name for one in served.folder.iterdir()} if served.folder.exists() else set()
    files = {"files": ("a.png", b"x")} if path.endswith("upload") else None
    answer = httpx.request(method, f"{served.url}{path}", headers=headers, files=files)
    assert (answer.status_code, answer.json()["code"]) == (403, "E_ORIGIN")
    assert not files or {one.name for one in served.folder.iterdir()} == before


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])
def test_this_machines_own_names_are_answered(served: Served, name: str) -> None:
    port = served.url.rstrip("/").rpartition(":")[2]
    headers = {"host": f"{name}:{port}", "origin": f"http://{name}:{port}"}
    answer = httpx.post(f"{served.url}gradio_api/upload", files={"files": b"x"}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("method, path", DOORS)
def test_every_answer_says_what_a_browser_may_do(served: Served, method: str, path: str) -> None:
    headers = httpx.request(method, f"{served.url}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'self'" in policy
    assert "object-src 'none'" in policy and "http" not in policy


def test_the_page_believes_no_host_that_a_client_claims(served: Served) -> None:
    page = httpx.get(served.url, headers={"x-forwarded-host": "evil.example"}).text
    assert "evil.example" not in page
    config = httpx.get(f"{served.url}config", headers={"x-forwarded-host": "evil.example"}).text
    assert "evil.example" not in config


def guarded(*, is_local: bool) -> TestClient:
    async def tell(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.headers.get("x-forwarded-host", "none"))

    guard = Middleware(RequestGuard, is_local=is_local)
    route = Route("/", tell, methods=["GET", "POST"])
    return TestClient(Starlette(routes=[route], middleware=[guard]), client=("10.0.0.9", 1))


def test_a_public_app_is_reached_by_any_name_unless_some_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    public = guarded(is_local=False)
    assert public.post("/", headers={"host": "a.example", "origin": "https://b.example"}).is_success
    monkeypatch.setenv(request_guard.VARIABLE, "vision.example, other.example")
    assert public.get("/", headers={"host": "vision.example"}).is_success
    assert public.get("/", headers={"host": "a.example"}).status_code == 403


def test_a_named_proxy_is_believed_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"x-forwarded-host": "vision.example"}
    assert guarded(is_local=False).get("/", headers=said).text == "none"
    monkeypatch.setenv(clients.VARIABLE, "10.0.0.0/8")
    assert guarded(is_local=False).get("/", headers=said).text == "vision.example"


@pytest.mark.parametrize(
    "peer, forwarded, expected",
    [
        pytest.param("10.0.0.9", "1.2.3.4", "1.2.3.4", id="through the proxy"),
        pytest.param("10.0.0.9", "9.9.9.9, 1.2.3.4", "1.2.3.4", id="what the client made up"),
        pytest.param("10.0.0.9", "1.2.3.4, 10.0.0.7", "1.2.3.4", id="two proxies"),
        pytest.param("10.0.0.9", "words", "10.0.0.9", id="no address"),
        pytest.param("10.0.0.9", "", "10.0.0.9", id="the proxy itself"),
        pytest.param("8.8.8.8", "1.2.3.4", "8.8.8.8", id="past the proxy"),
    ],
)
def test_a_client_is_told_honestly(
    monkeypatch: pytest.MonkeyPatch, peer: str, forwarded: str, expected: str
) -> None:
    monkeypatch.setenv(clients.VARIABLE, "10.0.0.0/8")
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert client_of({"client": (peer, 5), "headers": headers, "type": "http"}) == expected


def test_a_proxy_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clients.VARIABLE, "my proxy")
    with pytest.raises(ProxyError, match="my proxy"):
        proxies()


HERE = {"host": "127.0.0.1:7860"}
FORWARDED = [{"x-forwarded-for": "1.2.3.4"}, {"forwarded": "for=1.2.3.4"}, {"x-real-ip": "1.2.3.4"}]


@pytest.mark.parametrize("forwarded", FORWARDED, ids=str)
def test_who_comes_through_a_proxy_loads_no_folder_and_gives_no_token(
    forwarded: dict[str, str], tmp_path: Path
) -> None:
    switcher = ModelSwitcher(ModelCache(fake_pipeline()), threading.Lock())
    choice = Choice(switcher, ANY)
    with pytest.raises(TaskError) as refusal:
        choice.choose(str(tmp_path), HERE | forwarded, "visitor")
    assert refusal.value.code == "E_MODEL_CHOICE"
    with pytest.raises(TaskError):
        choice.give_token("hf_" + "a" * 20, HERE | forwarded)


def test_behind_a_root_path_nothing_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMMA_VISION_MODEL_CHOICE", raising=False)
    assert freedom(None, "127.0.0.1") == ANY
    monkeypatch.setitem(os.environ, "GRADIO_ROOT_PATH", "/vision")
    assert freedom(None, "127.0.0.1") == "fixed"


def test_nobody_calls_off_what_another_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = threading.Event()
    switcher = ModelSwitcher(ModelCache(fake_pipeline()), threading.Lock())
    monkeypatch.setattr(switcher, "_work", lambda *arguments: wait.wait(10))
    choice = Choice(switcher, LISTED)
    choice.choose("tiny", HERE, "one")
    with pytest.raises(CheckpointError) as refusal:
        choice.cancel(HERE, "two")
    assert refusal.value.code == "E_LOADING"
    choice.cancel(HERE, "one")
    wait.set()


def test_what_memory_cannot_hold_is_refused_before_it_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    switcher = ModelSwitcher(ModelCache(fake_pipeline()), threading.Lock())
    monkeypatch.setattr(switcher, "room", lambda: 10**9)
    monkeypatch.setattr(switcher, "switch", lambda *given: pytest.fail("it was begun"))
    with pytest.raises(TaskError) as refusal:
        Choice(switcher, LISTED).choose("google/paligemma2-28b-mix-448", HERE)
    assert refusal.value.code == "E_MEMORY"
