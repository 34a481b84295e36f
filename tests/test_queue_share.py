"""One client fills no queue, and an operator reads from outside how the app is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.queueing import Event, EventQueue
from served import ALONE, ROOT, Served, free_port
from served import served as start
from served import start as start_with

from gemma_vision.web.server.guards.clients import client_of_event
from gemma_vision.web.server.guards.queue_share import (
    SHARE,
    bring_next,
    client_of_waiting,
    share_queue,
)
from gemma_vision.web.server.page_queue import open_queue


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


def waiting(client: str) -> Any:
    """A request that waits in a line."""
    return SimpleNamespace(request=request_of(client), session_hash="s")


def order_of_work(clients: str, limit: int, *, at_once: int) -> str:
    """Whose wishes are begun, one after the other, by the letter; the oldest at work ends first."""
    addresses = {letter: f"8.8.8.{ord(letter)}" for letter in "abcd"}
    letters = {address: letter for letter, address in addresses.items()}
    line = SimpleNamespace(
        queue=[waiting(addresses[one]) for one in clients], concurrency_limit=limit
    )
    running: list[Any] = []
    begun = ""
    while line.queue:
        if len(running) < at_once and bring_next(line, running):
            running.append(line.queue.pop(0))
            begun += letters[client_of_waiting(running[-1])]
        else:
            running.pop(0)
    return begun


@pytest.mark.parametrize(
    ("clients", "limit", "at_once", "order"),
    [
        pytest.param("aaaa", 2, 2, "aaaa", id="alone, all there is"),
        pytest.param("abcd", 1, 1, "abcd", id="each in turn as they came"),
        pytest.param("aaaaab", 2, 2, "abaaaa", id="one of another goes ahead of five"),
        pytest.param("aaabbbcc", 3, 3, "abcabcab", id="three take turns"),
        pytest.param("aaaab", 4, 1, "aaaab", id="who has nothing at work goes as it came"),
    ],
)
def test_clients_take_turns(clients: str, limit: int, at_once: int, order: str) -> None:
    assert order_of_work(clients, limit, at_once=at_once) == order


def test_a_client_among_others_has_its_part_at_work_and_no_more() -> None:
    line = SimpleNamespace(queue=[waiting("8.8.8.8") for _ in range(6)], concurrency_limit=4)
    others = [waiting("9.9.9.9")]
    begun = []
    while bring_next(line, [*others, *begun]):
        begun.append(line.queue.pop(0))
    assert (len(begun), len(line.queue)) == (2, 4)  # half of four, while another is there
    while line.queue and bring_next(line, begun):
        begun.append(line.queue.pop(0))
    assert len(begun) == 4  # and all four when it has gone


async def page_with_two_lines() -> gr.Blocks:
    """A page with a slow and a quick line; outside a running loop Gradio leaves loops open."""
    with gr.Blocks() as page:
        gr.api(lambda: "", api_name="slow", concurrency_id="slow", concurrency_limit=2)
        gr.api(lambda: "", api_name="quick", concurrency_id="quick", concurrency_limit=2)
    open_queue(page)
    return page


def test_a_line_that_is_held_up_holds_up_no_other() -> None:
    page = asyncio.run(page_with_two_lines())
    queue = page._queue
    slow, quick = page.fns.values()
    events = [Event(None, fn, request_of("8.8.8.8"), None) for fn in (slow, slow, slow, quick)]
    other = Event(None, slow, request_of("9.9.9.9"), None)
    queue.active_jobs = [[events[0]], [other], None]
    for name, waiting in {"slow": events[1:3], "quick": events[3:]}.items():
        queue.event_queue_per_concurrency_id[name] = EventQueue(name, 2)
        queue.event_queue_per_concurrency_id[name].queue = waiting
    begun = queue.get_events()
    assert begun is not None and begun[0] == [events[3]]
    assert queue.get_events() is None and len(queue) == 2  # nobody is lost
    queue.active_jobs = [None, [other], None]
    begun = queue.get_events()
    assert begun is not None and begun[0] == [events[1]]


def test_an_event_without_a_request_is_a_page() -> None:
    assert client_of_event(None, "s") == "page s"
    assert client_of_event(request_of("8.8.8.8"), "s") == "8.8.8.8"


@pytest.fixture(scope="module")
def behind_a_proxy() -> Served:
    """A page of one answer at a time that believes the proxies of this machine."""
    port = free_port()
    trusts = {"GEMMA_VISION_PROXIES": "127.0.0.1"}
    return start_with(port, [str(ROOT / "tests" / "served.py"), str(port), ALONE], "ready", trusts)


def test_clients_behind_a_proxy_on_this_machine_are_told_apart(
    behind_a_proxy: Served, picture_file: Path
) -> None:
    """Of a private network too: uvicorn would have put their addresses in the proxy's place."""
    with httpx.Client(base_url=behind_a_proxy.url) as http:
        (path,) = http.post("gradio_api/upload", files={"files": picture_file.read_bytes()}).json()

        def ask(client: str) -> int:
            image = {"path": path, "meta": {"_type": "gradio.FileData"}}
            asked = http.post(
                "gradio_api/call/detect",
                json={"data": [image, "long"]},
                headers={"X-Forwarded-For": f"6.6.6.6, {client}"},
            )
            return asked.status_code

        assert 503 in [ask("10.0.0.5") for _ in range(SHARE + 3)]
        assert ask("10.0.0.6") == 200


def test_a_host_is_believed_of_a_named_proxy_alone(behind_a_proxy: Served, served: Served) -> None:
    told = {"X-Forwarded-Host": "pictures.example", "X-Forwarded-For": "10.0.0.5"}
    named = httpx.get(f"{behind_a_proxy.url}config", headers=told).json()["root"]
    other = httpx.get(f"{served.url}config", headers=told).json()["root"]
    assert (named, other) == ("http://pictures.example", served.url.rstrip("/"))


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
