"""A request brings so much and takes so long, at every door; who dawdles is not waited for."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from served import Served
from served import served as start
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gemma_vision.web.server.guards import body_limits, slow_headers
from gemma_vision.web.server.guards import chain as guards_chain
from gemma_vision.web.server.guards.access import KEYS
from gemma_vision.web.server.guards.body_limits import MAX_BODY, BodyLimits
from gemma_vision.web.server.guards.chain import chain
from gemma_vision.web.server.guards.slow_headers import HeaderWatch

DOORS = (
    "gradio_api/call/detect",
    "gradio_api/call/v2/parse",
    "gradio_api/queue/join",
    "gradio_api/component_server",
    "gradio_api/run/detect",
    "gradio_api/cancel",
    "gradio_api/reset",
    "gradio_api/upload",
    "mcp",
    "v1/chat/completions",
    "model/token",
    "anything",
)
STUDIO = "label-studio/predict"


async def take(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def trickle(request: Request) -> StreamingResponse:
    async def words() -> object:
        for _ in range(8):
            yield b"word "
            await asyncio.sleep(0.2)

    return StreamingResponse(words())  # type: ignore[arg-type]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server of its own behind the limits, which are short."""
    monkeypatch.setattr(body_limits, "SILENCE", 0.3)
    monkeypatch.setattr(body_limits, "LONGEST", 1.0)
    monkeypatch.setattr(slow_headers, "SECONDS", 0.4)
    monkeypatch.setattr(slow_headers, "EVERY", 0.1)
    routes = [Route(f"/{path}", take, methods=["POST"]) for path in (*DOORS, STUDIO)]
    routes.append(Route("/trickle", trickle))
    app = Starlette(routes=routes, middleware=[Middleware(BodyLimits)])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    HeaderWatch(server).start()
    yield "127.0.0.1", port
    server.should_exit = True
    thread.join()


def said(line: socket.socket) -> bytes:
    """What comes until the other side closes."""
    line.settimeout(10)
    parts = []
    while part := line.recv(4096):
        parts.append(part)
    return b"".join(parts)


def head(path: str, length: int) -> bytes:
    return f"POST /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()


@pytest.mark.parametrize("path", DOORS)
def test_a_body_that_does_not_come_is_given_up(small: tuple[str, int], path: str) -> None:
    with socket.create_connection(small) as line:
        line.sendall(head(path, 1000) + b"{")
        began = time.monotonic()
        assert said(line).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["gradio_api/queue/join", "v1/chat/completions", STUDIO])
def test_a_body_that_drips_is_given_up(small: tuple[str, int], path: str) -> None:
    with socket.create_connection(small) as line:
        line.sendall(head(path, 1000))
        began = time.monotonic()
        while not select.select([line], [], [], 0.1)[0]:
            line.sendall(b"x")
        assert said(line).startswith(b"HTTP/1.1 408") and 0.9 < time.monotonic() - began < 5


def test_a_whole_body_is_read_and_a_slow_reader_is_waited_for(small: tuple[str, int]) -> None:
    url = f"http://{small[0]}:{small[1]}"
    assert httpx.post(f"{url}/anything", content=b"x" * 70_000).text == "70000"
    assert httpx.get(f"{url}/trickle").text == "word " * 8


@pytest.mark.parametrize("start", [b"", b"POST / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX: "])
def test_headers_that_do_not_come_are_given_up(small: tuple[str, int], start: bytes) -> None:
    with socket.create_connection(small) as line:
        line.sendall(start)
        began = time.monotonic()
        said(line)
        assert time.monotonic() - began < 5


def test_half_a_second_request_is_given_up_too(small: tuple[str, int]) -> None:
    with socket.create_connection(small) as line:
        line.sendall(head("anything", 1) + b"x")
        time.sleep(0.2)
        line.sendall(b"POST /anyth")
        assert said(line).startswith(b"HTTP/1.1 200")


def test_a_page_has_all_that_looks_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, object]] = []

    def looking(name: str) -> Callable[[object], SimpleNamespace]:
        return lambda given: SimpleNamespace(start=lambda: started.append((name, given)))

    page = SimpleNamespace(server="a server")
    monkeypatch.setattr(guards_chain, "HeaderWatch", looking("headers"))
    monkeypatch.setattr(guards_chain, "Sweeper", looking("files"))
    monkeypatch.setattr(
        guards_chain, "keep_sessions_small", lambda given: started.append(("sessions", given))
    )
    guards_chain.start_guards(page)
    assert sorted(started, key=str) == [
        ("files", page),
        ("headers", "a server"),
        ("sessions", page),
    ]


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


def is_bounded_by_itself(path: str) -> bool:
    return path.endswith(("upload", "mcp")) or path.startswith("v1/")


@pytest.mark.parametrize("path", [one for one in DOORS if not is_bounded_by_itself(one)])
def test_the_app_refuses_a_large_call_before_it_is_read(served: Served, path: str) -> None:
    host, port = served.url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(head(path, MAX_BODY + 1))
        told = said(line)
    assert told.startswith(b"HTTP/1.1 413") and b'"code":"E_TOO_LARGE"' in told


@pytest.mark.parametrize(
    "path, status", [("v1/a", 200), ("label-studio/predict", 200), ("label-studios", 413)]
)
def test_doors_whose_pictures_come_in_calls_have_a_line_that_bounds_them(
    path: str, status: int
) -> None:
    app = Starlette(
        routes=[Route(f"/{path}", take, methods=["POST"])], middleware=[Middleware(BodyLimits)]
    )
    with TestClient(app) as client:
        assert client.post(f"/{path}", content=b" " * (MAX_BODY + 1)).status_code == status


@pytest.mark.parametrize("path", ["gradio_api/call/detect", "gradio_api/queue/join"])
def test_a_large_call_of_no_length_is_read_to_the_limit(served: Served, path: str) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(3 * MAX_BODY // 2**20):
            yield b" " * 2**20

    told = httpx.post(f"{served.url}{path}", content=parts(), timeout=30)
    assert told.status_code == 413 and told.json()["code"] == "E_TOO_LARGE"
    assert "Traceback" not in served.log.read_text()


def test_who_has_no_key_is_told_so_as_a_door_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEYS, "a-key-of-a-program")
    app = Starlette(routes=[Route("/v1/models", take)], middleware=chain("127.0.0.1"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        told = client.get("/v1/models")
        assert told.status_code == 401 and told.headers["www-authenticate"].startswith("Basic")
        error = told.json()["error"]
        assert error["code"] == "invalid_api_key" and error["type"] == "authentication_error"
        assert error["message"] and error["param"] is None
        assert client.get("/config").json()["code"] == "E_ACCESS"
        foreign = client.post("/v1/models", headers={"Origin": "http://evil.example"})
        assert foreign.json()["error"]["type"] == "permission_error"
