"""Typed options: the options of each task as type checkers read them.

The rows of `options.py` say what there is; a test holds these types against them.
"""

from __future__ import annotations

from typing import TypedDict


class RequestOptions(TypedDict, total=False):
    """Of every task."""

    max_tokens: int
    temperature: float
    seed: int
    budget: int | None
    thinking: int


class FilterOptions(TypedDict, total=False):
    """Of every task whose answer may hold things, and of `read`."""

    drop_repeats: bool
    max_overlap: float | None
    drop_full_frame: bool
    min_score: float | None


class WordOptions(RequestOptions, total=False):
    """Of the tasks that answer in words; ocr has no others."""

    pan_and_scan: bool


class FindOptions(RequestOptions, FilterOptions, total=False):
    """Of detect and segment."""

    drop_unasked: bool | None
    decoding: str | None
    names_per_prompt: int | None


class CaptionOptions(WordOptions, total=False):
    """Of caption, whose language is a parameter of its own."""

    style: str
    region: tuple[float, ...] | None


class FreeOptions(WordOptions, FilterOptions, total=False):
    """Of free and chat."""


class AskOptions(FreeOptions, total=False):
    """Of ask."""

    language: str
