"""OpenAI server: the HTTP of a server of that API, with the standard library alone."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from postprocess.errors import UserError

KEY = "OPENAI_API_KEY"  # of the environment
CONNECT_SECONDS = 10.0
SILENCE = 300.0  # seconds without a word after which a server is given up
TRIES = 3  # of a call that has brought nothing yet
PAUSE = 0.5  # seconds between them
MAX_REPLY = 2**20  # bytes of a refusal or a list
BROKEN = (OSError, http.client.HTTPException)
JSON = dict[str, Any]


class RemoteError(UserError):
    """A server elsewhere that cannot be used; the message is one sentence."""

    CODE = "E_REMOTE"


@dataclass(frozen=True)
class OpenAiServer:
    """A server by its address, such as http://127.0.0.1:8000/v1. Redirections are not followed."""

    address: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"{self.address} is no address of a server; write http://127.0.0.1:8000/v1."
            raise RemoteError(message)

    def models(self, *, quietly: bool = False) -> list[str]:
        """The ids of the models that it has. quietly: none where it does not answer."""
        try:
            return self._list()
        except RemoteError:
            if quietly:
                return []
            raise

    def _list(self) -> list[str]:
        listed = self._get("/models")
        try:
            return [str(one["id"]) for one in listed["data"]]
        except (KeyError, TypeError) as error:
            message = f"{self.address} lists no models; check its address."
            raise RemoteError(message) from error

    def stream(self, body: Mapping[str, Any], over: threading.Event) -> Iterator[JSON]:
        """The events of a chat completion. Whoever sets `over` hangs up.

        A call that fails before its first event is made again; one that has begun never is.
        Raises RemoteError.
        """
        for left in reversed(range(TRIES)):
            has_begun = False
            try:
                for event in self._events(body, over):
                    has_begun = True
                    yield event
                return
            except BROKEN as error:
                if over.is_set():
                    return
                if has_begun:
                    message = f"The connection to {self.address} broke off; what came stands."
                    raise RemoteError(f"{message} Run it again.", "E_CUT_OFF") from error
                if not left:
                    raise self._unreachable(error) from error
                over.wait(PAUSE)

    def _events(self, body: Mapping[str, Any], over: threading.Event) -> Iterator[JSON]:
        connection, wire = self._connect(), None
        try:
            data = json.dumps(body).encode()
            connection.request("POST", self._path("/chat/completions"), data, self._headers())
            wire = connection.sock  # which the reply takes over
            wire.settimeout(SILENCE)
            threading.Thread(target=hang_up, args=(wire, over), daemon=True).start()
            with closing(connection.getresponse()) as reply:
                if reply.status != 200:
                    raise self._refused(reply.status, reply.read(MAX_REPLY))
                yield from self._read(reply, over)
        finally:
            if wire is not None:
                cut(wire)
            connection.close()

    def _read(self, reply: http.client.HTTPResponse, over: threading.Event) -> Iterator[JSON]:
        for line in reply:
            if over.is_set():
                return
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                return
            try:
                event = json.loads(data)
            except ValueError as error:
                raise RemoteError(f"{self.address} sent an event that is no JSON.") from error
            if isinstance(event, dict) and "error" in event:
                raise self._refused(500, data)
            if isinstance(event, dict):
                yield event
        raise http.client.IncompleteRead(b"")  # a stream says when it is over

    def _get(self, path: str) -> Any:
        connection = self._connect()
        try:
            connection.request("GET", self._path(path), headers=self._headers())
            with closing(connection.getresponse()) as reply:
                data = reply.read(MAX_REPLY)
            if reply.status != 200:
                raise self._refused(reply.status, data)
            return json.loads(data)
        except ValueError as error:
            if isinstance(error, RemoteError):
                raise
            message = f"{self.address} sent no JSON; is that a server of OpenAI's API?"
            raise RemoteError(message) from error
        except BROKEN as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.address)
        is_secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
        return kind(str(parts.hostname), parts.port, timeout=CONNECT_SECONDS)

    def _path(self, path: str) -> str:
        return urlsplit(self.address).path.rstrip("/") + path

    def _headers(self) -> dict[str, str]:
        key = os.environ.get(KEY, "").strip()
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        return headers | ({"Authorization": f"Bearer {key}"} if key else {})

    def _refused(self, status: int, data: bytes) -> RemoteError:
        """What a server said, shortened; only its own words, on one line."""
        try:
            told = json.loads(data)
            inner = told.get("error", told) if isinstance(told, dict) else told
            words = inner.get("message", "") if isinstance(inner, dict) else str(inner)
        except ValueError:
            words = ""
        reason = f": {' '.join(str(words).split())[:200]}" if words else ""
        return RemoteError(f"{self.address} refused with {status}{reason}")

    def _unreachable(self, error: Exception) -> RemoteError:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return RemoteError(f"{self.address} does not answer ({reason}); is the server running?")


def hang_up(wire: socket.socket, over: threading.Event) -> None:
    """Wake whoever reads from a connection, once nobody wants what it brings."""
    over.wait()
    cut(wire)


def cut(wire: socket.socket) -> None:
    """End a connection, if it has not ended."""
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
