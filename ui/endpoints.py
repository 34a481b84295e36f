"""The endpoints for programs: the verbs of the library, with its JSON.

Every answer grows: clients that stream get it again and again, the others get the whole. Errors
read "E_CODE: a sentence".

No `from __future__ import annotations` here: Gradio reads the hints as they stand.
"""

from collections.abc import Iterator
from typing import Any

import gradio as gr

import gemma_vision
from gemma_vision.answer import JSON, to_json
from gemma_vision.images import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.tasks import Request
from ui.answer_types import AnswerJSON, ModelsJSON
from ui.pasting import read_pasted
from ui.refusals import to_client
from ui.running import Run
from ui.uploads import resolve_upload

SHARED = {"concurrency_id": "model", "concurrency_limit": 1}  # one model, one queue
QUICK = {"concurrency_id": "quick", "concurrency_limit": 4}  # no model at work


def build_endpoints(pipeline: Pipeline) -> None:
    """Add every endpoint to the Blocks that is being built."""
    build_naming(pipeline)
    build_telling(pipeline)
    build_reading(pipeline)


def answers(pipeline: Pipeline, image: Any, task: str, text: str = "", **options: Any) -> Iterator:
    """The growing JSON of one request; what a person did wrong becomes an error with its code."""
    try:
        picture = open_image(resolve_upload(image))
        request = Request(picture, task, text, **options)
        for answer in Run(lambda: pipeline.stream(request), None).follow():
            yield waiting(pipeline, request) if answer is None else answer.to_dict()
    except Exception as error:
        raise to_client(error) from None


def waiting(pipeline: Pipeline, request: Request) -> JSON:
    """The answer before its first word. Clients that stream get it; a Stop is heard between two."""
    (picture,) = request.images
    blank = to_json(
        size=picture.size,
        text="",
        plain="",
        instances=[],
        warnings=[],
        policy=pipeline.policy,
        finish=None,
        timing={"encode": 0.0, "prefill": 0.0, "decode": 0.0, "tokens": 0},
    )
    prompt = pipeline.family.write_prompt(request)
    return {"model": pipeline.name, "task": str(request.task), "prompt": prompt} | blank


def build_naming(pipeline: Pipeline) -> None:
    """/detect and /segment: things by name."""

    def detect(
        image: gr.FileData,
        text: str,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AnswerJSON:
        """Find things in a picture: a box around everything that is named.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            text: What to find, names with a semicolon between them, for example "cat ; dog".
            max_tokens: Longest answer, in tokens; a box takes about 7.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
        """
        options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        yield from answers(pipeline, image, "detect", text, **options)

    def segment(
        image: gr.FileData,
        text: str,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AnswerJSON:
        """Cut things out of a picture: a box and a mask of everything that is named.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            text: What to cut out, names with a semicolon between them, for example "cat ; dog".
            max_tokens: Longest answer, in tokens; a mask takes about 23.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
        """
        options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        yield from answers(pipeline, image, "segment", text, **options)

    gr.api(detect, api_name="detect", **SHARED)
    gr.api(segment, api_name="segment", **SHARED)


def build_telling(pipeline: Pipeline) -> None:
    """/caption, /ask, /ocr and /free: words about the picture."""

    def caption(
        image: gr.FileData,
        language: str = "en",
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AnswerJSON:
        """Describe a picture in a sentence.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            language: Language of the sentence, for example "en" or "ja".
            max_tokens: Longest answer, in tokens.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
        """
        options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        yield from answers(pipeline, image, "caption", language=language, **options)

    def ask(
        image: gr.FileData,
        question: str,
        language: str = "en",
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AnswerJSON:
        """Answer a question about a picture.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            question: The question.
            language: Language of the answer, for example "en" or "ja".
            max_tokens: Longest answer, in tokens.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
        """
        options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        yield from answers(pipeline, image, "ask", question, language=language, **options)

    def ocr(image: gr.FileData, max_tokens: int = 256) -> AnswerJSON:
        """Read the words that are written in a picture.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            max_tokens: Longest answer, in tokens.
        """
        yield from answers(pipeline, image, "ocr", max_tokens=max_tokens)

    def free(
        image: gr.FileData,
        prompt: str,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AnswerJSON:
        """Give the model a prompt of your own, word for word.

        Args:
            image: The picture, a PNG, JPEG, WEBP, BMP or GIF file.
            prompt: The prompt, for example "detect cat".
            max_tokens: Longest answer, in tokens.
            temperature: 0 takes the likeliest token every time, up to 2 is more varied.
            seed: Makes a temperature above 0 repeatable.
        """
        options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        yield from answers(pipeline, image, "free", prompt, **options)

    gr.api(caption, api_name="caption", **SHARED)
    gr.api(ask, api_name="ask", **SHARED)
    gr.api(ocr, api_name="ocr", **SHARED)
    gr.api(free, api_name="free", **SHARED)


def build_reading(pipeline: Pipeline) -> None:
    """/parse and /models: no model at work."""

    def parse(text: str, width: int, height: int, mask_decoder: str = "none") -> AnswerJSON:
        """Read an answer that was written elsewhere: tokens in, boxes and masks out.

        Args:
            text: The answer, with its <loc> and <seg> tokens or as box_2d JSON.
            width: Width of the picture in pixels.
            height: Height of the picture in pixels.
            mask_decoder: Whose mask codes they are: "published" for Google's checkpoints,
                "embedded" for the one that comes inside, "none" for boxes only.
        """
        try:
            return read_pasted(text, (width, height), mask_decoder)
        except Exception as error:
            raise to_client(error) from None

    def models() -> ModelsJSON:
        """List the checkpoints: what each can do and whether it is here; the loaded one first."""
        loaded = pipeline.describe()
        others = [row for row in gemma_vision.models() if row["id"] != loaded["id"]]
        return {"models": [loaded, *others]}

    gr.api(parse, api_name="parse", **QUICK)
    gr.api(models, api_name="models", **QUICK)
