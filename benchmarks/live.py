"""Live: a camera's frames a second, the app and the browser together on one core of the processor.

    python -m benchmarks live [--seconds 20] [--task detect] [--words "cat ; dog"]
                              [--size 640x480] [--model tiny] [--core 0] [--json FILE]

The app as a person starts it, and headless Chromium whose camera is a film of drawn scenes at 30
frames a second. Both keep to one core. Each frame is taken from the camera, encoded, sent, decoded
by the app's own process, looked at, and drawn with what was found, before the next one is taken.
`a second` is what the page shows; `a core second` the frames for each second of processor time of
all processes together, which holds on a machine that others use at the same time.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from playwright.sync_api import Page

from benchmarks.camera_film import write_film
from benchmarks.chromium import SIZE as WINDOW
from benchmarks.chromium import chromium

BAR = 15.0  # frames a second
PATIENCE = 600_000  # milliseconds for the page to be there
LOOK = 500  # milliseconds between two looks at what the page says
WARM_UP = 3  # seconds

JSON = dict[str, Any]

FACTS = """() => {
  const { frames, delay, state } = document.querySelector("#live .live").dataset;
  const count = Number(document.querySelector("#live .gv").dataset.count);
  return { frames: Number(frames), delay: Number(delay), state, count };
}"""


def main() -> None:
    """Print the row, and write it as JSON where asked."""
    options = read_options()
    os.sched_setaffinity(0, {options.core})  # what is started from here on keeps to it too
    names = tuple(name.strip() for name in options.words.split(";"))
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "camera.y4m"
        write_film(film, names, size_of(options.size))
        with app(options.model, Path(folder)) as address, chromium(*camera(film)) as browser:
            page = browser.new_page(viewport=WINDOW)
            page.set_default_timeout(PATIENCE)
            start(page, address, options)
            report = measure(page, options.seconds)
    report |= {"task": options.task, "size": options.size, "model": options.model, "bar": BAR}
    print(as_row(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


@contextmanager
def app(model: str, folder: Path) -> Iterator[str]:
    """The app in a process of its own, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app.py", "--model", model, "--port", str(port)]
    environment = os.environ | {"GRADIO_TEMP_DIR": str(folder / "uploads")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        if "is up at" not in told:
            sys.exit("The app did not start.")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def camera(film: Path) -> list[str]:
    """What tells Chromium to take a film for a camera, and to let every page see it."""
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]


def start(page: Page, address: str, options: argparse.Namespace) -> None:
    """Open the Camera tab, say what to look for and start, as a person does."""
    page.goto(address)
    page.get_by_role("tab", name="Camera").click()
    page.locator("#live-task label").filter(has_text=options.task.capitalize()).click()
    page.fill("#live-words textarea", options.words)
    page.click("#live .live-start")
    page.wait_for_function(f"({FACTS})().frames > 5")
    page.wait_for_timeout(1000 * WARM_UP)


def measure(page: Page, seconds: float) -> JSON:
    """Frames and processor time between two looks at the page that are some seconds apart."""
    began, spent, first = time.monotonic(), processor_seconds(), page.evaluate(FACTS)
    looks = []
    while time.monotonic() - began < seconds:
        page.wait_for_timeout(LOOK)
        looks.append(page.evaluate(FACTS))
    wall, spent = time.monotonic() - began, processor_seconds() - spent
    frames = looks[-1]["frames"] - first["frames"]
    delays = sorted(look["delay"] for look in looks)
    return {
        "frames": frames,
        "a_second": frames / wall,
        "a_core_second": frames / spent,
        "core_ms": 1000 * spent / max(frames, 1),
        "delay_ms": delays[len(delays) // 2],
        "seen": sum(look["count"] > 0 for look in looks) / len(looks),
        "load": os.getloadavg()[0],
    }


def processor_seconds() -> float:
    """Of this process and of all that it started and that still run."""
    total = 0.0
    mine = psutil.Process()
    for process in [mine, *mine.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


def as_row(report: JSON) -> str:
    """The report as a row of Markdown. A row without things in most of its frames shows nothing."""
    is_met = report["a_core_second"] >= report["bar"] and report["seen"] > 0.5
    return (
        f"| live.fps | {report['task']}, {report['size']} | {report['a_second']:.1f} a second, "
        f"{report['a_core_second']:.1f} a core second ({report['core_ms']:.0f} ms each) | "
        f"{report['delay_ms']:.0f} ms behind | load {report['load']:.1f} | "
        f"{report['bar']:.0f}, {'met' if is_met else 'missed'} |"
    )


def size_of(text: str) -> tuple[int, int]:
    """640x480  ->  (640, 480)"""
    width, _, height = text.partition("x")
    return int(width), int(height)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks live",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--task", choices=("detect", "segment"), default="detect")
    parser.add_argument("--words", default="cat ; dog")
    parser.add_argument("--size", default="640x480", help="of the camera")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
