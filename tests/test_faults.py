"""What breaks under the app breaks nothing else: it answers again, without a restart by hand.

And what visitors sent is gone after the hour and at the end, and stands in no log.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from bombs import VIDEOS, clip, small_png, stored
from crafted_pictures import encoded, jpeg_of_scans
from fake_engine import CAT_AND_DOG
from PIL import Image
from reading_attack import META, until_over
from served import ROOT, Served, end, free_port
from test_bombs import ask, run_tab, send, upload

from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.server import decoder_process
from gemma_vision.web.server.guards import sweeper
from gemma_vision.web.server.picture_worker import open_picture

AGAIN = 5.0  # seconds in which it answers again, on a machine with little else to do
WORDS = "zanzibar-of-visitors"  # that stand in no log
SLACK = float(os.environ.get("FAULT_SLACK", "4"))  # times as long, on one with much else to do

# The app over the checkpoint inside, with something of it replaced before it starts.
PROGRAM = """
import sys, threading, time
sys.path[:0] = [{root!r}, {tests!r}]
{before}
from gemma_vision.web import app
sys.exit(app.main({arguments!r}))
"""
SHORT_HOUR = """
from gemma_vision.web.server.guards import sweeper
sweeper.MAX_AGE, sweeper.EVERY, sweeper.BROKEN_OFF = 3.0, 0.5, 1.0
"""
SICK = """
from gemma_vision.runtime.decode import DecodeBatch
import pathlib
sick, advance = pathlib.Path({sick!r}), DecodeBatch.advance
def fail(self):
    if sick.exists():
        kind = sick.read_text()
        raise {{"memory": MemoryError, "exit": SystemExit, "run": RuntimeError}}[kind]("no")
    return advance(self)
DecodeBatch.advance = fail
"""
LEAPING = """
import pathlib
leap, now = pathlib.Path({leap!r}), time.time
time.time = lambda: now() + float(leap.read_text() if leap.exists() else 0)
"""


class Running:
    """An app in a process of its own, and what it said."""

    def __init__(
        self, home: Path, before: str = "", arguments: tuple[str, ...] = (), *wrapped: str
    ) -> None:
        port = free_port()
        self.served = Served(f"http://127.0.0.1:{port}/", home / "uploads", home / "log")
        own = {"GRADIO_TEMP_DIR": str(self.served.folder), "GRADIO_SERVER_PORT": str(port)}
        own |= {"HF_HUB_OFFLINE": "1", "TMPDIR": str(home / "tmp"), "GEMMA_VISION_LOG": "json"}
        (home / "tmp").mkdir(exist_ok=True)
        text = PROGRAM.format(
            root=str(ROOT), tests=str(ROOT / "tests"), before=before, arguments=list(arguments)
        )
        with self.served.log.open("a") as log:
            self.process = subprocess.Popen(
                [*wrapped, sys.executable, "-c", text],
                cwd=ROOT,
                env=os.environ | own,
                stdout=log,
                stderr=log,
            )
        latest = time.monotonic() + 120
        while "is up at" not in self.served.log.read_text():
            assert self.process.poll() is None and time.monotonic() < latest, self.log
            time.sleep(0.1)

    @property
    def log(self) -> str:
        return self.served.log.read_text()

    def caption(self) -> str:
        """What becomes of a small picture."""
        with httpx.Client(timeout=60) as client:
            return send(client, self.served.url, "caption", small_png(), "a.png")


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gemma-vision-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start(home: Path) -> Iterator[Any]:
    running: list[Running] = []

    def begin(*given: Any) -> Running:
        running.append(Running(home, *given))
        return running[-1]

    yield begin
    for one in running:
        end(one.process, home)


def answers_again(app: Running) -> float:
    """Seconds until a picture is answered."""
    began = time.monotonic()
    while "event: complete" not in app.caption():
        assert time.monotonic() - began < SLACK * AGAIN, app.log[-2000:]
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["memory", "exit", "run"])
def test_a_model_that_fails_in_a_step_answers_again(kind: str, home: Path, start: Any) -> None:
    sick = home / "sick"
    app = start(SICK.format(sick=str(sick)))
    assert "event: complete" in app.caption()
    sick.write_text(kind)
    told = app.caption()
    assert "event: error" in told and "E_" in told, told
    sick.unlink()
    assert answers_again(app) < SLACK * AGAIN


@pytest.mark.slow
def test_a_clock_that_leaps_stops_nothing_and_keeps_nothing(home: Path, start: Any) -> None:
    leap = home / "leap"
    app = start(LEAPING.format(leap=str(leap)) + SHORT_HOUR.replace("3.0", "6.0"))
    own = files_of(app)
    for seconds in (86_400, -86_400, 10**9, 0):
        leap.write_text(str(seconds))
        assert "event: complete" in app.caption(), app.log[-1000:]
    latest = time.monotonic() + SLACK * 15
    while files_of(app) != own and time.monotonic() < latest:
        time.sleep(0.5)
    assert files_of(app) == own


def test_files_go_after_the_hour_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    steady = [1000.0]
    monkeypatch.setattr(sweeper, "steady_time", lambda: steady[0])
    path = tmp_path / ("a" * 64) / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"x")
    ages = sweeper.Ages()
    os.utime(path, (time.time() + 86_400,) * 2)  # the clock was set back since
    os.utime(path.parent, (time.time() + 86_400,) * 2)
    ages.sweep(3600.0)
    steady[0] += 3500
    ages.sweep(3600.0)
    assert path.exists()
    steady[0] += 200
    ages.sweep(3600.0)
    assert not path.exists()


def test_a_clock_that_was_set_forward_takes_nobodys_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    steady = [1000.0]
    monkeypatch.setattr(sweeper, "steady_time", lambda: steady[0])
    ages = sweeper.Ages()
    ages.sweep(3600.0)  # at the start
    path = tmp_path / ("a" * 64) / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"x")
    for one in (path, path.parent):
        os.utime(one, (time.time() - 86_400,) * 2)  # as it looks after a leap of a day
    steady[0] += 600
    ages.sweep(3600.0)
    assert path.exists()
    steady[0] += 3700
    ages.sweep(3600.0)
    assert not path.exists()


def files_of(app: Running) -> list[Path]:
    """What lies among the uploads and what is temporary, without the page's own pictures."""
    return [one for one in app.served.folder.rglob("*") if one.is_file()]


