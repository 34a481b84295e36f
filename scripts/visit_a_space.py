"""Visit an app that runs as a Space does: what a person and a program find there.

python scripts/visit_a_space.py free | listed | beyond      as `like_a_space.py` starts it

A line that says WRONG is one that docs/spaces.md does not promise.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

URL = "http://127.0.0.1:7860/"
ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "gemma_vision" / "web" / "examples" / "scene-1.jpg"
FOLDER = str(PICTURE.parent)  # of this machine: no visitor may have it read


def page() -> str:
    """The page itself."""
    with urllib.request.urlopen(URL) as answer:
        return f"{answer.status}, {len(answer.read())} bytes"


def model() -> str:
    """The checkpoint that answers."""
    with urllib.request.urlopen(f"{URL}model") as answer:
        state = json.load(answer)
    return f"{state['id']} {state['state']} on {state['device']}, {state['tasks']}"


def segment(client: Client) -> str:
    """Two answers; the second knows the picture already."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        answer = client.predict(handle_file(PICTURE), "cat ; dog", api_name="/segment")
        times.append(time.perf_counter() - start)
    masks = sum(thing["mask"] is not None for thing in answer["instances"])
    summary = f"{answer['finish']}, {answer['timing']['tokens']} tokens, {masks} masks"
    return f"{summary}, {times[0]:.2f} s with the client, then {times[1]:.2f} s"


def tools() -> str:
    """The tools at /mcp, one of them used."""
    data = base64.b64encode(PICTURE.read_bytes()).decode()
    arguments = {"image": f"data:image/jpeg;base64,{data}", "text": "cat"}

    async def talk() -> tuple[list[str], Any]:
        async with streamable_http_client(f"{URL}mcp") as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                names = [tool.name for tool in (await session.list_tools()).tools]
                return names, await session.call_tool("detect", arguments)

    names, result = asyncio.run(talk())
    things = json.loads(result.content[0].text)["instances"]
    return f"{', '.join(names)}; detect found {len(things)}"


def refused(ask: Callable[[], Any]) -> str:
    """The sentence of a refusal."""
    try:
        ask()
    except Exception as error:
        return str(error)
    return "WRONG: it was not refused"


def secret(client: Client) -> str:
    """A file of the server, named without the marker that Gradio looks for."""
    path = {"path": str(ROOT / "app.py")}
    return refused(lambda: client.predict(path, "cat", api_name="/detect"))


def choose(client: Client, name: str) -> str:
    """Another checkpoint in the place of the one that answers."""
    return refused(lambda: client.predict(name, api_name="/choose"))


def visit(kind: str) -> None:
    """Every look that fits the way in which the app was started."""
    client = Client(URL, verbose=False)
    checks: dict[str, Callable[[], str]] = {"model": model}
    if kind == "free":
        checks |= {"page": page, "segment": lambda: segment(client), "mcp": tools}
        checks |= {"file": lambda: secret(client)}
    checks["choose"] = lambda: choose(client, FOLDER)
    for name, check in checks.items():
        print(f"{name + ':':<9} {check()}")


if __name__ == "__main__":
    visit(sys.argv[1])
