"""The app as a server of the Model Context Protocol, through its own client."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from served import Served
from served import served as start

pytest.importorskip("mcp", reason="the optional package mcp is not installed")

from fake_engine import fake_pipeline
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from gemma_vision.tasks import Task
from ui import mcp_tools
from ui.mcp_tools import build_server


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture
def picture_data(picture_file: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture_file.read_bytes()).decode()


def speak(served: Served, talk: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    """What comes of a session with the app."""

    async def inside() -> Any:
        async with streamable_http_client(f"{served.url}mcp") as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                return await talk(session)

    return asyncio.run(inside())


def call(served: Served, name: str, **values: Any) -> Any:
    return speak(served, lambda session: session.call_tool(name, values))


def test_the_tools_are_there_and_say_what_they_take(served: Served) -> None:
    tools = speak(served, lambda session: session.list_tools()).tools
    assert {tool.name for tool in tools} == {"detect", "segment", "caption", "ask", "parse"}
    for tool in tools:
        assert tool.description and "{" not in tool.description
        assert tool.name == "parse" or mcp_tools.PICTURE in tool.description


@pytest.mark.parametrize(
    "name, words, plain, count",
    [
        pytest.param("detect", {"text": "cat ; dog"}, "", 2, id="detect"),
        pytest.param("segment", {"text": "cat ; dog"}, "", 2, id="segment"),
        pytest.param("caption", {}, "two animals on a lawn", 0, id="caption"),
        pytest.param("ask", {"question": "who?"}, "two animals on a lawn", 0, id="ask"),
    ],
)
def test_a_tool_gives_the_json_of_the_endpoint_as_text(
    served: Served, picture_data: str, name: str, words: dict[str, str], plain: str, count: int
) -> None:
    result = call(served, name, image=picture_data, **words)
    assert not result.isError and result.structuredContent is None
    answer = json.loads(result.content[0].text)
    assert (answer["task"], answer["plain"], answer["finish"]) == (name, plain, "stop")
    assert answer["image"] == {"width": 640, "height": 480}
    assert len(answer["instances"]) == count


def test_parse_needs_no_picture(served: Served) -> None:
    text = "<loc0000><loc0000><loc0512><loc0512> cat"
    result = call(served, "parse", text=text, width=200, height=100)
    (cat,) = json.loads(result.content[0].text)["instances"]
    assert cat["label"] == "cat"


def test_an_uploaded_file_can_be_named(served: Served, picture_file: Path) -> None:
    with picture_file.open("rb") as file:
        (path,) = httpx.post(f"{served.url}gradio_api/upload", files={"files": file}).json()
    result = call(served, "detect", image=path, text="cat")
    assert len(json.loads(result.content[0].text)["instances"]) == 2


@pytest.mark.parametrize(
    "image, words, code",
    [
        pytest.param("/etc/passwd", "cat", "E_UPLOAD", id="a file of the server"),
        pytest.param("http://127.0.0.1:1/a.png", "cat", "E_UPLOAD", id="an address"),
        pytest.param("data:image/png;base64,!!!", "cat", "E_UPLOAD", id="damaged"),
        pytest.param("data:image/png,abc", "cat", "E_UPLOAD", id="not base64"),
        pytest.param("data:image/png;base64,aGVsbG8=", "cat", "E_IMAGE_FORMAT", id="no picture"),
        pytest.param(None, "fail", "E_INTERNAL", id="our own mistake"),
    ],
)
def test_what_cannot_work_is_a_tool_error_with_its_code(
    served: Served, picture_data: str, image: str | None, words: str, code: str
) -> None:
    result = call(served, "detect", image=image or picture_data, text=words)
    assert result.isError and f"{code}: " in result.content[0].text
    assert "secret" not in result.content[0].text


def test_a_page_elsewhere_cannot_speak_to_the_tools(served: Served) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        accept = {"Accept": "application/json, text/event-stream"}
        answer = httpx.post(f"{served.url}mcp", headers=accept | headers, json={})
        assert answer.status_code in (400, 403, 421)


def test_the_page_still_answers_after_the_tools(served: Served, picture_file: Path) -> None:
    client = Client(served.url, verbose=False)
    answer = client.predict(handle_file(picture_file), "cat", api_name="/detect")
    assert answer["finish"] == "stop"


def test_only_what_the_checkpoint_can_do_becomes_a_tool() -> None:
    server = build_server(fake_pipeline(tasks=[Task.caption]))
    tools = asyncio.run(server.list_tools())
    assert [tool.name for tool in tools] == ["caption", "parse"]


def test_a_crowd_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_tools, "MAX_WAITING", 0)
    server = build_server(fake_pipeline())
    words = {"text": "cat", "width": 10, "height": 10}
    with pytest.raises(Exception, match="E_BUSY"):
        asyncio.run(server.call_tool("parse", words))


def test_without_the_package_there_are_no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_tools.importlib.util, "find_spec", lambda name: None)
    assert mcp_tools.offer_tools(None, fake_pipeline()) is False  # type: ignore[arg-type]
