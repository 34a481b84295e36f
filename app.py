"""The web app: loads a checkpoint, builds the page and its endpoints, serves them.

python app.py                          the checkpoint that comes inside
python app.py --model google/paligemma2-3b-mix-448 --device cuda
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if IS_ZERO_GPU := bool(os.environ.get("SPACES_ZERO_GPU")):
    import spaces  # before torch: it stands in for CUDA until a GPU is lent

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr

import gemma_vision
from gemma_vision.pipeline import Pipeline
from ui import uploads
from ui.batch_tab import build_batch_tab
from ui.chat_tab import build_chat_tab, can_chat
from ui.compare_tab import build_compare_tab
from ui.endpoints import build_endpoints
from ui.header import build_header
from ui.image_tab import SILENT, build_image_tab
from ui.inside_tab import build_inside_tab, can_be_followed
from ui.mcp_tools import offer_tools
from ui.paste_tab import build_paste_tab
from ui.texts import say, translations
from ui.theme import build_theme
from ui.zero_gpu import LentEngine

PAGE_CSS = Path(__file__).parent / "ui" / "page.css"
MAX_WAITING = 32  # wishes in the queue; more are told to come back
MAX_FILE = "20mb"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CACHE = (600, 3600)  # every 10 minutes, files older than an hour go


class Page(gr.Blocks):
    """A page that launches as `launch_options` says, whoever launches it."""

    pipeline: Pipeline

    def launch(self, *args: Any, **options: Any) -> Any:
        """As gr.Blocks.launch; options given here win."""
        return super().launch(*args, **(launch_options() | options))


def build_app(pipeline: Pipeline) -> Page:
    """The page and its endpoints over a pipeline; `serve` opens it."""
    with Page(title="Gemma Vision", analytics_enabled=False, delete_cache=CACHE) as app:
        build_header(pipeline)
        with gr.Tab(say("tab_image")):
            image_tab = build_image_tab(pipeline)
        with gr.Tab(say("tab_paste")):
            build_paste_tab()
        with gr.Tab(say("tab_batch")):
            build_batch_tab(pipeline)
        if can_chat(pipeline):
            with gr.Tab(say("tab_chat")):
                app.unload(build_chat_tab(pipeline))
        with gr.Tab(say("tab_compare")):
            build_compare_tab(pipeline)
        if can_be_followed(pipeline):
            with gr.Tab(say("tab_inside")):
                build_inside_tab(pipeline)
        build_endpoints(pipeline)
        targets = [image_tab.form[name] for name in ("task", "words", "language")]
        app.load(image_tab.fill_from_link, None, targets, **SILENT)
        app.unload(image_tab.leave)
    app.pipeline = pipeline
    app.queue(max_size=MAX_WAITING, default_concurrency_limit=4, api_open=False)
    return app


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
    }


def serve(app: Page, host: str | None = None, port: int | None = None) -> str:
    """Open the app and return its address; it runs until the process ends or `app.close()`."""
    _, address, _ = app.launch(server_name=host, server_port=port, prevent_thread_lock=True)
    named = host or os.environ.get("GRADIO_SERVER_NAME") or LOOPBACK[0]
    offer_tools(app.app, app.pipeline, is_public=named not in LOOPBACK)
    return str(address)


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="app.py", description="Gemma Vision in a browser.")
    model = os.environ.get("MODEL_ID") or "tiny"
    parser.add_argument("--model", default=model, help="tiny, a folder or a Hub id (%(default)s)")
    parser.add_argument("--device", help="cpu, cuda or mps; the best there is when not given")
    parser.add_argument("--dtype", help="float32, bfloat16 or float16")
    parser.add_argument("--host", help="address to listen on (127.0.0.1; GRADIO_SERVER_NAME)")
    parser.add_argument("--port", type=int, help="port (7860 or the next; GRADIO_SERVER_PORT)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Load, serve, wait. 0 when stopped, 2 when it cannot start."""
    options = read_options(arguments)
    try:
        pipeline = gemma_vision.load(options.model, options.device, options.dtype)
        if IS_ZERO_GPU:
            pipeline.engine = LentEngine(pipeline.engine, spaces.GPU)
        app = build_app(pipeline)
        address = serve(app, options.host, options.port)
    except (ValueError, OSError) as error:
        print(f"Gemma Vision cannot start: {error}", file=sys.stderr)
        return 2
    print(f"Gemma Vision is up at {address} with {pipeline.name}; Ctrl+C stops it.", flush=True)
    app.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
