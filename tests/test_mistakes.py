"""What a client sends by mistake is refused with a code, and is one line of the log at most."""

from __future__ import annotations

import json

import httpx
import pytest
from served import Served
from served import served as start

from gemma_vision.errors import describe, place_of
from gemma_vision.web.server.private_errors import refusal


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


NO_HANDLER = {"data": [1], "fn_index": 99_999, "session_hash": "a"}
BODIES = {
    "no such handler": json.dumps(NO_HANDLER).encode(),
    "not a number": b'{"data":[NaN],"fn_index":1}',
    "infinity": b'{"data":[1e999],"fn_index":-1,"session_hash":"a"}',
}


@pytest.mark.parametrize("path", ["queue/join", "run/detect", "api/detect", "reset", "cancel"])
@pytest.mark.parametrize("body", BODIES)
def test_no_body_is_an_error_without_a_code(served: Served, path: str, body: str) -> None:
    before = len(served.log.read_text())
    headers = {"content-type": "application/json"}
    url = f"{served.url}gradio_api/{path}"
    answer = httpx.post(url, content=BODIES[body], headers=headers)
    assert answer.status_code < 500 and "Internal Server Error" not in answer.text
    assert len(served.log.read_text()) - before < 200


@pytest.mark.parametrize("value", [5, "x", [1], {"a": 1}], ids=str)
def test_no_event_of_the_page_trips_over_a_value(served: Served, value: object) -> None:
    """Every handler, given something that no page sends."""
    config = httpx.get(f"{served.url}config").json()
    before = len(served.log.read_text())
    handlers = [row for row in config["dependencies"] if row["backend_fn"]]
    for row in handlers:
        visitor = f"mistake{row['id']}"
        asked = {
            "data": [value] * len(row["inputs"]),
            "fn_index": row["id"],
            "session_hash": visitor,
            "event_data": value,
        }
        joined = httpx.post(f"{served.url}gradio_api/queue/join", json=asked)
        assert joined.status_code in (200, 422), joined.text
        if joined.status_code == 200:
            assert "E_INTERNAL" not in outcome(served, visitor), row["api_name"]
    assert len(served.log.read_text()) - before < 400 * len(handlers)


def outcome(served: Served, visitor: str) -> str:
    """The last event of a visitor's run."""
    url = f"{served.url}gradio_api/queue/data?session_hash={visitor}"
    with httpx.stream("GET", url, timeout=20) as stream:
        for line in stream.iter_lines():
            if "process_completed" in line:
                return line
    return ""


def deep(count: int) -> None:
    if count:
        deep(count - 1)
    raise KeyError("what somebody wrote")


def test_an_error_of_ours_is_one_line_without_anybodys_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(KeyError) as caught:
        deep(50)
    assert describe(caught.value)[0] == "E_INTERNAL"
    (line,) = caplog.messages
    assert line == place_of(caught.value) and "\n" not in line and len(line) < 300
    assert line.startswith("KeyError at test_mistakes.py:") and "somebody" not in line
    assert caplog.text.count("\n") == 1  # and no trace behind it


def test_what_nobody_foresaw_has_a_code_too() -> None:
    answer = refusal(OSError(28, "No space left on device: /srv/secret"))
    assert answer.status_code == 500 and b"E_INTERNAL" in answer.body
    assert b"secret" not in answer.body
