"""Load: what the app does when more is wanted of it than it can do.

    python -m benchmarks load [--seconds 60] [--clients 40] [--url ADDRESS] [--json FILE]

Starts the app over the embedded checkpoint on this machine (or takes the one at ADDRESS) and sends
it wishes for a picture whose answer it gave alone before: from Gradio's own clients, from programs
that speak HTTP, in spikes, and beside them from readers that dawdle and from clients that vanish.
Then ten clients alone, and the same ten beside a greedy one. Told are answers that are wrong, lost
or doubled, how long waiting and refusing take, and the app's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]

from benchmarks.load.clients import JSON, ROOT, Caller, LoadTally, together
from gemma_vision.web.server.guards.clients import VARIABLE as PROXIES

HONEST = 10  # clients of the comparison with a greedy one


def run(kinds: Sequence[Callable[[LoadTally], None]], seconds: float) -> LoadTally:
    """A thread for each of these, over and over until the time is up."""
    tally, latest = LoadTally(), time.monotonic() + seconds

    def work(call: Callable[[LoadTally], None]) -> None:
        while time.monotonic() < latest:
            call(tally)

    together([partial(work, call) for call in kinds])
    return tally


def measure(caller: Caller, process: psutil.Process | None, options: argparse.Namespace) -> JSON:
    """The table of one run."""
    count = max(options.clients, 8)
    kinds = [Caller.raw] * (count // 2) + [Caller.real] * (count // 4)
    kinds += [Caller.dawdle] * (count // 8) + [Caller.vanish] * (count // 16) + [Caller.spike]
    mixed = [partial(kind, caller.at(f"10.0.0.{n}")) for n, kind in enumerate(kinds, 1)]
    honest = [caller.at(f"10.0.1.{n}").raw for n in range(HONEST)]
    greedy = caller.at("10.0.2.1")
    run(honest[:4], min(10.0, options.seconds))  # what comes once
    before = memory(process)
    crowd = run(mixed, options.seconds)
    after = memory(process)
    alone = run(honest, options.seconds / 4)
    beside = run([*honest, lambda _: greedy.spike(LoadTally())], options.seconds / 4)
    slower = None
    if alone.waited and beside.waited:
        slower = round(statistics.median(beside.waited) / statistics.median(alone.waited), 2)
    table = crowd.to_dict() | {"memory_before": before, "memory_after": after}
    return table | {"beside_a_greedy_one": slower, "clients": count, "seconds": options.seconds}


def memory(process: psutil.Process | None) -> float | None:
    """Megabytes that the app holds; None where it is not ours to look at."""
    return None if process is None else round(process.memory_info().rss / 1e6, 1)


@contextmanager
def started() -> Iterator[tuple[str, psutil.Process]]:
    """The app over the embedded checkpoint, while the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        own = {"GRADIO_TEMP_DIR": folder, "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1"}
        own[PROXIES] = "127.0.0.1"  # which says where clients come from
        command = [sys.executable, str(ROOT / "app.py")]
        with subprocess.Popen(command, cwd=ROOT, env=os.environ | own) as process:
            try:
                url = f"http://127.0.0.1:{port}/"
                wait_for(url, process)
                yield url, psutil.Process(process.pid)
            finally:
                process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it can answer."""
    while process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}readyz").status_code == 200:
                return
        time.sleep(0.5)
    raise SystemExit("the app did not start")


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="The app under load.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--url", help="of an app that runs; one is started where none is given")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    options = read_options()
    if options.url:
        table = measure(Caller(options.url.rstrip("/") + "/"), None, options)
    else:
        with started() as (url, process):
            table = measure(Caller(url), process, options)
    for name, value in table.items():
        print(f"{name:20} {value}")
    if options.json:
        options.json.write_text(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
