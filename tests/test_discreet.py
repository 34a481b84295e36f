"""Calls that fit no endpoint: what they are told, and what is not written down about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from served import Served
from served import served as start

SECRET = "a word that nobody else reads"
NAMED = "holiday-in-secret.png"


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture
def image(served: Served, picture_file: Path) -> dict[str, Any]:
    sent = {"files": (NAMED, picture_file.read_bytes())}
    (path,) = httpx.post(f"{served.url}gradio_api/upload", files=sent).json()
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def call(served: Served, name: str, values: list[Any]) -> tuple[str, Any]:
    """A raw call: the last event of its answer, and what that says."""
    url = f"{served.url}gradio_api/call/{name}"
    asked = httpx.post(url, json={"data": values}).json()["event_id"]
    events = httpx.get(f"{url}/{asked}", timeout=60).text.strip().split("\n\n")
    event, data = events[-1].split("\n", 1)
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def is_discreet(served: Served) -> None:
    """Nothing of what was sent is in the log of the app."""
    log = served.log.read_text()
    assert SECRET not in log and NAMED not in log and "Traceback" not in log


def test_options_left_out_of_a_raw_call_have_their_defaults(
    served: Served, image: dict[str, Any]
) -> None:
    event, (answer,) = call(served, "detect", [image, "cat ; dog"])
    assert event == "complete" and len(answer["instances"]) == 2
    assert served.engine()["prompts"][-1][1:] == [256, 0.0, 0]
    event, (answer,) = call(served, "caption", [image])
    assert event == "complete" and answer["plain"] == "two animals on a lawn"


@pytest.mark.parametrize("name", ["detect", "ask", "free"])
def test_what_has_no_default_cannot_be_left_out(
    served: Served, image: dict[str, Any], name: str
) -> None:
    event, told = call(served, name, [image])
    assert event == "error" and told["error"].startswith("E_ARGUMENTS: The call has no ")
    is_discreet(served)


def test_a_call_without_anything_is_told_what_is_missing(served: Served) -> None:
    event, told = call(served, "parse", [SECRET])
    assert event == "error" and told["error"].startswith("E_ARGUMENTS: The call has no width")
    is_discreet(served)


def test_a_file_of_the_server_is_no_upload(served: Served) -> None:
    path = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    event, told = call(served, "detect", [path, SECRET])
    assert event == "error" and told["error"].startswith("E_UPLOAD: ")
    assert "passwd" not in served.log.read_text()
    is_discreet(served)


def message(method: str, **more: Any) -> str:
    """A message of JSON-RPC with a word that nobody else reads."""
    said = {"jsonrpc": "2.0", "method": method, "params": {"uri": SECRET}}
    return json.dumps(said | more)


@pytest.mark.parametrize(
    "body",
    [
        message("initialize", id=1),
        message("resources/read", id=1),
        message(SECRET, id=1),
        message("notifications/progress"),
        message("tools/call", id=1, params={"name": SECRET, "arguments": {}}),
        message("tools/call", id=1, params={"name": "detect", "arguments": {"text": [SECRET]}}),
        message("tools/call", id=1, params=[SECRET]),
        f'{{"{SECRET}',
    ],
)
def test_what_is_malformed_over_mcp_is_not_quoted_in_the_log(served: Served, body: str) -> None:
    accepted = {"accept": "application/json, text/event-stream"}
    accepted |= {"content-type": "application/json"}
    answer = httpx.post(f"{served.url}mcp", content=body, headers=accepted, timeout=30)
    assert answer.status_code in (200, 202, 400)
    is_discreet(served)


def test_events_of_the_page_that_come_short_are_not_logged(served: Served) -> None:
    config = httpx.get(f"{served.url}config").json()
    wide = [row["id"] for row in config["dependencies"] if len(row["inputs"]) > 1]
    for number in wide[:12]:
        body = {"fn_index": number, "data": [SECRET], "session_hash": f"short-{number}"}
        httpx.post(f"{served.url}gradio_api/queue/join", json=body)
        url = f"{served.url}gradio_api/queue/data?session_hash=short-{number}"
        told = httpx.get(url, timeout=60).text
        assert "E_ARGUMENTS" in told or "process_completed" in told
    is_discreet(served)


@pytest.mark.parametrize(
    "name, body, status, code",
    [
        ("detect", {"text": SECRET}, 422, "E_ARGUMENTS"),
        ("detect", {"image": None, "text": SECRET, SECRET[:6]: 1}, 422, "E_ARGUMENTS"),
        ("nothing", {"text": SECRET}, 404, "E_ENDPOINT"),
    ],
    ids=["a missing key", "a surplus key", "no endpoint"],
)
def test_named_calls_that_fit_no_endpoint(
    served: Served, name: str, body: dict[str, Any], status: int, code: str
) -> None:
    told = httpx.post(f"{served.url}gradio_api/call/v2/{name}", json=body)
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert told.json()["message"].endswith("what it takes.")
    is_discreet(served)


def test_clients_are_answered_as_before(served: Served, picture_file: Path) -> None:
    client = Client(served.url, verbose=False)
    answer = client.predict(handle_file(str(picture_file)), "cat", api_name="/detect")
    assert answer["finish"] == "stop"
