"""MCP tools: the endpoints for assistants, on the app's own port at /mcp.

There when the optional package `mcp` is installed. A tool takes what its endpoint takes, with the
picture as a text, and gives its JSON as text.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import re
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import gradio as gr
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import gemma_vision
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.tasks import FORM_TASKS, PARSE, PARSE_GIVES, TASKS
from gemma_vision.web.api.endpoints import Endpoint, parse_endpoint, task_endpoints
from gemma_vision.web.api.mcp_arguments import MAX_DATA, PICTURE, misfit, picture
from gemma_vision.web.server.errors import to_client
from gemma_vision.web.server.guards.request_log import quote_nobody
from gemma_vision.web.server.picture_worker import open_picture

if TYPE_CHECKING:
    from mcp.server.fastmcp import FastMCP
    from mcp.server.fastmcp.tools import Tool
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.applications import Starlette

PATH = "/mcp"
# Where Gradio's page about the API looks for tools: its schema says that they are there, and its
# address is the one that the page tells.
PAGE_PATHS = ("/gradio_api/mcp", "/gradio_api/mcp/")
SCHEMA_PATH = "/gradio_api/mcp/schema"
MAX_BODY = MAX_DATA + 1_000_000  # bytes of a call, the rest for what is asked
MAX_WAITING = 8  # calls that run or wait; more are told to come back
LOOPBACK = ("127.0.0.1:*", "localhost:*", "[::1]:*")
ABOUT = (
    "Finds, cuts out and describes things in pictures. Boxes are x0, y0, x1, y1 in pixels of the "
    "upright picture. Where nothing is found, instances is empty; warnings says what was read "
    "otherwise or may be wrong. A name that the checkpoint does not know is refused, and those "
    "that it knows are told."
)


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
    quote_nobody()  # by the handlers that the package has just set up
    server.streamable_http_app()  # makes the session manager
    door = Door(server.session_manager)
    methods = ["GET", "POST", "DELETE"]
    routes = [Route(path, endpoint=door, methods=methods) for path in (PATH, *PAGE_PATHS)]
    app.router.routes[:0] = [schema_route(server), *routes]
    return True


def schema_route(server: FastMCP) -> Route:
    """The tools as Gradio's page about the API reads them."""

    async def schema(request: Request) -> JSONResponse:
        listed = await server.list_tools()
        meta = {"file_data_present": False, "mcp_type": "tool"}
        return JSONResponse(
            [
                {
                    "name": tool.name,
                    "description": tool.description,
                    "inputSchema": tool.inputSchema,
                    "endpoint_name": f"/{tool.name}",
                    "meta": meta | {"endpoint_name": f"/{tool.name}"},
                }
                for tool in listed
            ]
        )

    return Route(SCHEMA_PATH, endpoint=schema, methods=["GET"])


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
    line = Line()
    offered = (*task_endpoints(pipeline), parse_endpoint())
    names = (PARSE, *(FORM_TASKS if may_change else pipeline.tasks))
    server = FastMCP(
        "gemma-vision",
        instructions=ABOUT,
        tools=[strict_tool(one, line) for one in offered if one.__name__ in names],
        stateless_http=True,
        json_response=True,
        max_request_body_size=MAX_BODY,
        log_level="WARNING",
        transport_security=guard,
    )
    server._mcp_server.version = gemma_vision.__version__  # that of the package mcp, else
    return server


def strict_tool(endpoint: Endpoint, line: Line) -> Tool:
    """An endpoint as a registered tool that takes its arguments as they came.

    FastMCP would turn "false" into False and drop what it does not know; here the endpoint's own
    checks say what is wrong, as over HTTP.
    """
    from mcp.server.fastmcp.exceptions import ToolError
    from mcp.server.fastmcp.tools import Tool
    from mcp.server.fastmcp.utilities.func_metadata import FuncMetadata
    from mcp.types import ToolAnnotations

    class AsSent(FuncMetadata):
        """Passes arguments on untouched, once their names are known."""

        async def call_fn_with_arg_validation(
            self, fn: Any, fn_is_async: bool, sent: dict[str, Any], direct: Any
        ) -> Any:
            try:
                inspect.signature(endpoint).bind(**sent)
            except TypeError:  # whose words quote the caller's
                raise ToolError(f"E_ARGUMENTS: {misfit(endpoint, sent)}") from None
            return await fn(**sent)

    harmless = ToolAnnotations(readOnlyHint=True, openWorldHint=False)
    tool = Tool.from_function(
        tool_of(endpoint, line), annotations=harmless, structured_output=False
    )
    tool.fn_metadata = AsSent(**dict(tool.fn_metadata))
    tool.parameters = tool.parameters | {"additionalProperties": False}
    return tool


def tool_of(endpoint: Endpoint, line: Line) -> Callable[..., Any]:
    """An endpoint as a tool: the names, hints and defaults of its signature, and its docstring's
    sentences, are what an assistant reads.
    """
    about, told = sentences(endpoint)
    told["image"] = PICTURE
    taken = []
    for name, one in inspect.signature(endpoint).parameters.items():
        hint = str if name == "image" else one.annotation
        taken.append(one.replace(annotation=Annotated[hint, Field(description=told[name])]))

    async def tool(**given: Any) -> str:
        return await line.wait(lambda: carry_out(endpoint, given))

    tool.__name__ = endpoint.__name__
    tool.__doc__ = f"{about} {gives(endpoint.__name__)}"
    tool.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    return tool


def gives(name: str) -> str:
    """Where an assistant finds the result in the answer's JSON."""
    return PARSE_GIVES if name == PARSE else TASKS[name].gives


def sentences(endpoint: Endpoint) -> tuple[str, dict[str, str]]:
    """What a docstring says of a function, and of each argument under Args."""
    about, _, arguments = (inspect.getdoc(endpoint) or "").partition("\n\nArgs:\n")
    told = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", arguments, re.MULTILINE)
    return " ".join(about.split()), {name: " ".join(words.split()) for name, words in told}


class Line:
    """Calls beside the page's own, one at a time on the model; a crowd is told to come back."""

    def __init__(self) -> None:
        self._waiting = 0

    async def wait(self, work: Callable[[], dict[str, Any]]) -> str:
        """What `work` gives, as JSON; what a person did wrong becomes the tool's error."""
        from mcp.server.fastmcp.exceptions import ToolError

        if self._waiting >= MAX_WAITING:
            raise ToolError("E_BUSY: Too many calls are waiting; try again in a moment.")
        self._waiting += 1
        try:
            return json.dumps(await asyncio.to_thread(work), ensure_ascii=False)
        except Exception as error:
            refusal = error if isinstance(error, gr.Error) else to_client(error)
            raise ToolError(refusal.message) from None
        finally:
            self._waiting -= 1


def carry_out(endpoint: Endpoint, given: dict[str, Any]) -> dict[str, Any]:
    """An endpoint's whole answer."""
    if "image" in given:
        given = given | {"image": open_picture(picture(given["image"]))}
    answer = endpoint(**given)
    whole: dict[str, Any] = answer if isinstance(answer, dict) else deque(answer, maxlen=1).pop()
    return whole
