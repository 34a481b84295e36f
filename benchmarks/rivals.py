"""Rivals: the same request answered by this project and by transformers, from the same files.

Both go from a PIL picture to instances: pixels, tower, decoding, the answer's text, parsed and
located by the same code. Only what lies between picture and text differs.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

import gemma_vision
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.runtime.local_engine import LocalEngine
from postprocess import locate, parse


class RunResult(NamedTuple):
    """What an answer amounts to; two outcomes are compared before their times are."""

    text: str
    num_tokens: int
    boxes: Sequence[tuple[float, ...]]


class Ours:
    """This project. `forget` makes it look at every picture anew."""

    def __init__(self, folder: Path, dtype: str) -> None:
        self.pipeline: Pipeline = gemma_vision.load(folder, device="cpu", dtype=dtype)
        assert isinstance(self.pipeline.engine, LocalEngine)
        self.engine = self.pipeline.engine
        self.forget = True

    def answer(self, request: Request) -> RunResult:
        if self.forget:
            self.engine.cache.clear()
            self.engine.prefixes.clear()
        answer = self.pipeline.run(request)
        boxes = [instance.box for instance in answer.instances]
        return RunResult(answer.text, int(answer.timing["tokens"]), boxes)


class Theirs:
    """transformers: processor, `generate` (greedy, its defaults otherwise) and batch_decode."""

    def __init__(self, folder: Path, dtype: str, pipeline: Pipeline, device: str = "cpu") -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        logging.getLogger("transformers").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module="transformers")
        self.processor = AutoProcessor.from_pretrained(folder)
        model = AutoModelForImageTextToText.from_pretrained(folder, dtype=getattr(torch, dtype))
        self.model = model.to(device).eval()
        self.pipeline = pipeline  # for its wording, its mask decoder and its policy

    @torch.inference_mode()
    def answer(self, request: Request) -> RunResult:
        (image,) = request.images
        assert isinstance(image, Image.Image)
        inputs = self.inputs(image, self.pipeline.family.write_prompt(request))
        made = self.model.generate(**inputs, max_new_tokens=request.max_tokens, do_sample=False)
        new = made[:, inputs["input_ids"].shape[1] :]
        (text,) = self.processor.batch_decode(new, skip_special_tokens=True)
        mentions = parse(text)
        decoder = self.decoder if any(mention.codes for mention in mentions) else None
        found = locate(mentions, image.size, decoder, self.pipeline.policy)
        ends = self.model.generation_config.eos_token_id
        num_ends = sum(
            one in (ends if isinstance(ends, list) else [ends]) for one in new[0].tolist()
        )
        return RunResult(text, new.shape[1] - num_ends, [instance.box for instance in found])

    def inputs(self, image: Image.Image, prompt: str) -> dict[str, Any]:
        is_chat = self.pipeline.family.has_turns
        text = ("<bos>" if is_chat else "<image>") + prompt
        options = {"add_special_tokens": False} if is_chat else {}
        inputs = self.processor(images=image, text=text, return_tensors="pt", **options)
        device = self.model.device
        return {key: value.to(device) for key, value in inputs.items() if key != "labels"}

    @property
    def decoder(self) -> Any:
        """The mask decoder that the pipeline opened, the very same object."""
        return self.pipeline.decoder and self.pipeline.decoder.open()
