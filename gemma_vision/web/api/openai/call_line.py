"""Call line: how many calls may run or wait, all together and of one client, and their bytes."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from gemma_vision.web.api.openai.api_errors import ApiError
from gemma_vision.web.server.guards.body_limits import SILENCE
from gemma_vision.web.server.guards.clients import client_of, client_of_event, is_address
from gemma_vision.web.server.guards.queue_share import SHARE

VARIABLE = "GEMMA_VISION_OPENAI"  # on or off
MAX_BODY = 72 * 2**20  # bytes of a call: the largest picture in base64, and words
MAX_BODIES = 512 * 2**20  # bytes of all calls at once
CROWDED = "Too many calls are waiting; try again in a moment."
GREEDY = "You have as many calls waiting as one client may; wait for an answer first."


def is_open(host: str, loopback: tuple[str, ...]) -> bool:
    """Whether the door is: as the environment says, or where an app is its own machine's alone."""
    requested = os.environ.get(VARIABLE, "").strip().lower()
    if requested not in ("", "on", "off"):
        raise ApiError(f"{VARIABLE} is {requested!r}; it has to be on or off.")
    is_own = host in loopback and not os.environ.get("GRADIO_ROOT_PATH")
    return requested == "on" if requested else is_own and not os.environ.get("SPACE_ID")


def is_loopback(address: str) -> bool:
    """Whether it is this machine's own address."""
    return is_address(address) and ipaddress.ip_address(address).is_loopback


@dataclass
class CallPlace:
    """A call's place in the line: whose it is, and the bytes of its body."""

    client: str
    num_bytes: int = 0


class CallLine:
    """Those who wait at this door, counted with those who wait in the page's queue.

    queue: the page's, of Gradio. most: how many may wait in all.
    """

    def __init__(self, queue: Any, most: int) -> None:
        self._queue = queue
        self.most = most
        self._calls: Counter[str] = Counter()
        self._bytes = 0

    def enter(self, request: Request) -> CallPlace:
        """A place for a call, which is to `leave` in the end; ApiError (429) for too many."""
        known = client_of(request.scope)
        if known is not None and is_loopback(known):
            known = None  # the programs of this machine are not told from each other
        place = CallPlace(known or "somebody behind a proxy")
        events = [
            event
            for line in self._queue.event_queue_per_concurrency_id.values()
            for event in line.queue
        ]
        own = sum(client_of_event(one.request, one.session_hash) == known for one in events)
        if len(events) + self._calls.total() >= self.most:
            raise ApiError(CROWDED, "E_BUSY", status=429)
        if known is not None and own + self._calls[known] >= SHARE:
            raise ApiError(GREEDY, "E_BUSY", status=429)
        self._calls[place.client] += 1
        return place

    def leave(self, place: CallPlace) -> None:
        """A call is over, and its body let go of."""
        self._calls -= Counter({place.client: 1})
        self._bytes -= place.num_bytes
        place.num_bytes = 0

    def reserve(self, place: CallPlace, num_bytes: int) -> None:
        """Take more room for a body; ApiError where it, or all of them, take too much."""
        if place.num_bytes + num_bytes > MAX_BODY:
            message = f"The call is longer than {MAX_BODY // 2**20} MiB; send less."
            raise ApiError(message, "too_large", status=413)
        if self._bytes + num_bytes > MAX_BODIES:
            raise ApiError(CROWDED, "E_BUSY", status=429)
        place.num_bytes += num_bytes
        self._bytes += num_bytes

    def waiting(self, client: str) -> int:
        """How many calls of a client run or wait."""
        return self._calls[client]


async def read_body(request: Request, line: CallLine, place: CallPlace) -> bytes:
    """The body of a call; ApiError for one that is too long, or does not come."""
    body = bytearray()
    pieces = request.stream()
    try:
        while piece := await asyncio.wait_for(anext(pieces, b""), SILENCE):
            line.reserve(place, len(piece))
            body += piece
    except TimeoutError:
        raise ApiError("The call did not come to its end.", status=408) from None
    return bytes(body)
