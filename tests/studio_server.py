"""What of Label Studio gives files, for tests: uploads, cloud files that it signs, tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from threaded_server import serving

TOKEN = "0123456789abcdef"
PERSONAL = "a.personal.token"  # is exchanged for one that opens
ACCESS = "fresh"


class StudioServer(ThreadingHTTPServer):
    """files: by path. asked: path and authorization of every call. storage: where clouds are."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.asked: list[tuple[str, str | None]] = []
        self.storage = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: StudioServer

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        server, parts = self.server, urlsplit(self.path)
        given = self.headers.get("Authorization")
        server.asked.append((self.path, given))
        if server.storage and given not in (f"Token {TOKEN}", f"Bearer {ACCESS}"):
            self._reply(401, b"")
        elif parts.path.endswith("/presign/"):
            (uri,) = parse_qs(parts.query)["fileuri"]
            name = base64.urlsafe_b64decode(uri).decode().rpartition("/")[2]
            self.send_response(302)
            self.send_header("Location", f"{server.storage}/signed/{name}?signature=1")
            self.end_headers()
        elif parts.path in server.files:
            self._reply(200, server.files[parts.path])
        else:
            self._reply(404, b"")

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, None))
        is_good = self.path == "/api/token/refresh/" and given == {"refresh": PERSONAL}
        self._reply(200 if is_good else 401, json.dumps({"access": ACCESS}).encode())

    def _reply(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def studio_server(files: Mapping[str, bytes]) -> Iterator[StudioServer]:
    """The server while it is needed."""
    with serving(StudioServer(files)) as server:
        yield server
