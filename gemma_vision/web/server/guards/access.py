"""Access: who may use the app at all, where its operator named a login or keys of programs.

Nobody is asked for anything unless the environment says so. A browser asks its person for the login
by itself; programs send a key. Both are compared in constant time, and neither is written anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from gemma_vision.web.server.guards.clients import client_of
from gemma_vision.web.server.guards.guard_errors import refusal
from postprocess.errors import UserError

LOGIN = "GEMMA_VISION_LOGIN"  # name:password
KEYS = "GEMMA_VISION_API_KEYS"  # keys of programs, with commas between
MIN_SECRET = 12  # letters of a password or a key
# Asked by what looks after the process, and by Gradio when it starts.
OPEN = ("/healthz", "/readyz", "/gradio_api/startup-events")
MAX_FAILURES = 10  # of one client, in `WINDOW` seconds
WINDOW = 60.0
MAX_CLIENTS = 10_000  # whose failures are remembered

ASK = {"WWW-Authenticate": 'Basic realm="Gemma Vision", charset="UTF-8"'}
REFUSED = "Log in, or send a key: Authorization: Bearer KEY."
TOO_MANY = "Too many logins failed; try again in a minute."


class AccessError(UserError):
    """A login or a key that cannot be meant; the message is one sentence, without the secret."""

    CODE = "E_ACCESS"


def secrets() -> tuple[bytes, ...]:
    """Digests of what is let in, by the environment: none where everybody is.

    Raises AccessError for a login without a name and for what is too short to be a secret.
    """
    login = os.environ.get(LOGIN, "").strip()
    name, colon, password = login.partition(":")
    if login and not (name and colon):
        raise AccessError(f"{LOGIN} has no name and password; write it as name:password.")
    keys = [key.strip() for key in os.environ.get(KEYS, "").split(",") if key.strip()]
    for variable, secret in [(LOGIN, password)] * bool(login) + [(KEYS, key) for key in keys]:
        if len(secret) < MIN_SECRET:
            message = f"{variable} has a secret of {len(secret)} letters; take at least"
            raise AccessError(f"{message} {MIN_SECRET}.")
    known = [f"Basic {login}"] * bool(login) + [f"Bearer {key}" for key in keys]
    return tuple(digest(one) for one in known)


def digest(secret: str) -> bytes:
    """A secret as something of one length, whatever it is."""
    return hashlib.sha256(secret.encode()).digest()


def is_known(given: str, known: tuple[bytes, ...]) -> bool:
    """Whether what was given is one of those, in a time that says nothing of it."""
    wanted = digest(given)
    matches = [hmac.compare_digest(wanted, one) for one in known]  # all of them, always
    return any(matches)


def given_by(headers: Headers) -> str:
    """What a request names itself by: "Basic name:password", "Bearer key", or ""."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return f"Bearer {value.strip()}"
    if kind.lower() == "basic":
        try:
            return f"Basic {base64.b64decode(value.strip(), validate=True).decode()}"
        except ValueError:
            return "Basic"
    key = headers.get("x-api-key")
    return f"Bearer {key.strip()}" if key else ""


class Access:
    """ASGI middleware: 401 for whoever is not known, 429 for whoever goes on guessing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._known = secrets()
        self._failed: OrderedDict[str | None, list[float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = scope["type"] in ("http", "websocket") and scope["path"] not in OPEN
        if not self._known or not is_asked:
            await self._app(scope, receive, send)
            return
        given, client = given_by(Headers(scope=scope)), client_of(scope)
        is_let_in = is_known(given, self._known)
        if self._is_guessing(client) and not (client is None and is_let_in):  # None is anybody
            await refusal(scope, 429, "E_BUSY", TOO_MANY)(scope, receive, send)
        elif is_let_in:
            await self._app(scope, receive, send)
        else:
            if given:
                self._note(client)
            await refusal(scope, 401, "E_ACCESS", REFUSED, ASK)(scope, receive, send)

    def _is_guessing(self, client: str | None) -> bool:
        recent = [at for at in self._failed.get(client, ()) if time.monotonic() - at < WINDOW]
        return len(recent) >= MAX_FAILURES

    def _note(self, client: str | None) -> None:
        """One failure more; old ones and long gone clients are forgotten."""
        now = time.monotonic()
        recent = [at for at in self._failed.pop(client, ()) if now - at < WINDOW]
        self._failed[client] = [*recent, now][-MAX_FAILURES:]
        while len(self._failed) > MAX_CLIENTS:
            self._failed.popitem(last=False)


ACCESS = Middleware(Access)
