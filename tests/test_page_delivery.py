"""The page travels packed, and is the same page; what it is built of is sent once to a browser."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest
from served import served
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemma_vision.web.server import page_delivery

WITHOUT = {"Accept-Encoding": "identity"}
PACKED = {"Accept-Encoding": "gzip"}


def words_of(page: str) -> str:
    """The page without what differs from one call to the next."""
    return re.sub(r'"(app_id|page_id|session_hash)":\s*("[^"]*"|\d+)', "", page)


@pytest.mark.parametrize("path", ["", "config"])
def test_the_page_is_packed_for_those_who_unpack(path: str) -> None:
    plain = httpx.get(served().url + path, headers=WITHOUT)
    packed = httpx.get(served().url + path, headers=PACKED)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert words_of(packed.text) == words_of(plain.text)


def test_an_answer_that_grows_is_not_held_back() -> None:
    url = f"{served().url}gradio_api/call/models"
    asked = httpx.post(url, json={"data": []}, headers=PACKED)
    with httpx.stream("GET", f"{url}/{asked.json()['event_id']}", headers=PACKED) as events:
        assert "content-encoding" not in events.headers
        told = "".join(events.iter_text())
    (models,) = json.loads(told.split("data: ")[1].splitlines()[0])
    assert models["models"]


@pytest.mark.parametrize("coding, most", [("br", 160_000), ("gzip", 300_000)])
def test_the_page_stays_small(coding: str, most: int) -> None:
    """A quarter of a megabyte more would be felt on a phone's network."""
    page = httpx.get(served().url, headers={"accept-encoding": coding})
    assert page.headers["content-encoding"] == coding
    assert int(page.headers["content-length"]) < most


@pytest.fixture(scope="module")
def asset() -> str:
    """The address of a script of Gradio's."""
    page = httpx.get(served().url).text
    return served().url + str(re.findall(r"assets/[\w.-]+\.js", page)[0])


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_a_script_is_the_same_however_it_is_sent_and_browsers_keep_it(
    asset: str, coding: str
) -> None:
    plain = httpx.get(asset, headers=WITHOUT)
    for _ in range(2):  # made, then kept
        sent = httpx.get(asset, headers={"Accept-Encoding": coding})
        assert sent.content == plain.content and len(plain.content) > 1000
        assert "immutable" in sent.headers["cache-control"]
        assert sent.headers.get("content-encoding", "identity") == coding
        assert sent.headers["content-type"] == plain.headers["content-type"]
        assert sent.headers["x-content-type-options"] == "nosniff"
        assert coding == "identity" or "accept-encoding" in sent.headers["vary"].lower()


def test_a_part_of_a_script_and_one_that_did_not_change_are_answered_as_they_were_asked(
    asset: str,
) -> None:
    plain = httpx.get(asset, headers=WITHOUT)
    part = httpx.get(asset, headers={"Range": "bytes=10-19", **WITHOUT})
    assert (part.status_code, part.content) == (206, plain.content[10:20])
    head = httpx.head(asset, headers=WITHOUT)
    assert head.content == b""
    assert httpx.get(asset, headers=WITHOUT).content == plain.content


@pytest.mark.parametrize(
    "path", ["assets/no-such.js", "assets/../index.html", "assets/%2e%2e/x.js"]
)
def test_what_is_not_there_is_not_kept(path: str) -> None:
    for _ in range(2):
        told = httpx.get(served().url + path)
        assert told.status_code >= 400
        assert "cache-control" not in told.headers


class Files:
    """An app of files, each as large as its name says; it counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        size = int("".join(re.findall(r"\d+", scope["path"])) or 900)
        answer = Response(bytes(size), media_type="text/javascript")
        answer.body = b"" if scope["method"] == "HEAD" else answer.body
        await answer(scope, receive, send)


@pytest.mark.parametrize(
    "accepted, coding",
    [
        ("br;q=0", "identity"),
        ("br;q=0.000, gzip;q=0.5", "gzip"),
        ("gzip ; q=0, identity", "identity"),
        ("GZIP", "gzip"),
        ("deflate, gzip;q=1.0, *;q=0", "gzip"),
        ("vibrant", "identity"),
        ("x-gzip-2", "identity"),
        ("br;q=0.01", "br"),
        ("", "identity"),
    ],
)
def test_nobody_gets_an_encoding_that_they_do_not_take(accepted: str, coding: str) -> None:
    for app in (page_delivery.AssetCache, page_delivery.CompressedPage):
        client = TestClient(app(Files()), headers={"Accept-Encoding": accepted})
        told = client.get("/assets/900.js" if app is page_delivery.AssetCache else "/")
        assert told.headers.get("content-encoding", "identity") == coding
        assert told.content == bytes(900)


def test_encodings_of_two_lines_count_as_those_of_one() -> None:
    client = TestClient(page_delivery.AssetCache(Files()))
    lines = [("Accept-Encoding", "br;q=0"), ("Accept-Encoding", "gzip")]
    assert client.get("/assets/900.js", headers=lines).headers["content-encoding"] == "gzip"


def test_only_the_length_is_told_where_only_that_is_asked() -> None:
    client = TestClient(page_delivery.AssetCache(Files()), headers=WITHOUT)
    assert client.head("/assets/900.js").headers["content-length"] == "900"


def test_a_file_by_another_name_is_kept_once() -> None:
    files = Files()
    asked = page_delivery.AssetCache(files)
    for path in ("/assets/900.js", "/assets/./900.js", "/assets//900.js", "/assets/a/../900.js"):
        asyncio.run(fetch(asked, path))
    assert len(files.asked) == 1


async def fetch(app: ASGIApp, path: str) -> None:
    """Ask for a path as it stands; a client would tidy it up first."""

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200

    await app({"type": "http", "method": "GET", "path": path, "headers": []}, receive, send)


def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_delivery, "KEPT_BYTES", 5000)
    files = Files()
    client = TestClient(page_delivery.AssetCache(files), headers=WITHOUT)
    for _ in range(3):
        for size in (4000, 2000, 900):
            assert len(client.get(f"/assets/{size}.js").content) == size
            assert len(client.get(f"/other/{size}.js").content) == size
    kept = {size: files.asked.count(f"/assets/{size}.js") for size in (4000, 2000, 900)}
    assert kept == {4000: 1, 2000: 3, 900: 1}
    assert len(files.asked) == 5 + 9
