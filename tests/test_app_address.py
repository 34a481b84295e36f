"""Where the app listens, and that it cleans up when it is told to end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from served import ROOT, START_SECONDS, free_port

from gemma_vision.web.server.address import AddressError, port_of


@pytest.mark.parametrize(
    "option, asked, port",
    [(None, None, None), (None, "", None), (None, "7861", 7861), (8000, "7861", 8000)],
)
def test_an_option_comes_before_the_variable(
    option: int | None, asked: str | None, port: int | None
) -> None:
    assert port_of(option, asked) == port


@pytest.mark.parametrize(
    "option, asked, told",
    [
        (None, "xx", "GRADIO_SERVER_PORT is xx"),
        (None, "-1", "GRADIO_SERVER_PORT is -1"),
        (0, None, "--port is 0"),
        (70_000, "80", "--port is 70000"),
    ],
)
def test_what_is_no_port_is_said(option: int | None, asked: str | None, told: str) -> None:
    with pytest.raises(AddressError, match=f"^{told}; it has to be a number from 1 to 65535"):
        port_of(option, asked)


def start(port: int | str, folder: Path) -> subprocess.Popen[str]:
    own = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_port_that_is_taken_is_not_left_for_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        app = start(port, tmp_path)
        _, told = app.communicate(timeout=START_SECONDS)
    assert app.returncode == 2
    assert f"Gemma Vision cannot start: Port {port} is taken; name another with --port." in told


def test_a_variable_that_is_no_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    app = start("seven", tmp_path)
    _, told = app.communicate(timeout=START_SECONDS)
    assert app.returncode == 2 and "Traceback" not in told
    assert "GRADIO_SERVER_PORT is seven" in told


def test_an_app_that_is_told_to_end_leaves_no_uploads(tmp_path: Path, picture_file: Path) -> None:
    port = free_port()
    app = start(port, tmp_path)
    try:
        assert app.stdout is not None
        assert " is up at " in app.stdout.readline()
        sent = {"files": picture_file.read_bytes()}
        url = f"http://127.0.0.1:{port}/gradio_api/upload"
        (path,) = httpx.post(url, files=sent).json()
        assert Path(path).is_file()
        time.sleep(0.2)  # the handler comes with the line
        app.send_signal(signal.SIGTERM)
        app.communicate(timeout=30)
    finally:
        app.kill()
    assert app.returncode == 0 and not Path(path).exists()
