"""A small server of OpenAI's API for tests, which speaks a script as vLLM would.

What it was asked is kept; what it says, and how it fails, is a test's to set.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from threaded_server import serving


class ScriptedServer(ThreadingHTTPServer):
    """tokens: (text, id, logprob, top) of each token. fail: how the next calls go wrong."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, model: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model = model
        self.tokens: list[tuple[str, int, float, dict[str, float]]] = []
        self.calls: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.fails: list[str] = []
        self.has_ids = self.has_logprobs = True
        self.skips_special = False
        self.delay = threading.Event()
        self.written = 0
        self.hung_up = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.reply(200, {"data": [{"id": self.server.model}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append(body)
        self.server.headers.append(dict(self.headers))
        fail = self.server.fails.pop(0) if self.server.fails else ""
        if fail == "refuse":
            self.reply(400, {"error": {"message": "the picture\nis too large"}})
        elif fail == "no answer":
            self.close_connection = True
            self.connection.close()
        else:
            self.speak(body, fail)

    def reply(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def speak(self, body: dict[str, Any], fail: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        tokens = self.server.tokens[: body["max_tokens"]]
        finish = "stop" if len(tokens) == len(self.server.tokens) else "length"
        try:
            for number, token in enumerate(tokens):
                if fail == "break off" and number == 2:
                    self.close_connection = True
                    return
                if fail == "error" and number == 2:
                    self.event({"error": {"message": "out of memory"}})
                    return
                self.event({"choices": [self.choice(*token)]})
                self.server.written += 1
                if self.server.delay.is_set():
                    threading.Event().wait(0.05)
            self.event({"choices": [{"delta": {}, "finish_reason": finish}]})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.server.hung_up.set()
        self.close_connection = True

    def choice(
        self, text: str, token: int, logprob: float, top: dict[str, float]
    ) -> dict[str, Any]:
        is_special = text.startswith("<") and self.server.skips_special
        entry = {
            "token": text,
            "logprob": logprob,
            "top_logprobs": [{"token": one, "logprob": value} for one, value in top.items()],
        }
        told: dict[str, Any] = {"delta": {"content": "" if is_special else text}}
        if self.server.has_ids:
            told["token_ids"] = [token]
        if self.server.has_logprobs:
            told["logprobs"] = {"content": [entry]}
        return told

    def event(self, value: Any) -> None:
        self.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
        self.wfile.flush()


@contextmanager
def openai_server(model: str) -> Iterator[ScriptedServer]:
    """A server of one model, ended with the block."""
    with serving(ScriptedServer(model)) as server:
        yield server
