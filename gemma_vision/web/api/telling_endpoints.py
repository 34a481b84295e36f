"""The endpoints that tell something of a picture: /caption, /ask, /ocr and /free.

No `from __future__ import annotations` here: Gradio reads the hints as they stand.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.api.answering import answers
from gemma_vision.web.api.schema import AnswerJSON


def telling(pipeline: Pipeline) -> list[Callable[..., Any]]:
    """/caption, /ask, /ocr and /free: words about the picture."""

    def caption(
        image: gr.FileData,
        language: str = "en",
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        pan_and_scan: bool = False,
        style: str = "caption",
        region: list[float] | None = None,
    ) -> AnswerJSON:
        """Describe a picture in a sentence.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            language: Language of the sentence, for example "en" or "ja".
            max_tokens: Longest answer, in tokens.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
            pan_and_scan: Look at crops of a long picture too, where the checkpoint can (Gemma 3);
                "crops" in the answer tells the rectangles.
            style: How long: "cap" (a few words, pt checkpoints only), "caption" (a sentence) or
                "describe" (several).
            region: Only this part of the picture: x0, y0, x1, y1 as shares of its width and height,
                0 to 1 (pt checkpoints only); null is the whole.
        """
        options: dict[str, Any] = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "pan_and_scan": pan_and_scan,
            "language": language,
            "style": style,
            "region": region,
        }
        yield from answers(pipeline, image, "caption", **options)

    def ask(
        image: gr.FileData,
        question: str,
        language: str = "en",
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        pan_and_scan: bool = False,
    ) -> AnswerJSON:
        """Answer a question about a picture.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            question: The question.
            language: Language of the answer, for example "en" or "ja".
            max_tokens: Longest answer, in tokens.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
            pan_and_scan: Look at crops of a long picture too, where the checkpoint can (Gemma 3);
                "crops" in the answer tells the rectangles.
        """
        options: dict[str, Any] = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "pan_and_scan": pan_and_scan,
        }
        yield from answers(pipeline, image, "ask", question, language=language, **options)

    def ocr(image: gr.FileData, max_tokens: int = 256, pan_and_scan: bool = False) -> AnswerJSON:
        """Read the words that are written in a picture.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            max_tokens: Longest answer, in tokens.
            pan_and_scan: Look at crops of a long picture too, where the checkpoint can (Gemma 3);
                "crops" in the answer tells the rectangles.
        """
        options: dict[str, Any] = {"max_tokens": max_tokens, "pan_and_scan": pan_and_scan}
        yield from answers(pipeline, image, "ocr", **options)

    def free(
        image: gr.FileData,
        prompt: str,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        pan_and_scan: bool = False,
        drop_repeats: bool = False,
        max_overlap: float | None = None,
        drop_full_frame: bool = False,
        min_score: float | None = None,
    ) -> AnswerJSON:
        """Give the model a prompt of your own, word for word.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            prompt: The prompt, for example "detect cat".
            max_tokens: Longest answer, in tokens.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
            pan_and_scan: Look at crops of a long picture too, where the checkpoint can (Gemma 3);
                "crops" in the answer tells the rectangles.
            drop_repeats: Leave out exact copies of an earlier record.
            max_overlap: Of boxes of one name that overlap more than this (IoU, 0 to 1), leave out
                all but the surest; null keeps them all.
            drop_full_frame: Leave out boxes of nearly the whole picture.
            min_score: Leave out what is less sure than this, 0 to 1; null keeps all.
        """
        options: dict[str, Any] = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "pan_and_scan": pan_and_scan,
            "drop_repeats": drop_repeats,
            "max_overlap": max_overlap,
            "drop_full_frame": drop_full_frame,
            "min_score": min_score,
        }
        yield from answers(pipeline, image, "free", prompt, **options)

    return [caption, ask, ocr, free]