def mount(folder: Path, *options: str) -> list[str]:
    """A command in a world of its own, where this folder is a disk of a few megabytes."""
    inside = f'mount -t tmpfs -o {",".join(options)} tmpfs {folder} && exec "$@"'
    return ["unshare", "-m", "sh", "-c", inside, "sh"]


def can_mount() -> bool:
    """Whether this machine lets us have a disk of our own."""
    tried = (
        subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
        if shutil.which("unshare")
        else None
    )
    return tried is not None and tried.returncode == 0 and os.geteuid() == 0


@pytest.mark.slow
@pytest.mark.skipif(not can_mount(), reason="no disk of our own can be mounted here")
def test_a_disk_that_is_full_and_free_again(home: Path, start: Any) -> None:
    disk = home / "uploads"
    disk.mkdir()
    app = start("", (), *mount(disk, "size=80m"))
    inside = Path(f"/proc/{app.process.pid}/root{disk}")
    with httpx.Client(timeout=60) as client:
        assert "event: complete" in app.caption()
        path = upload(client, app.served.url, small_png(), "b.png")
        file = {"path": path, "meta": META, "orig_name": "b.png"}
        (inside / "full").write_bytes(b"x" * (shutil.disk_usage(inside).free - 4096))
        told = client.post(f"{app.served.url}gradio_api/upload", files={"files": small_png()})
        assert told.status_code == 507 and "E_STORAGE_FULL" in told.text
        said = run_tab(client, app.served, "batch-files", [file])
        assert "process_completed" in said and "Traceback" not in app.log
        (inside / "full").unlink()
        time.sleep(2.1)
        assert answers_again(app) < SLACK * AGAIN


@pytest.mark.slow
@pytest.mark.skipif(not can_mount(), reason="no disk of our own can be mounted here")
def test_a_disk_that_cannot_be_written_to(home: Path, start: Any) -> None:
    disk = home / "uploads"
    disk.mkdir()
    app = start("", (), *mount(disk, "size=200m"))
    remount = ["nsenter", f"--mount=/proc/{app.process.pid}/ns/mnt", "mount", "-o"]
    with httpx.Client(timeout=60) as client:
        assert "event: complete" in app.caption()
        subprocess.run([*remount, "remount,ro", str(disk)], check=True)
        told = client.post(f"{app.served.url}gradio_api/upload", files={"files": small_png()})
        assert told.status_code in (500, 507) and "E_" in told.text, told.text
        body = {"text": CAT_AND_DOG, "width": 64, "height": 48}
        assert "event: complete" in ask(client, app.served.url, "parse", body)
        assert "Traceback" not in app.log
        subprocess.run([*remount, "remount,rw", str(disk)], check=True)
        assert answers_again(app) < SLACK * AGAIN


