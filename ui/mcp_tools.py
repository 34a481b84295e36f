"""MCP tools: the verbs of the library for assistants, on the app's own port at /mcp.

There when the optional package `mcp` is installed. Results are the JSON of the endpoints as text.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import importlib.util
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from gemma_vision.images import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.tasks import Request
from ui.pasting import read_pasted
from ui.refusals import explain
from ui.running import Run
from ui.uploads import UploadError, resolve_upload

if TYPE_CHECKING:
    from mcp.server.fastmcp import FastMCP
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.applications import Starlette

PATH = "/mcp"
MAX_DATA = 27_000_000  # characters of a data address: 20 MB in base64
MAX_WAITING = 8  # calls that run or wait; more are told to come back
LOOPBACK = ("127.0.0.1:*", "localhost:*", "[::1]:*")
ABOUT = "Finds, cuts out and describes things in pictures. Boxes are x0, y0, x1, y1 in pixels."
PICTURE = "A data: address (data:image/png;base64,...) or the path that /gradio_api/upload gave."


def offer_tools(
    app: Starlette, pipeline: Pipeline, *, is_public: bool = False, may_change: bool = False
) -> bool:
    """Add /mcp to a running app; whether that was possible.

    is_public: the app is to be reached under any host name. Else only this machine's own names are
    answered, so that no web page elsewhere can speak to the tools through a visitor's browser.
    may_change: another checkpoint may take this one's place, so that all tools are offered.
    """
    if importlib.util.find_spec("mcp") is None:
        return False
    server = build_server(pipeline, is_public=is_public, may_change=may_change)
    server.streamable_http_app()  # makes the session manager
    door = Door(server.session_manager)
    app.router.routes.insert(0, Route(PATH, endpoint=door, methods=["GET", "POST", "DELETE"]))
    return True


class Door:
    """The ASGI end of /mcp. Sessions live in the loop that serves the page, from the first call."""

    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        self._manager = manager
        self._started = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await self._started.wait()
        await self._manager.handle_request(scope, receive, send)

    async def _run(self) -> None:
        async with self._manager.run():
            self._started.set()
            await asyncio.Event().wait()


def build_server(
    pipeline: Pipeline, *, is_public: bool = False, may_change: bool = False
) -> FastMCP:
    """The tools over a pipeline: parse, and what its checkpoint can do; all where it may change."""
    from mcp.server.fastmcp import FastMCP
    from mcp.server.transport_security import TransportSecuritySettings

    guard = TransportSecuritySettings(
        enable_dns_rebinding_protection=not is_public,
        allowed_hosts=list(LOOPBACK),
        allowed_origins=[f"http://{host}" for host in LOOPBACK],
    )
    server = FastMCP(
        "gemma-vision",
        instructions=ABOUT,
        stateless_http=True,
        json_response=True,
        log_level="WARNING",
        transport_security=guard,
    )
    for tool in verbs(Caller(pipeline)):
        if may_change or tool.__name__ == "parse" or tool.__name__ in pipeline.tasks:
            server.add_tool(tool, structured_output=False)
    return server


class Caller:
    """Runs requests beside the page's own, one at a time on the model."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._waiting = 0

    async def see(self, image: str, task: str, text: str = "", **options: Any) -> str:
        """The JSON of one request."""
        return await self.tell(lambda: self._answer(image, task, text, **options))

    async def tell(self, work: Callable[[], dict[str, Any]]) -> str:
        """What `work` gives, as JSON; what a person did wrong becomes the tool's error."""
        from mcp.server.fastmcp.exceptions import ToolError

        if self._waiting >= MAX_WAITING:
            raise ToolError("E_BUSY: Too many calls are waiting; try again in a moment.")
        self._waiting += 1
        try:
            return json.dumps(await asyncio.to_thread(work), ensure_ascii=False)
        except Exception as error:
            code, message = explain(error)
            raise ToolError(f"{code}: {message}") from None
        finally:
            self._waiting -= 1

    def _answer(self, image: str, task: str, text: str, **options: Any) -> dict[str, Any]:
        request = Request(open_image(picture(image)), task, text, **options)
        run = Run(lambda: self._pipeline.stream(request), None)
        for _ in run.follow():
            pass
        assert run.latest is not None, "a stream that ends has an answer"
        return run.latest.to_dict()


def picture(image: str) -> Any:
    """What a tool's caller means by a picture, opened by nobody yet."""
    if not image.startswith("data:"):
        return resolve_upload(image)
    head, _, data = image.partition(",")
    if not head.endswith(";base64") or len(data) > MAX_DATA:
        raise UploadError("The data address is no base64 of at most 20 MB; send a smaller picture.")
    try:
        return io.BytesIO(base64.b64decode(data, validate=True))
    except binascii.Error:
        raise UploadError("The data address is damaged; encode the picture again.") from None


def verbs(caller: Caller) -> list[Callable[..., Any]]:
    """The tools; their names, hints and docstrings are what an assistant reads."""

    async def detect(image: str, text: str, max_tokens: int = 256) -> str:
        """Find things in a picture: a box around everything named, as JSON. `text` has the names
        with a semicolon between them ("cat ; dog"). {picture}"""
        return await caller.see(image, "detect", text, max_tokens=max_tokens)

    async def segment(image: str, text: str, max_tokens: int = 256) -> str:
        """Cut things out of a picture: boxes, outlines and run-length masks of everything named, as
        JSON. `text` has the names with a semicolon between them ("cat ; dog"). {picture}"""
        return await caller.see(image, "segment", text, max_tokens=max_tokens)

    async def caption(image: str, language: str = "en", max_tokens: int = 256) -> str:
        """Describe a picture in a sentence; "plain" of the JSON has it. {picture}"""
        return await caller.see(image, "caption", language=language, max_tokens=max_tokens)

    async def ask(image: str, question: str, language: str = "en", max_tokens: int = 256) -> str:
        """Answer a question about a picture; "plain" of the JSON has the answer. {picture}"""
        options = {"language": language, "max_tokens": max_tokens}
        return await caller.see(image, "ask", question, **options)

    async def parse(text: str, width: int, height: int, mask_decoder: str = "none") -> str:
        """Read an answer of PaliGemma or box_2d JSON that was written elsewhere: tokens in, boxes
        and masks of a width x height picture out, as JSON. `mask_decoder`: "published", "embedded"
        or "none"."""
        return await caller.tell(lambda: read_pasted(text, (width, height), mask_decoder))

    for tool in (detect, segment, caption, ask):
        tool.__doc__ = (tool.__doc__ or "").replace("{picture}", f"image: {PICTURE}")
    return [detect, segment, caption, ask, parse]
