"""What visitors upload stays within bounds."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import httpx
import pytest
from served import served
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gemma_vision.web.server import upload_quota
from gemma_vision.web.server.upload_quota import UploadQuota, max_bytes, num_bytes
from gemma_vision.web.server.uploads import UploadError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(upload_quota, "MAX_AGE", -1.0)
    return tmp_path


@pytest.fixture
def client() -> TestClient:
    async def take(request: object) -> PlainTextResponse:
        return PlainTextResponse("taken")

    paths = [Route(path, take, methods=["GET", "POST"]) for path in ("/gradio_api/upload", "/")]
    return TestClient(Starlette(routes=paths, middleware=[Middleware(UploadQuota, limit=1000)]))


def test_uploads_are_taken_while_there_is_room(folder: Path, client: TestClient) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "a").write_bytes(b"x" * 999)
    assert client.post("/gradio_api/upload").text == "taken"
    (folder / "b").write_bytes(b"x")
    full = client.post("/gradio_api/upload")
    assert full.status_code == 507 and full.json()["detail"].startswith("E_STORAGE_FULL: ")
    assert client.post("/").text == client.get("/gradio_api/upload").text == "taken"
    (folder / "b").unlink()
    assert client.post("/gradio_api/upload").text == "taken"


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert num_bytes(tmp_path / "none") == 0
    (tmp_path / "gone").symlink_to(tmp_path / "none")
    assert num_bytes(tmp_path) < 1000


@pytest.mark.parametrize("given, expected", [("", 8 * 10**9), ("0.5", 5 * 10**8)])
def test_the_bound_is_a_variable(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: int
) -> None:
    monkeypatch.setenv(upload_quota.VARIABLE, given)
    assert max_bytes() == expected


@pytest.mark.parametrize("given", ["much", "-1", "0", "nan", "inf"])
def test_a_bound_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(upload_quota.VARIABLE, given)
    with pytest.raises(UploadError, match=f"{upload_quota.VARIABLE} is '{given}'"):
        max_bytes()


def test_the_app_has_it(picture_file: Path) -> None:
    """Far below its bound, an upload goes through."""
    url = f"{served().url}gradio_api/upload"
    taken = httpx.post(url, files={"files": picture_file.read_bytes()})
    assert taken.status_code == 200 and len(taken.json()) == 1


def quota(limit: int, body: object = None) -> Starlette:
    """An app that reads what it is sent before it answers."""

    async def take(request: Request) -> PlainTextResponse:
        if body is not None:
            raise OSError(28, "No space left on device")
        await request.body()
        return PlainTextResponse("taken")

    path = Route("/gradio_api/upload", take, methods=["POST"])
    return Starlette(routes=[path], middleware=[Middleware(UploadQuota, limit=limit)])


def test_uploads_side_by_side_do_not_pass_the_bound_together(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is reserved by the length, before a byte has come."""
    monkeypatch.setattr(upload_quota, "UNKNOWN", 0)
    app = quota(1000)

    async def send(size: int, hold: asyncio.Event | None, client: str) -> int:
        status: list[int] = []

        async def receive() -> dict[str, object]:
            if hold is not None:
                await hold.wait()
            return {"type": "http.request", "body": b"x" * size, "more_body": False}

        async def answer(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                status.append(int(str(message["status"])))

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/gradio_api/upload",
            "raw_path": b"/gradio_api/upload",
            "query_string": b"",
            "headers": [(b"content-length", str(size).encode())],
            "client": (client, 1),
            "http_version": "1.1",
        }
        await app(scope, receive, answer)  # type: ignore[arg-type]
        return status[0]

    async def all_of_them() -> list[int]:
        hold = asyncio.Event()
        slow = [asyncio.create_task(send(400, hold, f"c{n}")) for n in range(4)]
        await asyncio.sleep(0.3)
        hold.set()
        first = await asyncio.gather(*slow)
        return [*first, await send(400, None, "c9")]

    *together, later = asyncio.run(all_of_them())
    assert sorted(together) == [200, 200, 507, 507] and later == 200


