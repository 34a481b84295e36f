"""A loopback server that plays the Hugging Face Hub, with its moods."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c0ffee" + "0" * 34
PIECE = 2**15  # bytes at a time of a Hub that is slow
MOODS = {  # status, X-Error-Code
    "no token": (401, "GatedRepo"),
    "wrong token": (401, ""),
    "no licence": (403, "GatedRepo"),
    "forbidden": (403, ""),
    "no such model": (404, "RepoNotFound"),
}

HANGS = "hangs"  # a mood in which it takes connections and says nothing
GATED = "gated"  # a mood in which the token decides, as it does on the Hub
LICENSED, UNLICENSED, NARROW = "licensed", "unlicensed", "narrow"  # what accounts may be
GATE = {  # what is sent with a gated model's refusal: status, X-Error-Code, X-Error-Message
    None: (401, "GatedRepo", "Access to this model is restricted."),
    "": (401, "", "Invalid credentials in Authorization header"),
    UNLICENSED: (403, "GatedRepo", "You are not in the authorized list."),
    NARROW: (403, "", "Enable access to public gated repositories in your token's settings."),
}


class Hub(ThreadingHTTPServer):
    """Serves the files of a folder as every model there is. `mood` is "" when all is well.

    accounts: what the holder of each token may do, for a Hub whose mood is GATED.
    """

    daemon_threads = True

    def __init__(self, folder: Path, mood: str) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.folder = folder
        self.mood = mood
        self.asked: list[str] = []
        self.accounts: dict[str, str] = {}
        self.tokens: set[str | None] = set()  # that requests for a checkpoint came with
        self.freed = threading.Event()  # of a Hub that hangs

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        if self.server.mood == HANGS:
            self.server.freed.wait(60)
        if "/api/models/" in self.path or "/resolve/" in self.path:
            self.server.tokens.add(self.token())  # huggingface_hub asks for more, without any
        if self.server.mood == GATED and self.account() in GATE:
            status, code, message = GATE[self.account()]
            self.reply(status, b"{}", {"X-Error-Code": code, "X-Error-Message": message})
        elif self.server.mood in MOODS:
            status, code = MOODS[self.server.mood]
            self.reply(status, b"{}", {"X-Error-Code": code, "X-Error-Message": "no"})
        elif "/resolve/" in self.path:
            self.send_file(self.server.folder / self.path.rsplit("/", 1)[1])
        elif "/tree/" in self.path:
            self.send_json([self.entry(path) for path in sorted(self.server.folder.iterdir())])
        else:
            self.send_json({"id": "someone/something", "sha": COMMIT, "siblings": []})

    def token(self) -> str | None:
        """The token that a request came with."""
        header = self.headers.get("Authorization")
        return header.removeprefix("Bearer ") if header else None

    def account(self) -> str | None:
        """What the holder of the token may do: "" is nobody's token, None no token."""
        token = self.token()
        return None if token is None else self.server.accounts.get(token, "")

    def entry(self, path: Path) -> dict[str, object]:
        row: dict[str, object] = {"type": "file", "path": path.name, "size": path.stat().st_size}
        row["oid"] = hashlib.sha1(path.read_bytes()).hexdigest()
        if path.suffix == ".safetensors":
            row["lfs"] = {"oid": self.sha(path), "size": row["size"], "pointerSize": 100}
        return row

    def sha(self, path: Path) -> str:
        data = path.read_bytes() + (b"!" if self.server.mood == "wrong sum" else b"")
        return hashlib.sha256(data).hexdigest()

    def send_file(self, path: Path) -> None:
        data = path.read_bytes()
        is_large = path.suffix == ".safetensors"
        etag = self.sha(path) if is_large else hashlib.sha1(data).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}
        is_cut = self.server.mood == "cut" and is_large and self.command == "GET"
        self.reply(200, data, headers, cut=len(data) // 2 if is_cut else None)

    def send_json(self, value: object) -> None:
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def reply(
        self, status: int, data: bytes, headers: dict[str, str], cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.send(data[:cut])
        if cut is not None:
            self.close_connection = True

    def send(self, data: bytes) -> None:
        """At once, or with pauses; a client that has gone is no error."""
        step = PIECE if self.server.mood == "slow" else max(len(data), 1)
        with suppress(ConnectionError):
            for start in range(0, len(data), step):
                self.wfile.write(data[start : start + step])
                time.sleep(0.03 * (step == PIECE))

    def log_message(self, *args: object) -> None:
        """Be quiet."""


@contextmanager
def playing_hub(folder: Path, mood: str = "") -> Iterator[Hub]:
    """A server of that mood while the block runs."""
    hub = Hub(folder, mood)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.freed.set()
        hub.shutdown()
        hub.server_close()
        thread.join(5)
