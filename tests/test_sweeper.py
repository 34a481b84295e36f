"""What visitors sent and got goes after an hour, whatever lies beside it, and at the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
from served import Served, embedded
from served import served as start

from gemma_vision.web.server.guards import sweeper
from gemma_vision.web.server.guards.sweeper import sweep, sweep_broken_off, sweep_dead_processes

HASH = "0123456789abcdef" * 4
DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def written(path: Path, age: float = 0.0) -> Path:
    """A file, last written so many seconds ago, in a folder of the same age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    for one in (path, path.parent):
        os.utime(one, (time.time() - age, time.time() - age))
    return path


def test_what_is_older_than_an_hour_goes_and_the_rest_stays(folder: Path) -> None:
    old = written(folder / HASH / "a.png", 3700)
    deep = written(folder / HASH[:32] / "in" / "b.png", 3700)
    os.utime(folder / HASH[:32], (0, 0))
    new = written(folder / HASH[::-1] / "c.png", 3500)
    loose = written(folder / "tmpabc_123", 3700)
    foreign = written(folder / "mine" / "thesis.pdf", 30 * DAY)
    os.utime(folder, None)
    sweep(sweeper.MAX_AGE)
    assert not any(path.exists() for path in (old, deep, loose, old.parent, deep.parent.parent))
    assert new.exists() and foreign.exists()


def test_files_of_the_page_stay(folder: Path) -> None:
    path = written(folder / HASH / "a.png", 3700)
    sweep(sweeper.MAX_AGE, {str(path)})
    assert path.exists()


def test_a_link_is_deleted_and_not_followed(folder: Path, tmp_path_factory: object) -> None:
    outside = written(folder / "mine" / "thesis.pdf")
    (folder / HASH).symlink_to(outside.parent)
    sweep(-1.0)
    assert outside.exists() and not (folder / HASH).is_symlink()


def test_uploads_that_were_broken_off_go(folder: Path) -> None:
    half, whole = written(folder / "tmpxyz", 10), written(folder / HASH / "a.png", 10)
    sweep_broken_off()
    assert whole.exists() and not half.exists()


def test_what_a_killed_process_left_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    number = next(n for n in range(4_000_000, 4_100_000) if not psutil.pid_exists(n))
    dead = written(tmp_path / f"gemma-vision-uploads-q_1-{number}" / "a.png")
    alive = written(tmp_path / f"gemma-vision-uploads-q_2-{os.getpid()}" / "a.png")
    batch = written(tmp_path / "gemma-vision-batch-x1" / "a.png", 2 * DAY)
    running = written(tmp_path / "gemma-vision-batch-x2" / "a.png")
    sweep_dead_processes()
    assert not dead.exists() and not batch.exists()
    assert alive.exists() and running.exists()


def test_the_folder_of_a_process_is_its_own(tmp_path: Path) -> None:
    """Nobody else can guess its name, make it before, or look into it; it goes with the process."""
    code = """
import os, gemma_vision.web.app
from gemma_vision.web.server.guards import sweeper
from gemma_vision.web.server.uploads import upload_folder
folder = upload_folder()
os.utime(folder, (0, 0))
sweeper.keep_own()
sweeper.sweep_dead_processes()
print(folder, oct(folder.stat().st_mode & 0o777), os.getpid())
(folder / "a").mkdir()
if os.fork() == 0:
    raise SystemExit
os.wait()
print(folder.exists())
"""
    env = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"}
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=env | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    folder, mode, number, *is_there = told
    assert Path(folder).parent == tmp_path and mode == "0o700" and is_there == ["True"]
    assert re.fullmatch(rf"gemma-vision-uploads-\w{{8,}}-{number}", Path(folder).name)
    assert not Path(folder).exists()


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


def upload(served: Served, name: str = "a.png", content: bytes = b"x") -> str:
    answer = httpx.post(f"{served.url}gradio_api/upload", files={"files": (name, content)})
    return str(answer.json()[0])


@pytest.mark.parametrize("endpoint", ["detect", "caption"])
@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_a_folder_of_the_uploads_is_no_file(
    served: Served, endpoint: str, meta: dict[str, object]
) -> None:
    """Gradio would note it down as a file of its own, and could never delete it."""
    path = Path(upload(served))
    for folder in (path.parent, path.parent.parent):
        file = {"path": str(folder), **meta}
        url = f"{served.url}gradio_api/call/v2/{endpoint}"
        asked = {"image": file} | ({"text": "cat"} if endpoint == "detect" else {})
        event = httpx.post(url, json=asked).json()["event_id"]
        said = httpx.get(f"{served.url}gradio_api/call/{endpoint}/{event}", timeout=30).text
        assert "E_UPLOAD" in said


def test_nothing_is_left_when_the_app_is_ended() -> None:
    served = embedded(GEMMA_VISION_MAX_UPLOADS_GB="3")
    path = Path(upload(served))
    folder = {"path": str(path.parent), "meta": {"_type": "gradio.FileData"}}
    url = f"{served.url}gradio_api/call/v2/caption"
    event = httpx.post(url, json={"image": folder}).json()["event_id"]
    httpx.get(f"{served.url}gradio_api/call/caption/{event}", timeout=30)
    (served.folder / "tmpleft1").write_bytes(b"x")
    process = next(
        one
        for one in psutil.Process().children()
        if "app.py" in one.cmdline() and one.environ().get("GRADIO_TEMP_DIR") == str(served.folder)
    )
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert [one for one in served.folder.rglob("*") if one.is_file()] == []