def test_one_client_has_a_share_and_the_others_have_theirs(folder: Path) -> None:
    with TestClient(quota(1000), client=("1.1.1.1", 5)) as one:
        assert one.post("/gradio_api/upload", content=b"x" * 400).status_code == 200
        refused = one.post("/gradio_api/upload", content=b"x" * 400)
        assert refused.status_code == 429 and refused.json()["detail"].startswith("E_BUSY: ")


def test_visitors_behind_a_proxy_that_nobody_named_are_not_one_client(folder: Path) -> None:
    """As on a Space, where all of them come from one address."""
    passed_on = {"x-forwarded-for": "8.8.8.8"}
    with TestClient(quota(1000), client=("10.0.0.9", 5), headers=passed_on) as all_of_them:
        for _ in range(3):
            sent = all_of_them.post("/gradio_api/upload", content=b"x" * 400)
            assert sent.status_code == 200


@pytest.mark.parametrize("length", ["-5", "many", "9" * 30, "\u0665"])
def test_a_length_that_is_none_is_refused(folder: Path, length: str) -> None:
    with TestClient(quota(1000)) as client:
        headers = {"content-length": length.encode()}
        answer = client.post("/gradio_api/upload", content=b"", headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 400 and "E_ARGUMENTS" in answer.text


def test_a_full_disk_is_said_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(quota(1000, "full")) as client:
        answer = client.post("/gradio_api/upload", content=b"x")
        assert answer.status_code == 507 and "E_STORAGE_FULL" in answer.text
    monkeypatch.setattr(upload_quota, "free_bytes", lambda: 0)
    with TestClient(quota(1000)) as client:
        assert client.post("/gradio_api/upload", content=b"x").status_code == 507
    monkeypatch.setattr(upload_quota, "free_bytes", lambda: 2**40)
    with TestClient(quota(1000)) as client:
        assert client.post("/gradio_api/upload", content=b"x").status_code == 200


@pytest.mark.parametrize("left, status", [(10, 200), (9, 507)])
def test_a_disk_is_not_filled_to_its_end(
    folder: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch, left: int, status: int
) -> None:
    monkeypatch.setattr(upload_quota, "free_bytes", lambda: upload_quota.SPARE + left)
    assert client.post("/gradio_api/upload", content=b"x" * 10).status_code == status


@pytest.mark.parametrize("size, said", [(10, "10 bytes"), (11, "cut off")])
def test_an_upload_is_no_longer_than_what_was_reserved(
    folder: Path, monkeypatch: pytest.MonkeyPatch, size: int, said: str
) -> None:
    async def take(request: Request) -> PlainTextResponse:
        try:
            return PlainTextResponse(f"{len(await request.body())} bytes")
        except ClientDisconnect:
            return PlainTextResponse("cut off")

    monkeypatch.setattr(upload_quota, "UNKNOWN", 10)
    route = Route("/gradio_api/upload", take, methods=["POST"])
    app = Starlette(routes=[route], middleware=[Middleware(UploadQuota, limit=1000)])
    body = (b"x" for _ in range(size))  # so that no length is announced
    assert TestClient(app).post("/gradio_api/upload", content=body).text == said


def test_what_was_broken_off_leaves_nothing() -> None:
    app = served()
    before = {path.name for path in app.folder.iterdir()}
    host, port = app.url.removeprefix("http://").rstrip("/").split(":")
    head = (
        "POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    )
    with socket.create_connection((host, int(port))) as line:
        line.sendall(head.encode() + b"x" * 300_000)
        time.sleep(0.5)
    latest = time.monotonic() + 20
    while {path.name for path in app.folder.iterdir()} - before and time.monotonic() < latest:
        time.sleep(0.1)
    assert {path.name for path in app.folder.iterdir()} <= before
