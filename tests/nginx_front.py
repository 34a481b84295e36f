"""nginx as shipped, on ports of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served import free_port

CONFIGURATION = Path(__file__).parent.parent / "serving" / "nginx" / "nginx.conf"
START_SECONDS = 20


@contextmanager
def nginx_before(folder: Path, first: int, second: int) -> Iterator[str]:
    """The address of nginx before two processes of the page, which listen on these ports."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    ports = {"7860": free_port(), "7861": first, "7862": second}
    text = re.sub(
        r"127\.0\.0\.1:(786\d)",
        lambda found: f"127.0.0.1:{ports[found[1]]}",
        CONFIGURATION.read_text(),
    )
    own = folder / "nginx.conf"
    own.write_text(text.replace("/run/gemma-vision-nginx.pid", str(folder / "pid")))
    tried = subprocess.run([program, "-t", "-c", str(own)], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen([program, "-c", str(own), "-g", "daemon off;"])
    address = f"http://127.0.0.1:{ports['7860']}/"
    latest = time.monotonic() + START_SECONDS
    while time.monotonic() < latest and not answers(address):
        time.sleep(0.05)
    try:
        yield address
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    """Whether somebody listens there."""
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True
