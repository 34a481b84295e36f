"""What the app keeps of whoever speaks to it is small, and gone when they are."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import psutil
import pytest
from fake_engine import fake_pipeline
from gradio.utils import LRUCache
from served import CAT_AND_DOG, ROOT, Served
from served import served as start

from gemma_vision.web import app as web_app
from gemma_vision.web.server.guards import memory_return
from gemma_vision.web.server.guards.memory_return import c_function, return_memory
from gemma_vision.web.server.guards.sessions import CAPACITY, Mailboxes, Sessions

CALLS = 300
ROOM = 15e6  # bytes that so many calls may leave behind; they left 150 MB once


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


def process_of(served: Served) -> psutil.Process:
    """The app's own process."""
    folder = str(served.folder)
    children = psutil.Process().children()
    return next(one for one in children if one.environ().get("GRADIO_TEMP_DIR") == folder)


def parse(client: httpx.Client, served: Served) -> str:
    url = f"{served.url}gradio_api/call/parse"
    asked = {"data": [CAT_AND_DOG, 640, 480, "none"]}
    event = client.post(url, json=asked).json()["event_id"]
    return client.get(f"{url}/{event}", timeout=60).text


def test_calls_of_programs_leave_no_memory_behind(served: Served) -> None:
    with httpx.Client() as client:
        for _ in range(30):
            assert "event: complete" in parse(client, served)
        memory = process_of(served).memory_info
        before = memory().rss
        for _ in range(CALLS):
            assert "event: complete" in parse(client, served)
        assert memory().rss - before < ROOM


@pytest.fixture(scope="module")
def app() -> web_app.Page:
    async def build() -> web_app.Page:
        return web_app.build_app(fake_pipeline())

    return asyncio.run(build())


def state_of(app: web_app.Page) -> int:
    return next(key for key, block in app.blocks.items() if isinstance(block, gr.State))


def test_a_page_keeps_what_it_changed_and_no_values(app: web_app.Page) -> None:
    sessions, key = Sessions(app), state_of(app)
    shown = next(key for key, block in app.blocks.items() if isinstance(block, gr.Textbox))
    one, other, before = sessions["one"], sessions["other"], app.blocks[shown]
    one[key] = 7
    one[shown] = gr.Textbox(label="mine", render=False)
    one._update_value_in_config(shown, "a secret")
    assert sessions["one"][key] == 7 and sessions["other"][key] == 0
    assert sessions["one"][shown].label == "mine" and other[shown] is before is app.blocks[shown]
    assert list(one.components) == [] and set(other.blocks_config.blocks) == set(app.blocks)


def test_a_programs_call_has_no_session(app: web_app.Page) -> None:
    sessions = Sessions(app)
    app._queue.event_ids_to_events["e"] = object()
    try:
        sessions["e"][state_of(app)] = 7
        assert sessions["e"][state_of(app)] == 0 and "e" not in sessions
    finally:
        app._queue.event_ids_to_events.clear()


def test_sessions_are_bounded_and_forgotten(app: web_app.Page) -> None:
    sessions = Sessions(app)
    for number in range(CAPACITY + 5):
        sessions[str(number)]
    assert len(sessions.session_data) == len(sessions.time_last_used) == CAPACITY
    assert "0" not in sessions and str(CAPACITY + 4) in sessions
    sessions.forget(3600)
    assert len(sessions.session_data) == CAPACITY
    sessions.forget(0)
    assert not sessions.session_data and not sessions.time_last_used


def box(count: int) -> Any:
    return SimpleNamespace(qsize=lambda: count)


def test_answers_that_nobody_fetches_are_dropped() -> None:
    boxes: Any = LRUCache(2000)
    boxes |= {"running": box(3), "unread": box(3), "read": box(0)}
    event = SimpleNamespace(session_hash="running")
    queue = SimpleNamespace(
        pending_messages_per_session=boxes,
        pending_event_ids_session={"unread": {"e"}, "read": set(), "gone": set(), "running": {"r"}},
        event_ids_to_events={"r": event},
    )
    mailboxes = Mailboxes(queue)
    mailboxes.drop_unread(0.0)
    assert set(boxes) == {"running"} == set(queue.pending_event_ids_session)


def test_an_answer_that_is_being_fetched_stays() -> None:
    boxes: Any = LRUCache(2000)
    boxes["slow"] = box(9)
    queue = SimpleNamespace(
        pending_messages_per_session=boxes, pending_event_ids_session={}, event_ids_to_events={}
    )
    mailboxes = Mailboxes(queue)
    mailboxes.drop_unread(60.0)
    boxes["slow"] = box(8)
    mailboxes._seen = {"slow": (9, float("-inf"))}
    mailboxes.drop_unread(60.0)
    assert "slow" in boxes
    mailboxes._seen = {"slow": (8, float("-inf"))}
    mailboxes.drop_unread(60.0)
    assert "slow" not in boxes


@pytest.mark.skipif(c_function("malloc_trim") is None, reason="another C library than glibc")
def test_memory_of_large_pictures_is_given_back() -> None:
    process = psutil.Process()
    blocks = [bytes(200_000) for _ in range(2000)]  # kept in the heap, not mapped one by one
    del blocks[::2]
    before = process.memory_info().rss
    assert before - process.memory_info().rss < 2**20
    assert return_memory()
    assert before - process.memory_info().rss > 50 * 2**20


def test_another_c_library_keeps_what_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_return, "c_function", lambda name: None)
    assert not memory_return.return_memory()
    assert not memory_return.use_one_heap()


# Four threads that need much, one behind the other as pictures and videos do, and go on living.
THREADS = """
import threading
import psutil
from gemma_vision.web.app import build_app
from gemma_vision.web.server.guards.memory_return import return_memory
from fake_engine import fake_pipeline
build_app(fake_pipeline())
done, over = threading.Barrier(5), threading.Event()
def work():
    bytes(30_000_000)  # from here on blocks up to this size come from the thread's heap
    blocks = [bytes(7_000_000) for _ in range(4)]
    del blocks
    done.wait()
    over.wait()
memory = psutil.Process().memory_info
before = memory().rss
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
done.wait()
return_memory()
print((memory().rss - before) // 2**20)
over.set()
"""


@pytest.mark.skipif(c_function("mallopt") is None, reason="another C library than glibc")
def test_memory_of_threads_that_go_on_is_given_back() -> None:
    own = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    ran = subprocess.run(
        [sys.executable, "-c", THREADS],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(ran.stdout) < 20, "of a hundred megabytes that were in use"
