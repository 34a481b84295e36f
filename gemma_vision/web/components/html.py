"""HTML components: each made of the files that lie beside this module under its name.

Templates are static: Gradio runs what it is given in one. What a model or a person wrote travels in
`value` and reaches the page through `textContent` and canvas text alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from gemma_vision.web.components.scripts import join_scripts

HERE = Path(__file__).parent


def build_html(
    *names: str, value: Any = None, scripts: tuple[str, ...] = (), script: str = "", **options: Any
) -> gr.HTML:
    """The component of NAME.html, NAME.css and NAME.js; of several names, theirs joined.

    scripts: further files of script by name, each behind those before it; what they import comes
    along. script: what stands in the place of all of them. options: as for gr.HTML; those that it
    does not know reach the script as properties. A dict as `value` goes through as it is, and file
    entries in it become addresses on the way out.
    """
    return gr.HTML(
        value,
        html_template=join_files("html", *names),
        css_template=join_files("css", *names),
        js_on_load=script or join_scripts(*(f"{name}.js" for name in (*names, *scripts))),
        apply_default_css=False,
        **options,
    )


@cache
def join_files(suffix: str, *names: str) -> str:
    """The files of those names that end in `suffix`, one behind the other."""
    return "\n".join((HERE / f"{name}.{suffix}").read_text("utf-8") for name in names)
