"""Queue share: no client fills the queue alone; whoever waits with much is told to come back."""

from __future__ import annotations

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
            if client_of_event(event.request, event.session_hash) == client
        ]
        elsewhere = getattr(app, "calls_elsewhere", None)  # at other doors of the app
        if len(waiting) + (elsewhere(client) if elsewhere else 0) >= SHARE:
            return False, CROWDED, "queue_full"
        return await push(*arguments, **named)

    queue.push = push_in_turn