@pytest.mark.slow
def test_a_checkpoint_that_changes_under_the_app(home: Path, start: Any) -> None:
    """Other bytes, half of them, none: who has loaded it goes on, and no process dies."""
    folder = shutil.copytree(CHECKPOINTS / "tiny", home / "mine")
    app = start("", ("--model", str(folder)))
    assert "event: complete" in app.caption()
    weights = next(folder.glob("*.safetensors"))
    data = weights.read_bytes()
    for content in (data[: len(data) // 2], b"", os.urandom(4096), data):
        weights.write_bytes(content)
        (folder / "config.json").write_text("{}")
        said = app.caption()
        assert app.process.poll() is None, app.log[-2000:]
        assert "event: complete" in said or "E_" in said
    shutil.rmtree(folder)
    assert app.process.poll() is None
    answers_again(app)


@pytest.mark.slow
def test_what_was_sent_and_made_goes_after_the_hour_and_is_in_no_log(
    home: Path, start: Any
) -> None:
    app = start(SHORT_HOUR)
    own = {one.name for one in app.served.folder.rglob("*") if one.is_file()}
    through_every_door(app)
    assert files_of(app)
    latest = time.monotonic() + SLACK * 20
    while {one.name for one in files_of(app)} - own and time.monotonic() < latest:
        time.sleep(0.5)
    assert {one.name for one in files_of(app)} <= own
    assert [one for one in (home / "tmp").rglob("*") if one.is_file()] == []
    assert WORDS not in app.log and "Traceback" not in app.log
    assert answers_again(app) < SLACK * AGAIN


@pytest.mark.slow
def test_nothing_is_left_after_the_end_and_nothing_is_in_the_log(home: Path, start: Any) -> None:
    app = start()
    through_every_door(app)
    broken_off(app)
    app.process.send_signal(signal.SIGTERM)
    app.process.wait(30 * SLACK)
    left = [one for one in home.rglob("*") if one.is_file() and one != app.served.log]
    assert left == []
    assert WORDS not in app.log and "Traceback" not in app.log


def through_every_door(app: Running) -> None:
    """Words, names of files and answers through endpoints, tabs, tools, chat and addresses."""
    url, name = app.served.url, f"{WORDS}.png"
    picture = encoded(Image.new("RGB", (64, 48), "#7af"), "PNG")
    with httpx.Client(
        timeout=120, headers={"User-Agent": WORDS, "Referer": f"http://{WORDS}/"}
    ) as client:
        path = upload(client, url, picture, name)
        image = {"path": path, "meta": META, "orig_name": name}
        for endpoint in ("detect", "segment", "ask", "free", "caption", "ocr", "parse", "models"):
            for body in (
                {"image": image, "text": WORDS},
                {"image": image, "question": WORDS},
                {"image": image, "prompt": WORDS},
                {"image": image},
                {"image": {"path": f"/{WORDS}"}, "text": WORDS},
                {"text": f"{WORDS} {CAT_AND_DOG}", "width": 64, "height": WORDS},
                {WORDS: WORDS},
            ):
                ask(client, url, endpoint, body)
            client.post(f"{url}gradio_api/call/{endpoint}", json={"data": [WORDS, {WORDS: WORDS}]})
        for holder, file in (
            ("picture", image),
            ("paste-picture", image),
            ("batch-files", [image]),
            ("video", {"path": upload(client, url, clip(), f"{WORDS}.mp4"), "meta": META}),
        ):
            run_tab_with_words(client, app.served, holder, file)
        packed = stored((name, picture), (f"{WORDS}.txt", b"x"), (f"deep/{name}", b"damaged"))
        zipped = {"path": upload(client, url, packed, f"{WORDS}.zip"), "meta": META}
        run_tab_with_words(client, app.served, "batch-files", [zipped])
        for bad in (b"no picture", picture[:60], VIDEOS["an MP4 of noise"]()):
            send(client, url, "caption", bad, name)
        client.post(f"{url}gradio_api/queue/join", json={"data": [WORDS] * 9, "fn_index": 0})
        client.post(f"{url}gradio_api/queue/join", content=WORDS)
        client.get(f"{url}gradio_api/file={WORDS}?{WORDS}={WORDS}")
        client.get(f"{url}?text={WORDS}&task=detect")
        client.get(f"{url}{WORDS}/{WORDS}")
        call = {"name": "detect", "arguments": {"image": WORDS, "text": WORDS, WORDS: WORDS}}
        rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        accepted = {"accept": "application/json, text/event-stream"}
        client.post(f"{url}mcp", json=rpc, headers=accepted)
        client.post(f"{url}mcp", content=WORDS, headers=accepted)
        messages = [{"role": "user", "content": WORDS}]
        for body in ({"model": WORDS, "messages": messages}, {WORDS: messages}, [WORDS]):
            client.post(f"{url}v1/chat/completions", json=body)


def run_tab_with_words(client: httpx.Client, served: Served, holder: str, file: Any) -> None:
    """Press Run of a tab, with words of a visitor in every field that is a text."""
    config = client.get(f"{served.url}config").json()
    by_id = {row["id"]: row for row in config["components"]}
    named = {row["props"].get("elem_id"): number for number, row in by_id.items()}
    if holder not in named:
        return
    for number, row in enumerate(config["dependencies"]):
        if named[holder] not in row["inputs"]:
            continue
        values = [
            file
            if one == named[holder]
            else WORDS
            if by_id[one]["type"] == "textbox"
            else by_id[one]["props"].get("value")
            for one in row["inputs"]
        ]
        session = f"{holder}-{number}"
        body = {"data": values, "fn_index": row["id"], "session_hash": session}
        told = client.post(f"{served.url}gradio_api/queue/join", json=body)
        if told.status_code == 200:
            until_over(client, served, session)


def broken_off(app: Running) -> None:
    """An upload that ends in the middle."""
    import socket

    host, port = app.served.url.removeprefix("http://").rstrip("/").split(":")
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        f'Content-Disposition: form-data; name="files"; filename="{WORDS}.png"\r\n\r\n'
    )
    with socket.create_connection((host, int(port))) as line:
        line.sendall(head.encode() + b"x" * 300_000)
        time.sleep(0.3)


@pytest.mark.slow
def test_a_decoder_stops_at_any_moment(capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty of them, and how long each took."""
    data, chance, took = jpeg_of_scans((6_000, 5_000), 12), random.Random(0), []
    open_picture(small_png())
    for _ in range(int(os.environ.get("STOPS", "50"))):

        def opened() -> Iterator[Image.Image]:
            yield open_picture(data)

        run = StreamRun(opened, None, lock=None)
        time.sleep(chance.uniform(0.0, 1.5))
        run.stop()
        began = time.monotonic()
        assert run.join(20)
        took.append(time.monotonic() - began)
        # Whole, or ended before it began, or while it decoded.
        assert run.error is None or isinstance(run.error, decoder_process.DecodingStopped)
    with capsys.disabled():
        print(f"\n{len(took)} stops: median {sorted(took)[len(took) // 2] * 1000:.0f} ms,", end=" ")
        print(f"longest {max(took) * 1000:.0f} ms")
    assert sorted(took)[len(took) // 2] < SLACK * 0.1


@pytest.mark.slow
def test_a_client_that_leaves_ends_its_decoder_and_its_answer(home: Path, start: Any) -> None:
    app = start()
    data = jpeg_of_scans((6_000, 5_000), 12)
    with httpx.Client(timeout=60) as client:
        for kind in ("gone", "cancelled"):
            path = upload(client, app.served.url, data, "a.jpg")
            body = {"image": {"path": path, "meta": META}}
            url = f"{app.served.url}gradio_api/call"
            event = client.post(f"{url}/v2/caption", json=body).json()["event_id"]
            with client.stream("GET", f"{url}/caption/{event}") as stream:
                next(stream.iter_raw())
                time.sleep(0.5)
            assert busy_within(app, 0.2) or kind
            began = time.monotonic()
            while busy_within(app, 0.2):
                assert time.monotonic() - began < SLACK * 2
            assert "event: complete" in app.caption()


def busy_within(app: Running, seconds: float) -> bool:
    """Whether a decoder of the app computes."""
    workers = [
        one
        for one in psutil.Process(app.process.pid).children(recursive=True)
        if decoder_process.PROGRAM in one.cmdline()
    ]
    before = {one.pid: sum(one.cpu_times()[:2]) for one in workers}
    time.sleep(seconds)
    for one in workers:
        try:
            if sum(one.cpu_times()[:2]) - before[one.pid] > 0.05:
                return True
        except psutil.Error:
            continue
    return False
