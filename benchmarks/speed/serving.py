"""Serving: answers over HTTP, many clients at once against one after the other.

    python -m benchmarks serving [--clients 16] [--rounds 5] [--json FILE]

The app runs in a process of its own, over the embedded checkpoint; each client posts its picture
and reads the stream of its answer. Both sides ask the same, in turns; time is that on the wall.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

ROOT = Path(__file__).parent.parent.parent
READY = re.compile(r"is up at (\S+)")
START_SECONDS, SECONDS = 120.0, 60.0
BAR = 1.8  # times as many answers a second at once
WORDS = "cat ; dog"


class Visitor:
    """Somebody who asks over HTTP, with a picture uploaded already."""

    def __init__(self, address: str, picture: Path) -> None:
        self.address = address.rstrip("/") + "/gradio_api"
        self.http = httpx.Client(timeout=SECONDS)
        with picture.open("rb") as file:
            sent = self.http.post(f"{self.address}/upload", files={"files": file})
        (self.path,) = sent.raise_for_status().json()

    def close(self) -> None:
        """Leave: no line stays open."""
        self.http.close()

    def ask(self) -> Any:
        """The whole answer to one question."""
        given = {"path": self.path, "meta": {"_type": "gradio.FileData"}}
        begun = self.http.post(f"{self.address}/call/detect", json={"data": [given, WORDS]})
        event = begun.raise_for_status().json()["event_id"]
        with self.http.stream("GET", f"{self.address}/call/detect/{event}") as stream:
            lines = [line for line in stream.iter_lines() if line]
        assert lines[-2] == "event: complete", lines[-2:]
        (answer,) = json.loads(lines[-1].removeprefix("data: "))
        return answer["text"]


def main() -> None:
    """Print the row, and write it as JSON where asked."""
    options = read_options()
    with tempfile.TemporaryDirectory() as folder, app(Path(folder)) as address:
        picture = Path(folder) / "picture.jpg"
        noise = np.random.default_rng(4).integers(0, 256, (300, 400, 3), np.uint8)
        Image.fromarray(noise).save(picture)
        visitors = [Visitor(address, picture) for _ in range(options.clients)]
        row = measure(visitors, options.rounds)
        for visitor in visitors:
            visitor.close()
    print(as_text(row))
    if options.json:
        options.json.write_text(json.dumps(row, indent=1))


def measure(visitors: list[Visitor], rounds: int) -> dict[str, Any]:
    """Answers a second both ways, medians, and the ratio; whether all answers are the same."""
    times: dict[str, list[float]] = {"at once": [], "in turn": []}
    texts: set[str] = set()
    with ThreadPoolExecutor(len(visitors)) as pool:
        for _ in range(rounds + 1):
            for way, found in times.items():
                start = time.perf_counter()
                answers = pool.map(Visitor.ask, visitors) if way == "at once" else each(visitors)
                texts.update(answers)
                found.append(time.perf_counter() - start)
    together, alone = (found[1:] for found in times.values())  # the first round warms up
    ratios = sorted(slow / quick for quick, slow in zip(together, alone, strict=True))
    return {
        "row": "serve.rps",
        "clients": len(visitors),
        "at_once": round(len(visitors) / statistics.median(together), 1),
        "in_turn": round(len(visitors) / statistics.median(alone), 1),
        "ratio": round(statistics.median(ratios), 2),
        "lowest": round(ratios[0], 2),
        "highest": round(ratios[-1], 2),
        "same": len(texts) == 1,
        "bar": BAR,
    }


def each(visitors: list[Visitor]) -> list[Any]:
    return [visitor.ask() for visitor in visitors]


def as_text(row: dict[str, Any]) -> str:
    verdict = "met" if row["ratio"] >= row["bar"] and row["same"] else "missed"
    return (
        "{clients} clients: {at_once} answers a second at once, {in_turn} in turn, {ratio} times "
        "({lowest} - {highest}), ".format(**row)
        + f"bar {row['bar']}: {verdict}"
    )


@contextmanager
def app(folder: Path) -> Iterator[str]:
    """The address of the app, which runs as long as the block does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = folder / "log"
    own = {"GRADIO_TEMP_DIR": str(folder / "uploads"), "GRADIO_SERVER_PORT": port}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=os.environ | own, stdout=output, stderr=output
        )
    try:
        latest = time.monotonic() + START_SECONDS
        while not (found := READY.search(log.read_text())):
            assert process.poll() is None and time.monotonic() < latest, log.read_text()
            time.sleep(0.1)
        yield found[1]
    finally:
        process.terminate()
        process.wait()


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks serving",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
