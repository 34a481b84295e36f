"""nginx before two processes: a visitor stays with theirs, and is told when it ends."""

from __future__ import annotations

import http.cookiejar
import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from nginx_front import nginx_before
from served import free_port

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

    def look(self, path: str = "") -> tuple[int, str]:
        try:
            with self.opener.open(f"{self.address}{path}", timeout=30) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture
def front(tmp_path):
    """nginx before two pages."""
    pages = {"a": Page("a", free_port()), "b": Page("b", free_port())}
    with nginx_before(tmp_path, *(page.server_port for page in pages.values())) as address:
        yield address, pages
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


def test_a_page_whose_process_ended_is_told_in_its_own_words(front):
    """Gradio's client reads JSON, and takes 503 for a queue that is full."""
    address, pages = front
    visitors = [Visitor(address) for _ in range(VISITORS)]
    own = [visitor for visitor in visitors if visitor.look()[1] == "a"]
    pages["a"].end()
    status, said = own[0].look("gradio_api/queue/join")
    assert status == 502 and "held your page ended" in json.loads(said)["detail"]
    while (again := own[0].look())[0] == 503:  # the cookie went; chance may send them there again
        pass
    assert again == (200, "b")


def test_numbers_are_kept_from_the_public_and_who_asks_is_told(front):
    address, pages = front
    assert Visitor(f"{address}metrics").look()[0] == 404
    Visitor(address).look()
    (headers,) = [one for page in pages.values() for one in page.headers][-1:]
    assert headers["X-Forwarded-For"] == "127.0.0.1" and headers["Host"] in address
