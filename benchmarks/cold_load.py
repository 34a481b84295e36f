"""Cold load: until the Run button is visible, the app against a bare Gradio page in one run.

    python -m benchmarks cold [--loads 9] [--json FILE]

Both pages have the same components, on servers of their own; the bare one is made of the app's own
config, without its scripts, styles and events. Each load is a fresh browser context with nothing in
its cache; the sides alternate and take turns in going first. Measured in the page, from the start
of the navigation to the end of the first frame in which the button has a size.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from benchmarks.chromium import SIZE, chromium

BAR = 1.4  # times a bare page
SIDES = ("app", "bare")
START_SECONDS = 120.0

JSON = dict[str, Any]

WATCH = """
const frame = () => {
  const button = document.querySelector('#run');
  const isThere = button && button.getBoundingClientRect().height > 0 && button.checkVisibility();
  if (!isThere) return requestAnimationFrame(frame);
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = () => { window.runWasSeen = performance.now(); };
  port1.postMessage(0);
};
requestAnimationFrame(frame);
"""
WEIGHT = """() => {
  const kinds = ['navigation', 'resource'];
  const parts = kinds.flatMap((kind) => performance.getEntriesByType(kind));
  return [parts.length, parts.reduce((sum, part) => sum + part.transferSize, 0)];
}"""


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    options = read_options()
    port = free_port()
    app = f"http://127.0.0.1:{port}/"
    with serving(["app.py", "--port", str(port)], app):
        port = free_port()
        bare = f"http://127.0.0.1:{port}/"
        with serving(["-m", "benchmarks.bare_page", app, str(port)], bare), chromium() as browser:
            report = summary(measure(browser, {"app": app, "bare": bare}, options.loads))
    print(as_table(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


def measure(browser: Browser, addresses: dict[str, str], loads: int) -> list[JSON]:
    """Every load: its side, milliseconds, requests, kB. The first of each warms its server."""
    rows = []
    for number in range(loads + 1):
        for side in SIDES if number % 2 else SIDES[::-1]:
            row = load(browser, addresses[side])
            rows += [{"side": side} | row] if number else []
    return rows


def load(browser: Browser, address: str) -> JSON:
    """One visit of somebody who was never here."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(address, wait_until="commit")
    page.wait_for_function("window.runWasSeen", timeout=60_000)
    ms = page.evaluate("window.runWasSeen")
    requests, transferred = page.evaluate(WEIGHT)
    context.close()
    return {"ms": ms, "requests": requests, "kB": transferred / 1000}


def summary(rows: list[JSON]) -> JSON:
    """Medians by side, and the ratio of the medians."""
    found: list[JSON] = []
    for side in SIDES:
        own = [row for row in rows if row["side"] == side]
        median = {key: statistics.median(row[key] for row in own) for key in ("requests", "kB")}
        times = sorted(row["ms"] for row in own)
        spread = {"ms": statistics.median(times), "lowest": times[0], "highest": times[-1]}
        found.append({"side": side, "loads": len(own)} | spread | median)
    return {"rows": found, "ratio": round(found[0]["ms"] / found[1]["ms"], 2)}


def as_table(report: JSON) -> str:
    """The report as Markdown."""
    lines = [
        f"Run visible after a cold load, medians of {report['rows'][0]['loads']} loads",
        "",
        "| page | ms | range | requests | kB |",
        "|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        spread = f"{row['lowest']:.0f} - {row['highest']:.0f}"
        cells = [row["side"], *(f"{row[key]:.0f}" for key in ("ms", "requests", "kB"))]
        lines.append(f"| {cells[0]} | {cells[1]} | {spread} | {cells[2]} | {cells[3]} |")
    is_met = "met" if report["ratio"] <= BAR else "missed"
    lines.append(f"\n{report['ratio']} times the bare page; bar {BAR}: {is_met}.")
    return "\n".join(lines)


@contextmanager
def serving(command: list[str], address: str) -> Iterator[None]:
    """A server in a process of its own, from the moment that it answers."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, *command], env=environment, **quiet)
    try:
        wait_for(address, process)
        yield
    finally:
        process.kill()
        process.wait()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Until the page is there; the benchmark ends with a sentence where it never is."""
    latest = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > latest:
                sys.exit(f"No page came up at {address}; start `python app.py` to see why.")
            time.sleep(0.2)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks cold",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--loads", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
