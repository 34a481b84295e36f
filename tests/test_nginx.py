"""nginx before two processes: a visitor stays with theirs, and is told when it ends."""

from __future__ import annotations

import http.cookiejar
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from served import free_port

CONFIGURATION = Path(__file__).parent.parent / "serving" / "nginx" / "nginx.conf"
VISITORS = 24


class Page(ThreadingHTTPServer):
    """Says its name; what a visitor sent it is known to it alone."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.name = name
        self.headers: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Page

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers))
        data = self.server.name.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Visitor:
    """A browser as far as cookies go."""

    def __init__(self, address: str) -> None:
        self.address = address
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def look(self) -> tuple[int, str]:
        try:
            with self.opener.open(self.address, timeout=30) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture
def front(tmp_path):
    """nginx as shipped, on ports of its own, before two pages."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    ports = {"7860": free_port(), "7861": free_port(), "7862": free_port()}
    text = re.sub(
        r"127\.0\.0\.1:(786\d)",
        lambda found: f"127.0.0.1:{ports[found[1]]}",
        CONFIGURATION.read_text(),
    )
    text = text.replace("/run/gemma-vision-nginx.pid", str(tmp_path / "pid"))
    own = tmp_path / "nginx.conf"
    own.write_text(text)
    tried = subprocess.run([program, "-t", "-c", str(own)], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    pages = {"a": Page("a", ports["7861"]), "b": Page("b", ports["7862"])}
    process = subprocess.Popen([program, "-c", str(own), "-g", "daemon off;"])
    address = f"http://127.0.0.1:{ports['7860']}/"
    latest = time.monotonic() + 20
    while time.monotonic() < latest:
        try:
            Visitor(address).look()
            break
        except OSError:
            time.sleep(0.05)
    yield address, pages
    process.terminate()
    process.wait()
    for page in pages.values():
        page.end()


def test_visitors_stay_with_their_process_and_are_told_when_it_ends(front):
    address, pages = front
    visitors = [Visitor(address) for _ in range(VISITORS)]
    first = [visitor.look() for visitor in visitors]
    assert {status for status, _ in first} == {200}
    assert {name for _, name in first} == {"a", "b"}
    for _ in range(3):
        assert [visitor.look() for visitor in visitors] == first
    pages["a"].end()
    for visitor, (_, name) in zip(visitors, first, strict=True):
        status, said = visitor.look()
        if name == "b":
            assert (status, said) == (200, "b")
        else:
            assert status == 503 and "The process that held your page ended" in said
    for visitor in visitors:  # whoever was told opens the page again, until it is the other's
        for _ in range(12):
            status, said = visitor.look()
            if status == 200:
                break
        assert said == "b"


def test_numbers_are_kept_from_the_public_and_who_asks_is_told(front):
    address, pages = front
    assert Visitor(f"{address}metrics").look()[0] == 404
    Visitor(address).look()
    (headers,) = [one for page in pages.values() for one in page.headers][-1:]
    assert headers["X-Forwarded-For"] == "127.0.0.1" and headers["Host"] in address
