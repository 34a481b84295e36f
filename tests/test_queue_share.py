"""One client fills no queue, and an operator reads from outside how the app is."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from served import Served
from served import served as start

from gemma_vision.web.server.guards.clients import client_of_event
from gemma_vision.web.server.guards.queue_share import SHARE, share_queue


def request_of(address: str) -> Any:
    """A request from an address; "1.2.3.4 by 10.0.0.9" is passed on by a proxy."""
    client, _, proxy = address.partition(" by ")
    headers = [(b"x-forwarded-for", client.encode())] if proxy else []
    scope = {"type": "http", "client": (proxy or client, 1), "headers": headers}
    return SimpleNamespace(scope=scope)


def waiting_app() -> Any:
    """A page whose queue takes everything and finishes nothing."""
    line = SimpleNamespace(queue=[])

    async def push(body: Any, request: Any, username: Any = None) -> tuple[bool, str, str]:
        line.queue.append(SimpleNamespace(request=request, session_hash=body.session_hash))
        return True, "event", "success"

    queue = SimpleNamespace(push=push, event_queue_per_concurrency_id={"model": line})
    return SimpleNamespace(_queue=queue)


@pytest.mark.parametrize(
    "greedy, honest",
    [
        pytest.param(("8.8.8.8", "s{n}"), ("9.9.9.9", "t"), id="an address with many pages"),
        pytest.param(("127.0.0.1", "one"), ("127.0.0.1", "two"), id="pages on this machine"),
        pytest.param(
            ("8.8.8.8 by 10.0.0.9", "one"), ("9.9.9.9 by 10.0.0.9", "two"), id="a Space's proxy"
        ),
        pytest.param(
            ("1.1.1.1 by 8.8.8.8", "s{n}"), ("9.9.9.9", "t"), id="a proxy that is only claimed"
        ),
    ],
)
def test_a_greedy_client_has_its_share_and_the_others_go_on(
    greedy: tuple[str, str], honest: tuple[str, str]
) -> None:
    app = waiting_app()
    share_queue(app)

    async def ask(who: tuple[str, str], number: int) -> tuple[bool, str, str]:
        body = SimpleNamespace(session_hash=who[1].format(n=number))
        result: tuple[bool, str, str] = await app._queue.push(
            body=body, request=request_of(who[0]), username=None
        )
        return result

    async def all_of_them() -> tuple[list[bool], tuple[bool, str, str]]:
        return [(await ask(greedy, n))[0] for n in range(SHARE + 3)], await ask(honest, 0)

    taken, other = asyncio.run(all_of_them())
    assert taken == [True] * SHARE + [False] * 3 and other[0]
    assert asyncio.run(ask(greedy, 99))[1].startswith("E_BUSY: ")


def test_an_event_without_a_request_is_a_page() -> None:
    assert client_of_event(None, "s") == "page s"
    assert client_of_event(request_of("8.8.8.8"), "s") == "8.8.8.8"


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


def test_the_app_says_that_it_lives_and_can_answer(served: Served) -> None:
    assert httpx.get(f"{served.url}healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{served.url}readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


def test_its_numbers_have_nothing_of_a_visitor(served: Served) -> None:
    httpx.get(f"{served.url}nowhere-secret")
    answer = httpx.get(f"{served.url}metrics")
    rows = dict(row.rsplit(" ", 1) for row in answer.text.splitlines() if row[0] != "#")
    assert float(rows["gemma_vision_memory_bytes"]) > 1e7 and rows["gemma_vision_ready"] == "1"
    assert int(rows['gemma_vision_responses_total{status="4xx"}']) >= 1
    assert "secret" not in answer.text and len(rows) == 9
