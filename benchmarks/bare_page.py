"""A bare Gradio page of the same components as the app: what a page costs that adds nothing.

    python -m benchmarks.bare_page ADDRESS PORT

Reads the components and the layout of the running app at ADDRESS and serves them again at PORT,
each with its label, its choices and its size, without our scripts, styles and events.
"""

from __future__ import annotations

import inspect
import json
import sys
import urllib.request
from contextlib import nullcontext
from typing import Any

import gradio as gr
from gradio.utils import component_or_layout_class

PROPERTIES = {  # options that make a component look as it does in the app
    *("label", "choices", "visible", "elem_id", "open", "interactive", "variant", "scale"),
    *("min_width", "lines", "max_lines", "minimum", "maximum", "step", "sources", "height"),
    *("file_count", "file_types", "placeholder", "columns"),
}
FRAME = "form"  # Gradio's own, around fields that stand together
OURS = "html"  # our own components; the bare page has a line of text in their place
ALIASES = {"tabitem": "tab"}  # what a config calls a class otherwise than Gradio's own look-up
ENDPOINT = "api"  # arguments of endpoints for programs; nothing is seen of them
WORDS = "<p>A picture and a wish</p>"

JSON = dict[str, Any]


def build_page(config: JSON) -> gr.Blocks:
    """The page of a config that `ADDRESS/config` gives."""
    known = {row["id"]: row for row in config["components"]}
    page: gr.Blocks
    with gr.Blocks(title="Bare", analytics_enabled=False) as page:
        build(config["layout"]["children"], known)
    return page


def build(nodes: list[JSON], known: dict[int, JSON]) -> None:
    """A part of the layout, with what is inside."""
    for node in nodes:
        row, inside = known[node["id"]], node.get("children", [])
        if row["type"] == ENDPOINT:
            continue
        made = nullcontext() if row["type"] == FRAME else make(row)
        if inside:
            with made:
                build(inside, known)


def make(row: JSON) -> Any:
    """One component or layout block, with the options that it takes."""
    if row["type"] == OURS:
        return gr.HTML(WORDS, visible=row["props"].get("visible", True))
    name: str = row["type"]
    kind = component_or_layout_class(ALIASES.get(name, name))
    given = {name: value for name, value in row["props"].items() if name in PROPERTIES}
    taken = inspect.signature(kind).parameters
    return kind(**{name: value for name, value in given.items() if name in taken})


def main(address: str, port: int) -> None:
    """Serve until killed."""
    with urllib.request.urlopen(f"{address}config") as answer:
        page = build_page(json.load(answer))
    page.launch(
        server_name="127.0.0.1",
        server_port=port,
        quiet=True,
        ssr_mode=False,
        run_history=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
