"""Cache status: how many pictures the engine has cached, and how often that was of use."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.html import build_html


def build_cache_status(pipeline: Pipeline) -> gr.HTML:
    """A line about the engine's caches; hidden where it has none.

    Its value has all that the line says: a component that is updated before it is on the page, as
    one in a closed drawer, loses what else it was given.
    """
    value = cache_status(pipeline)
    return build_html("cache_status", value=value, visible=value is not None, elem_id="remembered")


def cache_status(pipeline: Pipeline) -> dict[str, dict[str, Any]] | None:
    """The value of `build_cache_status`: what the line counts, None where nothing is cached.

    Gemma 3 has cached prefixes of prompts too.
    """
    counts = pipeline.cache_status()
    if not counts:
        return None
    images, prefixes = counts["pictures"], counts["prefixes"]
    return {
        "images": images | {"size": human_size(images["bytes"])},
        "prefixes": {"hits": prefixes["hits"], "all": prefixes["hits"] + prefixes["misses"]},
    }


def human_size(num_bytes: int) -> str:
    """2_097_152  ->  "2.0 MiB" """
    mebibytes = num_bytes / 2**20
    return f"{mebibytes:.1f} MiB" if mebibytes >= 1 else f"{mebibytes * 1024:.0f} KiB"
