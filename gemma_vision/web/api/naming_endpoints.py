"""The endpoints that name things: /detect and /segment.

No `from __future__ import annotations` here: Gradio reads the hints as they stand.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.api.answering import answers
from gemma_vision.web.api.schema import AnswerJSON


def naming(pipeline: Pipeline) -> list[Callable[..., Any]]:
    """/detect and /segment: things by name."""

    def detect(
        image: gr.FileData,
        text: str,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        drop_repeats: bool = False,
        max_overlap: float | None = None,
        drop_full_frame: bool = False,
        min_score: float | None = None,
        drop_unasked: bool = False,
    ) -> AnswerJSON:
        """Find things in a picture: a box around everything that is named.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            text: What to find, names with a semicolon between them, for example "cat ; dog".
            max_tokens: Longest answer, in tokens; a box takes about 7.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
            drop_repeats: Leave out exact copies of an earlier record.
            max_overlap: Of boxes of one name that overlap more than this (IoU, 0 to 1), leave out
                all but the surest; null keeps them all.
            drop_full_frame: Leave out boxes of nearly the whole picture.
            min_score: Leave out what is less sure than this, 0 to 1; null keeps all.
            drop_unasked: Leave out things under a name that was not asked for.
        """
        options: dict[str, Any] = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "drop_repeats": drop_repeats,
            "max_overlap": max_overlap,
            "drop_full_frame": drop_full_frame,
            "min_score": min_score,
            "drop_unasked": drop_unasked,
        }
        yield from answers(pipeline, image, "detect", text, **options)

    def segment(
        image: gr.FileData,
        text: str,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        drop_repeats: bool = False,
        max_overlap: float | None = None,
        drop_full_frame: bool = False,
        min_score: float | None = None,
        drop_unasked: bool = False,
    ) -> AnswerJSON:
        """Cut things out of a picture: a box and a mask of everything that is named.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            text: What to cut out, names with a semicolon between them, for example "cat ; dog".
            max_tokens: Longest answer, in tokens; a mask takes about 23.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
            drop_repeats: Leave out exact copies of an earlier record.
            max_overlap: Of boxes of one name that overlap more than this (IoU, 0 to 1), leave out
                all but the surest; null keeps them all.
            drop_full_frame: Leave out boxes of nearly the whole picture.
            min_score: Leave out what is less sure than this, 0 to 1; null keeps all.
            drop_unasked: Leave out things under a name that was not asked for.
        """
        options: dict[str, Any] = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "drop_repeats": drop_repeats,
            "max_overlap": max_overlap,
            "drop_full_frame": drop_full_frame,
            "min_score": min_score,
            "drop_unasked": drop_unasked,
        }
        yield from answers(pipeline, image, "segment", text, **options)

    return [detect, segment]
