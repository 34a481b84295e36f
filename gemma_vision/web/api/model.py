"""The checkpoint that answers, for programs: `GET /model`, and the endpoints /model and /choose.

No `from __future__ import annotations` here: Gradio reads the hints as they stand.
"""

from collections.abc import Iterator
from typing import TypedDict, cast

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gemma_vision.errors import CheckpointError
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.web.api.schema import ModelJSON
from gemma_vision.web.components.model_choice import Choice
from gemma_vision.web.jobs.events import QUICK_QUEUE
from gemma_vision.web.server.errors import to_client

PATH = "/model"
EVERY = 0.25  # seconds between two states that /choose tells


class ChangeJSON(TypedDict):
    """A checkpoint on its way: done and total in bytes while fetching, in tensors while reading."""

    id: str
    phase: str
    done: int
    total: int


class OutcomeJSON(TypedDict):
    """How the last choice ended: "loaded", "cancelled" or "failed", and then why; `number` counts
    the choices that have ended. `code` is the error's, "" where nothing failed.
    """

    id: str
    result: str
    why: str
    number: int
    code: str


class CacheCountsJSON(TypedDict):
    """How many are kept, in how many bytes of at most `limit`; how often one was found, or not."""

    kept: int
    bytes: int
    limit: int
    hits: int
    misses: int


class CacheStatusJSON(TypedDict):
    """Pictures that need not be looked at again, prefixes that the decoder goes on behind."""

    pictures: CacheCountsJSON
    prefixes: CacheCountsJSON


class StateJSON(ModelJSON):
    """The loaded checkpoint; `state` is "ready", "loading" another, or "none".

    `names`: those that it knows; none where its vocabulary is open.
    `remembered` has counts and nothing of the pictures; None where the engine keeps nothing here.
    """

    names: list[str]
    device: str | None
    dtype: str | None
    state: str
    revision: int
    change: ChangeJSON | None
    outcome: OutcomeJSON | None
    remembered: CacheStatusJSON | None


def build_model_endpoints(choice: Choice) -> None:
    """Add /model, and /choose where visitors may choose, to the Blocks that is being built."""

    def model() -> StateJSON:
        """Tell which checkpoint answers, what it remembers, and whether another is on its way."""
        return cast(StateJSON, choice.switcher.state())

    gr.api(model, api_name="model", **QUICK_QUEUE)
    if choice.is_open:
        build_choose_endpoint(choice)


def build_choose_endpoint(choice: Choice) -> None:
    """/choose: the state again and again until another checkpoint answers."""

    def choose(  # type: ignore[misc]  # Gradio wants the hint of one value, not of their iterator
        name: str, request: gr.Request
    ) -> StateJSON:
        """Load another checkpoint for everybody who uses this app. Cancelling calls it off.

        Args:
            name: An id of /models; where the app allows it, also a folder or any Hub id.
        """
        try:
            choice.choose(name, request.headers, str(request.session_hash))
            yield from follow(choice.switcher)
        except Exception as error:
            raise to_client(error) from None

    gr.api(choose, api_name="choose", concurrency_id="choice", concurrency_limit=4)


def follow(switcher: ModelSwitcher) -> Iterator[StateJSON]:
    """States until nothing is being loaded; a choice that failed raises. Closing calls it off."""
    try:
        while not switcher.join(EVERY):
            yield cast(StateJSON, switcher.state())
    except GeneratorExit:
        switcher.cancel()
        raise
    state = cast(StateJSON, switcher.state())
    outcome = state["outcome"]
    if outcome and outcome["result"] != "loaded":
        why = outcome["why"] or f"{outcome['id']} was called off."
        raise CheckpointError(f"{why} {state['id']} answers as before.", "E_NOT_LOADED")
    yield state


def state_route(switcher: ModelSwitcher) -> Route:
    """GET /model: the state as plain JSON, cheap enough to be asked again and again."""

    def tell(request: Request) -> JSONResponse:  # in a thread: an engine elsewhere is asked
        return JSONResponse(switcher.state(), headers={"Cache-Control": "no-store"})

    return Route(PATH, tell, methods=["GET"])
