"""The web app: loads a checkpoint, builds the page and its endpoints, serves them.

`app.py` at the top of the repository starts it; nothing is loaded when this is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

if IS_ZERO_GPU := bool(os.environ.get("SPACES_ZERO_GPU")):
    import spaces  # before torch: it stands in for CUDA until a GPU is lent

from gemma_vision.web.server.address import HOST, AddressError, port_of  # before gradio
from gemma_vision.web.server.guards.sweeper import make_own_folder

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
if not os.environ.get("GRADIO_TEMP_DIR"):
    os.environ["GRADIO_TEMP_DIR"] = make_own_folder()

import gradio as gr

import gemma_vision
from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.engines import LOCAL
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.web.api.endpoints import build_endpoints
from gemma_vision.web.api.hub_token import token_route
from gemma_vision.web.api.live.door import live_routes
from gemma_vision.web.api.mcp_tools import offer_tools
from gemma_vision.web.api.model import build_model_endpoints, state_route
from gemma_vision.web.api.program_doors import program_routes
from gemma_vision.web.command_line import read_options
from gemma_vision.web.components.header import build_header
from gemma_vision.web.components.model_choice import FREEDOMS, LOOPBACK, Choice, freedom
from gemma_vision.web.forms.carrying import connect_carrying
from gemma_vision.web.forms.reloading import keep_form
from gemma_vision.web.forms.space_buttons import build_space_buttons
from gemma_vision.web.forms.tab import Tab
from gemma_vision.web.i18n.texts import translate, translations
from gemma_vision.web.jobs.events import SILENT, visitor_of
from gemma_vision.web.jobs.job import model_lock
from gemma_vision.web.server import uploads
from gemma_vision.web.server.guards.chain import chain, check_variables, start_guards
from gemma_vision.web.server.guards.clients import keep_peers
from gemma_vision.web.server.guards.health import health_routes
from gemma_vision.web.server.guards.memory_return import use_one_heap
from gemma_vision.web.server.guards.request_log import set_up_log
from gemma_vision.web.server.name_sheets import sheet_routes
from gemma_vision.web.server.page_queue import MAX_WAITING, open_queue
from gemma_vision.web.server.picture_worker import warm_up
from gemma_vision.web.server.private_errors import BODY_REFUSAL, PrivateErrorBlocks
from gemma_vision.web.server.theme import build_theme
from gemma_vision.web.tabs.batch import BatchTab
from gemma_vision.web.tabs.chat import ChatTab
from gemma_vision.web.tabs.compare import CompareTab
from gemma_vision.web.tabs.image import ImageTab
from gemma_vision.web.tabs.inside import InsideTab
from gemma_vision.web.tabs.live.tab import LiveTab
from gemma_vision.web.tabs.model_change import FormUpdater
from gemma_vision.web.tabs.paste import PasteTab
from gemma_vision.web.tabs.video import VideoTab
from gemma_vision.web.zero_gpu import LentEngine, needs_whole_gpu

PAGE_CSS = Path(__file__).parent / "server" / "page.css"
# Told once what an address or the page before fills in stands in the forms, which then may follow
# a checkpoint that was changed before the page was opened.
ARRIVED = """() => { document.dispatchEvent(new CustomEvent("gv-arrived")); }"""
MAX_FILE = "100mb"  # a minute of a phone's video; pictures have a limit of their own


class Page(PrivateErrorBlocks):
    """A page that launches as `launch_options` says, whoever launches it."""

    pipeline: Pipeline
    choice: Choice

    def launch(self, *args: Any, **options: Any) -> Any:
        """As gr.Blocks.launch; options given here win."""
        host = options.get("server_name") or listens_on()
        own = {
            "routes": [
                state_route(self.choice.switcher),
                token_route(self.choice),
                *health_routes(self),
                *program_routes(self, host, MAX_WAITING),
                *live_routes(self),
                *sheet_routes(),
            ],
            "middleware": chain(host),
            "exception_handlers": BODY_REFUSAL,
        }
        return super().launch(*args, **(launch_options() | {"app_kwargs": own} | options))


def build_app(pipeline: Pipeline, choice: Choice | None = None) -> Page:
    """The page and its endpoints over a pipeline; `serve` opens it.

    choice: who may change the pipeline's checkpoint; nobody where it is not given.
    """
    use_one_heap()
    choice = choice or Choice(ModelSwitcher(ModelCache(pipeline), model_lock))
    app = Page(title="Gemma Vision", analytics_enabled=False)
    with app:
        header = build_header(choice)
        build_space_buttons()
        tabs = lay_out(build_tabs(pipeline, choice), pipeline, choice)
        build_endpoints(pipeline)
        build_model_endpoints(choice)
        connect_page(app, header, tabs, choice)
    app.pipeline, app.choice = pipeline, choice
    open_queue(app)
    return app


def build_tabs(pipeline: Pipeline, choice: Choice) -> list[Tab]:
    """Every tab, in the order of the page."""
    return [
        ImageTab(pipeline),
        LiveTab(pipeline),
        PasteTab(pipeline),
        BatchTab(pipeline),
        VideoTab(pipeline),
        ChatTab(pipeline),
        CompareTab(pipeline, choice.switcher.model_cache),
        InsideTab(pipeline),
    ]


def lay_out(tabs: list[Tab], pipeline: Pipeline, choice: Choice) -> dict[gr.Tab, Tab]:
    """The tabs that the checkpoint has a use for, or another that takes its place may have."""
    laid_out = {}
    for tab in tabs:
        is_useful = tab.is_useful(pipeline)
        if is_useful or choice.is_open:
            with gr.Tab(translate(f"tab_{tab.name}"), visible=is_useful) as holder:
                tab.build()
            laid_out[holder] = tab
    return laid_out


def connect_page(app: gr.Blocks, header: gr.HTML, tabs: dict[gr.Tab, Tab], choice: Choice) -> None:
    """What happens when somebody comes, goes or opens a tab, and when another model answers."""

    def leave(request: gr.Request) -> None:
        for tab in tabs.values():
            tab.leave(visitor_of(request))

    (image,) = (tab for tab in tabs.values() if isinstance(tab, ImageTab))
    for tab in tabs.values():
        if isinstance(tab, LiveTab):
            tab.connect_freeze(image)
    kept = gr.Textbox(visible=False)
    arrived = app.load(image.fill_on_load, kept, image.linked, js=keep_form(image.name), **SILENT)
    app.unload(leave)
    connect_carrying({place: tab.carried for place, tab in tabs.items()})
    if choice.is_open:
        updater = FormUpdater(choice.switcher, tabs)
        header.swapped(updater.refresh, **updater.event)
        arrived.then(None, js=ARRIVED, **SILENT)


def launch_options() -> dict[str, Any]:
    """How the app is always launched: nothing leaves the machine, errors show no paths."""
    return {
        "ssr_mode": False,
        "run_history": False,
        "show_error": False,
        "enable_monitoring": False,
        "share": False,
        "quiet": True,
        "allowed_paths": [str(uploads.EXAMPLES)],
        "max_file_size": MAX_FILE,
        "footer_links": ["api", "settings"],
        "theme": build_theme(),
        "css_paths": [PAGE_CSS],
        "i18n": translations,
        "_frontend": False,  # else it gives up where one look at itself takes 3 seconds
    }


def serve(app: Page, host: str | None = None, port: int | None = None) -> str:
    """Open the app and return its address; it runs until the process ends or `app.close()`.

    port: this one or none: one that is taken raises AddressError. None takes the first free one.
    """
    keep_peers()
    try:
        _, address, _ = app.launch(server_name=host, server_port=port, prevent_thread_lock=True)
    except OSError as error:
        where = f"Port {port} is" if port else "All ports from 7860 on are"
        raise AddressError(f"{where} taken; name another with --port.") from error
    named = host or listens_on()
    is_public, may_change = named not in LOOPBACK, app.choice.is_open
    start_guards(app)
    threading.Thread(target=warm_up, name="warm up", daemon=True).start()
    offer_tools(app.app, app.pipeline, is_public=is_public, may_change=may_change)
    return str(address)


def listens_on() -> str:
    """The address to listen on where none is given."""
    return os.environ.get(HOST) or LOOPBACK[0]


def mask_source(name: str, **given: Any) -> Pipeline:
    """The checkpoint that outlines what another finds; TaskError where it writes no masks."""
    pipeline = gemma_vision.load(name, **given)
    pipeline.as_mask_source()
    return pipeline


def main(arguments: Sequence[str] | None = None, prog: str = "app.py") -> int:
    """Load, serve, wait. 0 when stopped, 2 when it cannot start."""
    use_one_heap()  # before loading, which starts threads
    try:
        options = read_options(arguments, prog)
        check_variables()
        set_up_log()
        port = port_of(options.port)
        given = {"device": options.device, "dtype": options.dtype}
        if options.masks:
            given["masks"] = mask_source(options.masks, **given)
        pipeline = gemma_vision.load(options.model, engine=options.engine, **given)
        if IS_ZERO_GPU:
            is_large = needs_whole_gpu(pipeline.card)
            pipeline.engine = LentEngine(pipeline.engine, spaces.GPU, is_large=is_large)
        model_cache = ModelCache(pipeline, partial(gemma_vision.load, **given))
        switcher = ModelSwitcher(model_cache, model_lock, **given)
        host = options.host or listens_on()
        wanted = options.model_choice if options.engine == LOCAL else FREEDOMS[0]
        app = build_app(pipeline, Choice(switcher, freedom(wanted, host), host))
        address = serve(app, options.host, port)
    except (ValueError, OSError) as error:
        print(f"Gemma Vision cannot start: {error}", file=sys.stderr)
        return 2
    print(f"Gemma Vision is up at {address} with {pipeline.name}; Ctrl+C stops it.", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C: uploads are deleted
    app.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
