"""Request guard: who may speak to the app through a browser, and what a browser may do with it.

A page elsewhere can have a visitor's browser send anything here, and can point a name of its own at
this machine. Where the app is this machine's alone it answers to this machine's names alone, and
takes nothing that another page sends. Every answer says what a browser may make of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemma_vision.web.server.guards.access import secrets
from gemma_vision.web.server.guards.clients import is_within, proxies
from gemma_vision.web.server.guards.guard_errors import refusal
from gemma_vision.web.server.guards.health import NUMBERS

VARIABLE = "GEMMA_VISION_HOSTS"  # names that the app is reached by, with commas between
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SAFE = ("GET", "HEAD", "OPTIONS")
SPACES = "https://huggingface.co https://*.hf.space"  # pages that show a Space in a frame
# Gradio writes its page's settings into scripts of the page, and components make functions of text.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'self'"
)
HOST = "This app is not reached by that name; open it by its own address, or name it in {variable}."
ORIGIN = "Another page sent this; nothing is taken from pages elsewhere."


class RequestGuard:
    """ASGI middleware: 403 for names and pages that are not the app's, headers on every answer."""

    def __init__(self, app: ASGIApp, *, is_local: bool) -> None:
        """is_local: the app listens on this machine's own address alone."""
        self._app = app
        self._is_local = is_local
        self._has_login = bool(secrets())  # which a browser sends along, whoever has it ask
        self._headers = security_headers(is_local=is_local)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                NUMBERS.count(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        why = self._why_refused(scope)
        if why:
            await refusal(scope, 403, "E_ORIGIN", why)(scope, receive, forward)
            return
        await self._app(without_foreign_host(scope), receive, forward)

    def _why_refused(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        named = own_hosts()
        is_strict = named or (self._is_local and not proxies())
        host = headers.get("host", "")
        if is_strict and hostname(host) not in (*LOOPBACK, *named):
            return HOST.format(variable=VARIABLE)
        is_open = not (is_strict or self._has_login) or scope["method"] in SAFE
        is_ours = is_open or is_own_page(headers)
        return "" if is_ours else ORIGIN


def own_hosts() -> tuple[str, ...]:
    """The names that the environment says the app is reached by."""
    given = os.environ.get(VARIABLE, "").lower().split(",")
    return tuple(name.strip() for name in given if name.strip())


def hostname(netloc: str) -> str:
    """The name in a Host header, without its port; "" where there is none.

    "localhost:7860"  ->  "localhost"
    """
    try:
        return (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_own_page(headers: Mapping[str, str]) -> bool:
    """Whether a request comes from the app's own page, or from a program that is no browser."""
    origin = headers.get("origin")
    if origin is not None:
        try:
            return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
        except ValueError:
            return False
    return headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def without_foreign_host(scope: Scope) -> Scope:
    """The request without the host that it claims to have been sent to, unless a proxy says it.

    Gradio makes the addresses of its page from it.
    """
    peer = str((scope.get("client") or ("",))[0])
    if is_within(peer, proxies()) or os.environ.get("SPACE_ID"):
        return scope
    host = Headers(scope=scope).get("host", "").encode("latin-1")
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name != b"x-forwarded-host" or value == host
    ]
    return {**scope, "headers": headers}


def security_headers(*, is_local: bool) -> dict[str, str]:
    """What every answer says to a browser."""
    is_space = bool(os.environ.get("SPACE_ID"))
    frames = f"'self' {SPACES}" if is_space else "'self'"
    return {
        "Content-Security-Policy": f"{POLICY}; frame-ancestors {frames}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
        **({} if is_space else {"X-Frame-Options": "SAMEORIGIN"}),
        **({"Cross-Origin-Resource-Policy": "same-origin"} if is_local else {}),
    }


def guard_requests(host: str) -> Middleware:
    """The guard of an app that listens on an address."""
    return Middleware(RequestGuard, is_local=host in LOOPBACK)
