"""Queue share: no client fills the queue alone, or what works on it.

Whoever waits with much is told to come back, and clients take turns: next is one of the client that
has the fewest at work, and of several clients each has its part of what can be at work at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Any

from gemma_vision.web.server.guards.clients import client_of_event

SHARE = 6  # wishes that one client may have in the queue, of all that may wait
CROWDED = "E_BUSY: You have as many requests waiting as one client may; wait for an answer first."


def share_queue(app: Any) -> None:
    """Refuse (503) a client's wishes beyond its share of a Gradio page's queue."""
    queue = app._queue
    push = queue.push

    async def push_in_turn(*arguments: Any, **named: Any) -> Any:
        body = named.get("body", arguments[0] if arguments else None)
        request = named.get("request", arguments[1] if len(arguments) > 1 else None)
        client = client_of_event(request, getattr(body, "session_hash", None))
        waiting = [
            event
            for line in queue.event_queue_per_concurrency_id.values()
            for event in line.queue
            if client_of_waiting(event) == client
        ]
        elsewhere = getattr(app, "calls_elsewhere", None)  # at other doors of the app
        if len(waiting) + (elsewhere(client) if elsewhere else 0) >= SHARE:
            return False, CROWDED, "queue_full"
        return await push(*arguments, **named)

    queue.push = push_in_turn


def client_of_waiting(event: Any) -> str:
    """Who sent an event of Gradio's queue, found out once."""
    client: str | None = getattr(event, "client", None)
    if client is None:
        client = event.client = client_of_event(event.request, event.session_hash)
    return client


def bring_next(line: Any, running: Sequence[Any]) -> bool:
    """Bring whose turn it is to the front of one of Gradio's lines.

    running: the events of this line that are at work. False where every client that waits has its
    part at work already: the rest is for those who come.
    """
    at_work = Counter(map(client_of_waiting, running))
    clients = [client_of_waiting(event) for event in line.queue]
    part = ceil(line.concurrency_limit / len({*at_work, *clients}))
    place = min(range(len(clients)), key=lambda index: (at_work[clients[index]], index))
    if at_work[clients[place]] >= part:
        return False
    line.queue.insert(0, line.queue.pop(place))
    return True
