"""Gradio's page "Use via API" tells what is there: files by handle_file, and the tools at /mcp."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Any

import httpx
import pytest
from served import Served
from served import served as start

from gemma_vision.requests.tasks import FORM_TASKS, TASKS


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture(scope="module")
def endpoints(served: Served) -> dict[str, Any]:
    return dict(httpx.get(f"{served.url}gradio_api/info").json()["named_endpoints"])


def test_the_pages_python_opens_the_picture_with_handle_file(endpoints: dict[str, Any]) -> None:
    for name, endpoint in endpoints.items():
        if "image" in [one["parameter_name"] for one in endpoint["parameters"]]:
            code = endpoint["code_snippets"]["python"]
            assert "image=handle_file('photo.jpg')" in code, name
            assert "from gradio_client import Client, handle_file" in code


def test_required_is_what_has_no_default(endpoints: dict[str, Any]) -> None:
    required = {
        (name, one["parameter_name"])
        for name, endpoint in endpoints.items()
        for one in endpoint["parameters"]
        if not one["parameter_has_default"]
    }
    words = {(f"/{task}", TASKS[task].words.name) for task in FORM_TASKS if TASKS[task].words}
    parse = {("/parse", name) for name in ("text", "width", "height")}
    assert required == {(f"/{task}", "image") for task in FORM_TASKS} | words | parse


def test_the_page_lists_the_tools_and_its_address_answers(served: Served) -> None:
    if importlib.util.find_spec("mcp") is None:
        pytest.skip("the optional package mcp is not installed")
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    listed = httpx.get(f"{served.url}gradio_api/mcp/schema").json()

    async def names() -> list[str]:
        async with streamable_http_client(f"{served.url}gradio_api/mcp/") as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                return [tool.name for tool in (await session.list_tools()).tools]

    assert [tool["name"] for tool in listed] == asyncio.run(names())
    assert all(tool["description"] and tool["inputSchema"]["properties"] for tool in listed)
