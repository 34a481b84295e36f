"""Clients: honest, real, crowding, dawdling and vanishing ones, and what became of their calls."""

from __future__ import annotations

import json
import random
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from gradio_client import Client, handle_file

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "gemma_vision" / "web" / "examples" / "scene-1.jpg"
WORDS = "cat ; dog"
PATIENCE = 300.0  # seconds for an answer, after which it counts as lost
SPIKE = 20  # calls at once
BUSY = (429, 503)
OUTCOMES = ("right", "wrong", "lost", "doubled", "refused")

JSON = dict[str, Any]


@dataclass
class LoadTally:
    """What became of the calls; times in seconds.

    waited: of whole calls that were answered. refused: from a request to the answer that it is too
    much, for programs that speak HTTP; what Gradio's own client does besides is not the app's.
    """

    counts: Counter[str] = field(default_factory=Counter)
    waited: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, outcome: str, seconds: float) -> None:
        """Count a call: "right", "wrong", "lost", "doubled" or "refused"."""
        with self.lock:
            self.counts[outcome] += 1
            if outcome == "right":
                self.waited.append(seconds)

    def note_refusal(self, seconds: float | None) -> None:
        """Take the time of a refusal, where it is known."""
        with self.lock:
            self.refused += [] if seconds is None else [seconds]

    def to_dict(self) -> JSON:
        """Counts, and percentiles of the times."""
        return {
            **{name: self.counts[name] for name in OUTCOMES},
            "wait_p50": percentile(self.waited, 50),
            "wait_p95": percentile(self.waited, 95),
            "refusal_p95": percentile(self.refused, 95),
        }


def percentile(values: list[float], share: int) -> float | None:
    """A percentile, to the millisecond; None of fewer than two."""
    if len(values) < 2:
        return None
    return round(statistics.quantiles(values, n=100, method="inclusive")[share - 1], 3)


class Caller:
    """Calls one app, and knows what its answer has to be.

    It says to have come from an address of its own, as a proxy that the app trusts would.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.expected = ""
        self.headers: dict[str, str] = {}
        with self.connect() as http:
            (self.file,) = http.post(
                f"{url}gradio_api/upload", files={"files": PICTURE.read_bytes()}
            ).json()
            self.expected = self.answer(http)

    def at(self, address: str) -> Caller:
        """The same as somebody else, from another address."""
        other = copy(self)
        other.headers = {"X-Forwarded-For": address}
        return other

    def connect(self) -> httpx.Client:
        """A program's connections; to read all certificates of the machine for each of them would
        take more time than the app has.
        """
        return httpx.Client(timeout=PATIENCE, headers=self.headers, verify=False)

    def answer(self, http: httpx.Client) -> str:
        """The text of one answer, read to its end. Raises Refused, ValueError for one too many."""
        event = self.ask(http)
        told = http.get(f"{self.url}gradio_api/call/detect/{event}").text
        ends = [part for part in told.split("\n\n") if part.startswith("event: complete")]
        if len(ends) != 1:
            raise ValueError("doubled" if ends else "lost")
        return str(json.loads(ends[0].split("data: ", 1)[1])[0]["text"])

    def ask(self, http: httpx.Client) -> str:
        """Send the wish -> the number of its event."""
        image = {"path": self.file, "meta": {"_type": "gradio.FileData"}}
        body = {"image": image, "text": WORDS}
        began = time.monotonic()
        told = http.post(f"{self.url}gradio_api/call/v2/detect", json=body)
        if told.status_code in BUSY:
            raise Refused(time.monotonic() - began)
        return str(told.raise_for_status().json()["event_id"])

    def raw(self, tally: LoadTally) -> None:
        """One call of a program that speaks HTTP."""
        with self.connect() as http:
            judge(tally, lambda: self.answer(http), self.expected)

    def real(self, tally: LoadTally) -> None:
        """One call of Gradio's own client."""

        def call() -> str:
            options = {"timeout": PATIENCE}
            client = Client(
                self.url,
                verbose=False,
                headers=self.headers,
                ssl_verify=False,
                httpx_kwargs=options,
            )
            try:
                answer = client.predict(handle_file(str(PICTURE)), WORDS, api_name="/detect")
            except Exception as error:
                raise (Refused() if is_refusal(error) else error) from None
            return str(answer["text"])

        judge(tally, call, self.expected)

    def spike(self, tally: LoadTally) -> None:
        """Many calls in one moment."""
        together([lambda: self.raw(tally)] * SPIKE)

    def dawdle(self, tally: LoadTally) -> None:
        """Read an answer a few bytes at a time, and leave in the middle of it."""
        with suppress(Refused, httpx.HTTPError), self.connect() as http:
            event = self.ask(http)
            with http.stream("GET", f"{self.url}gradio_api/call/detect/{event}") as stream:
                for count, _ in enumerate(stream.iter_raw(64)):
                    time.sleep(0.5)
                    if count > 10:
                        return

    def vanish(self, tally: LoadTally) -> None:
        """Ask and never come back; or begin a request and close the line."""
        with suppress(Refused, httpx.HTTPError, OSError):
            if random.random() < 0.5:
                with self.connect() as http:
                    self.ask(http)
                return
            place = urlsplit(self.url)
            with socket.create_connection((place.hostname, place.port)) as line:
                head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {place.netloc}\r\n"
                line.sendall(f"{head}Content-Length: 100000\r\n\r\n".encode() + b"x" * 1000)


class Refused(Exception):
    """The app has too much to do, and says so; after so many seconds where that is known."""

    def __init__(self, seconds: float | None = None) -> None:
        super().__init__()
        self.seconds = seconds


def is_refusal(error: Exception) -> bool:
    """Whether the app says that it has too much to do: of the queue, or of an upload."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in BUSY
    return "full" in str(error) or "E_BUSY" in str(error)


def judge(tally: LoadTally, call: Callable[[], str], expected: str) -> None:
    """Make a call and note what became of it."""
    began = time.monotonic()
    try:
        outcome = "right" if call() == expected else "wrong"
    except Refused as refusal:
        outcome = "refused"
        tally.note_refusal(refusal.seconds)
    except Exception as error:
        outcome = "doubled" if str(error) == "doubled" else "lost"
    tally.note(outcome, time.monotonic() - began)
    if outcome == "refused":
        time.sleep(0.5)  # whoever is told to come back does not do so at once


def together(calls: Sequence[Callable[[], None]]) -> None:
    """Each in a thread of its own, until all are over."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
