"""Cache status: how many pictures the engine has cached, and how often that was of use."""

from __future__ import annotations

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.html import build_html
from gemma_vision.web.i18n.texts import crop_words


def build_cache_status(pipeline: Pipeline) -> gr.HTML:
    """A line about the engine's caches; hidden where it has none.

    Its value has the line in every language: a component that is updated before it is on the page,
    as one in a closed drawer, loses what else it was given.
    """
    value = cache_status(pipeline)
    return build_html("cache_status", value=value, visible=value is not None, elem_id="remembered")


def cache_status(pipeline: Pipeline) -> dict[str, str] | None:
    """The value of `build_cache_status`: the line by language, None where nothing is cached."""
    counts = pipeline.cache_status()
    if not counts:
        return None
    return {language: line(words, counts) for language, words in crop_words().items()}


def line(words: dict[str, str], counts: dict[str, dict[str, int]]) -> str:
    """The line in one language; Gemma 3 has cached prefixes of prompts too."""
    images, prefixes = counts["pictures"], counts["prefixes"]
    images_line = words["remembered"].format(size=human_size(images["bytes"]), **images)
    all_prefixes = prefixes["hits"] + prefixes["misses"]
    if not all_prefixes:
        return images_line
    rest = words["remembered_prefixes"].format(hits=prefixes["hits"], all=all_prefixes)
    return f"{images_line} {rest}"


def human_size(num_bytes: int) -> str:
    """2_097_152  ->  "2.0 MiB" """
    mebibytes = num_bytes / 2**20
    return f"{mebibytes:.1f} MiB" if mebibytes >= 1 else f"{mebibytes * 1024:.0f} KiB"
