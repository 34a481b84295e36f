"""Whatever JSON comes to an endpoint, it is answered or refused with a code, at once.

Bodies are made from the published description of the endpoints: values of the right kind and of
any other. `make fuzz` sends more of them; FUZZ_EXAMPLES says how many an endpoint gets.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import BOX, Served
from served import served as start

pytestmark = pytest.mark.slow  # `make fuzz` and CI run it

EXAMPLES = max(8, int(os.environ.get("FUZZ_EXAMPLES", "0")) // 10)
SECONDS = 20.0  # on a busy machine; a hang would take the deadline of an answer
ENDPOINTS = ("detect", "segment", "caption", "ask", "ocr", "free", "parse", "models", "model")
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="FUZZ_EXAMPLES" not in os.environ,
)

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["", "cat", "__class__", "/etc/passwd", "\u0000", "\ud800x", BOX, "{}" * 9])
)
FILES = st.fixed_dictionaries(
    {"path": LEAVES}, optional={"meta": st.just({"_type": "gradio.FileData"}) | LEAVES}
)
ANYTHING = st.recursive(
    LEAVES | FILES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner)
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=60),
    "integer": st.integers(-5, 600),
    "number": st.floats(-1, 2),
    "boolean": st.booleans(),
    "array": st.lists(st.floats(0, 1), max_size=5),
    "object": FILES,
}


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture(scope="module")
def described(served: Served) -> dict[str, Any]:
    return dict(httpx.get(f"{served.url}gradio_api/info").json()["named_endpoints"])


def values_of(parameters: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A body: most of an endpoint's values, each of its kind or of any."""
    known = {
        one["parameter_name"]: KINDS.get(str(one["type"].get("type")), ANYTHING) | ANYTHING
        for one in parameters
    }
    surplus = st.dictionaries(st.text(max_size=9), ANYTHING, max_size=1)
    body = st.fixed_dictionaries({}, optional=known)
    return st.builds(lambda one, other: other | one, body, surplus)


def written(body: Any) -> bytes:
    """As JSON, halves of letters among it."""
    return json.dumps(body).encode()


def outcome(client: httpx.Client, url: str, event: str) -> str:
    """The last event of an answer."""
    return client.get(f"{url}/{event}", timeout=SECONDS).text.strip().split("\n\n")[-1]


def check(client: httpx.Client, served: Served, name: str, path: str, body: bytes) -> None:
    """Answered, or refused with a code, in time."""
    began = time.monotonic()
    url, headers = f"{served.url}gradio_api/call", {"content-type": "application/json"}
    told = client.post(f"{url}/{path}", content=body, headers=headers, timeout=SECONDS)
    assert told.status_code < 500, told.text
    if told.status_code == 200:
        last = outcome(client, f"{url}/{name}", told.json()["event_id"])
        assert last.startswith("event: complete") or '"E_' in last, (body, last)
        assert "E_INTERNAL" not in last, (body, last)
    assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize("name", ENDPOINTS)
def test_any_body_is_answered_or_refused(
    served: Served, described: dict[str, Any], name: str
) -> None:
    parameters = described[f"/{name}"]["parameters"]
    with httpx.Client() as client:

        @SETTINGS
        @given(values_of(parameters))
        def by_name(body: dict[str, Any]) -> None:
            check(client, served, name, f"v2/{name}", written(body))

        @SETTINGS
        @given(st.lists(ANYTHING, max_size=len(parameters) + 2))
        def in_order(values: list[Any]) -> None:
            check(client, served, name, name, written({"data": values}))

        by_name()
        in_order()


@pytest.mark.parametrize("path", ["detect", "v2/detect", "parse", "v2/parse"])
def test_any_bytes_are_refused(served: Served, path: str) -> None:
    with httpx.Client() as client:

        @SETTINGS
        @given(st.binary(max_size=200) | ANYTHING.map(written))
        def any_bytes(body: bytes) -> None:
            check(client, served, path.removeprefix("v2/"), path, body)

        any_bytes()


def test_the_app_is_as_it_was(served: Served) -> None:
    url = f"{served.url}gradio_api/call/parse"
    with httpx.Client() as client:
        asked = client.post(url, json={"data": [BOX, 640, 480, "none"]}).json()["event_id"]
        assert outcome(client, url, asked).startswith("event: complete")
