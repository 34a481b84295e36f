"""No file and no body hurts: each is refused at once or served, and others hardly wait meanwhile.

Every one goes to a running app as a stranger sends it, while an honest visitor asks on and on.
"""

from __future__ import annotations

import io
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import pytest
from bombs import ANSWERS, ARCHIVES, PICTURES, VIDEOS, all_files
from PIL import Image
from reading_attack import META, until_over
from served import Served
from served import served as start

pytestmark = pytest.mark.slow

AT_ONCE = float(os.environ.get("BOMB_SECONDS", "1"))  # for a refusal; more on a busy machine
VISITOR = 2 * AT_ONCE  # seconds that the honest one waits at most
PATIENCE = 120.0
REFUSAL = re.compile(r"\bE_(?!INTERNAL)[A-Z_]+:")
GROWTH = 50 * 2**20  # bytes that may stay


@dataclass
class Outcome:
    """What became of one: seconds, and what was said."""

    seconds: float
    said: str

    @property
    def is_refused(self) -> bool:
        is_told = bool(REFUSAL.search(self.said)) and "instances" not in self.said
        return is_told or "event: error" in self.said


@dataclass
class Visitor:
    """Asks for a small picture on and on; how long the answers took."""

    url: str
    waits: list[float] = field(default_factory=list)

    @contextmanager
    def asking(self) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._ask, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _ask(self, over: threading.Event) -> None:
        file = io.BytesIO()
        Image.new("RGB", (64, 48), "#7af").save(file, "PNG")
        with httpx.Client(timeout=PATIENCE) as client:
            while not over.is_set():
                began = time.monotonic()
                said = send(client, self.url, "caption", file.getvalue(), "a.png")
                assert "two animals" in said, said
                self.waits.append(time.monotonic() - began)
                over.wait(0.1)


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


def upload(client: httpx.Client, url: str, data: bytes, name: str) -> str:
    (path,) = client.post(f"{url}gradio_api/upload", files={"files": (name, data)}).json()
    return str(path)


def send(client: httpx.Client, url: str, endpoint: str, data: bytes, name: str) -> str:
    image = {"path": upload(client, url, data, name), "meta": META}
    return ask(client, url, endpoint, {"image": image})


def ask(client: httpx.Client, url: str, endpoint: str, body: dict[str, Any]) -> str:
    asked = client.post(f"{url}gradio_api/call/v2/{endpoint}", json=body)
    if asked.status_code != 200:
        return asked.text
    event = asked.json()["event_id"]
    return client.get(f"{url}gradio_api/call/{endpoint}/{event}").text


def run_tab(client: httpx.Client, served: Served, holder: str, file: Any) -> str:
    """Press Run in a tab, with everything else as the page has it."""
    config = client.get(f"{served.url}config").json()
    by_id = {row["id"]: row["props"] for row in config["components"]}
    named = {props.get("elem_id"): number for number, props in by_id.items()}
    rows = [row for row in config["dependencies"] if named[holder] in row["inputs"]]
    row = max(rows, key=lambda one: (one["types"]["generator"], len(one["inputs"])))
    given = {named[holder]: file}
    words = {
        number: "cat ; dog" for number in by_id if "words" in str(by_id[number].get("elem_id"))
    }
    values = [(given | words).get(number, by_id[number].get("value")) for number in row["inputs"]]
    session = f"bomb-{time.monotonic()}"
    body = {"data": values, "fn_index": row["id"], "session_hash": session}
    told = client.post(f"{served.url}gradio_api/queue/join", json=body)
    return until_over(client, served, session) if told.status_code == 200 else told.text


def throw(client: httpx.Client, served: Served, kind: str, data: bytes, name: str) -> Outcome:
    """Send one to where it belongs."""
    path = upload(client, served.url, data, name)
    file = {"path": path, "meta": META, "orig_name": name}
    began = time.monotonic()
    if kind == "picture":
        said = ask(client, served.url, "caption", {"image": file})
    elif kind == "archive":
        said = run_tab(client, served, "batch-files", [file])
    else:
        said = run_tab(client, served, "video", file)
    return Outcome(time.monotonic() - began, said)


def memory() -> int:
    """Bytes of the app and of the processes that decode for it."""
    app = next(one for one in psutil.Process().children() if "served.py" in str(one.cmdline()))
    return sum(one.memory_info().rss for one in (app, *app.children(recursive=True)))


def judge(outcome: Outcome, waits: list[float], title: str) -> None:
    print(
        f"{outcome.seconds:7.2f} s, a visitor {max(waits, default=0):5.2f} s  "
        f"{'refused' if outcome.is_refused else 'served '}  {title}"
    )
    assert "E_INTERNAL" not in outcome.said and "E_NO_NAMES" not in outcome.said, outcome.said
    assert outcome.seconds < (AT_ONCE if outcome.is_refused else PATIENCE), outcome.said[-300:]
    assert max(waits, default=0) < VISITOR


def test_there_are_enough_of_them() -> None:
    assert len([*PICTURES, *ARCHIVES, *VIDEOS, *ANSWERS]) >= 80


@pytest.mark.parametrize("kind", ["picture", "archive", "video"])
def test_no_file_hurts(served: Served, kind: str) -> None:
    visitor = Visitor(served.url)
    with httpx.Client(timeout=PATIENCE) as client:
        with visitor.asking():
            time.sleep(3)
        before, failures = memory(), []
        with visitor.asking():
            for own, title, name, make in all_files():
                if own != kind:
                    continue
                data = make()
                time.sleep(0.2)  # making it kept the machine busy
                start = len(visitor.waits)
                outcome = throw(client, served, kind, data, name)
                try:
                    judge(outcome, visitor.waits[start:], title)
                except AssertionError as error:
                    failures.append((title, str(error)[:300]))
        assert not failures
    latest = time.monotonic() + 20
    while memory() - before > GROWTH and time.monotonic() < latest:
        time.sleep(0.5)
    print(f"{(memory() - before) / 2**20:+.0f} MB after all of them")
    assert memory() - before < GROWTH


def test_no_answer_hurts(served: Served) -> None:
    visitor, failures = Visitor(served.url), []
    with httpx.Client(timeout=PATIENCE) as client, visitor.asking():
        time.sleep(1)
        before = memory()
        for title, text in ANSWERS.items():
            start, began = len(visitor.waits), time.monotonic()
            body = {"text": text, "width": 640, "height": 480}
            outcome = Outcome(0.0, ask(client, served.url, "parse", body))
            outcome.seconds = time.monotonic() - began
            try:
                judge(outcome, visitor.waits[start:], title)
                assert outcome.seconds < 5 * AT_ONCE
            except AssertionError as error:
                failures.append((title, str(error)[:300]))
    assert not failures and memory() - before < GROWTH
