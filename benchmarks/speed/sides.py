"""Sides: what ours and transformers do in each row of the speed benchmark, over one checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks.rivals import Theirs
from benchmarks.speed.scripted import ScriptedBatch, ScriptedLogits
from gemma_vision.images.resizing import to_pixels
from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.loading import load
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import Grammar, spell
from gemma_vision.runtime.local_engine import LocalEngine

SEED = 11
NUM_OBJECTS, NUM_PROMPTS, NUM_STREAMS, FREE_TOKENS = 5, 8, 16, 32
SIZE = (1024, 768)  # a picture of the web
Work = Callable[[], Any]


class Comparison(NamedTuple):
    """A row: what both sides do, and how both results are told to be the same."""

    name: str
    ours: Work
    theirs: Work
    tokens: int


def noise(size: tuple[int, int]) -> Image.Image:
    """A picture of this (width, height)."""
    pixels = np.random.default_rng(SEED).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


class Bench:
    """Both sides over one checkpoint."""

    def __init__(self, folder: Path, dtype: str, device: str = "cpu") -> None:
        self.pipeline: Pipeline = load(folder, device, dtype)
        assert isinstance(self.pipeline.engine, LocalEngine)
        self.engine: LocalEngine = self.pipeline.engine
        if device != "cpu":
            self.engine = LocalEngine(self.engine.checkpoint, replays=True)
            self.pipeline.engine = self.engine
        self.engine._stop_ids = frozenset()  # answers are as long as they are asked to be
        self.theirs = Theirs(folder, dtype, self.pipeline, device)
        self.image = noise(SIZE)
        self.num_forwards = 0
        step = self.engine.checkpoint.model.step_rows

        def counted(*given: Any) -> Any:
            self.num_forwards += 1
            return step(*given)

        self.engine.checkpoint.model.step_rows = counted  # type: ignore[assignment,method-assign]

    def pairs(self) -> Iterator[Comparison]:
        """The rows that have a rival."""
        yield self._encoding()
        yield self._generation("ttft.cached", "detect cat", 1)
        yield self._generation("decode.free", "caption en", FREE_TOKENS)
        for task in ("detect", "segment"):
            for mode in ("strict", "exact"):
                yield self._records(task, is_verified=mode == "exact")
        yield self._prompts()

    def _encoding(self) -> Comparison:
        model, theirs = self.engine.checkpoint.model, self.theirs.model
        side, kind = model.config.square.image_size, model.architecture.resize_filter
        pixels = torch.from_numpy(to_pixels(self.image, side, kind))[None]
        pixels = pixels.to(theirs.device, theirs.dtype)

        @torch.inference_mode()
        def ours() -> Any:
            return (self.engine._prefiller.image_encoder.recorded or model.encode)(pixels)

        @torch.inference_mode()
        def rival() -> Any:
            return theirs.get_image_features(pixels)

        return Comparison("vision.encode", ours, rival, 0)

    def _generation(self, name: str, text: str, count: int) -> Comparison:
        """So many tokens; what they take beyond the first, where there are several."""
        prompt = Prompt((self.image,), text, count)
        return Comparison(
            name, lambda: self.follow([prompt]), lambda: self.generate([text], count), count
        )

    def _records(self, task: str, *, is_verified: bool) -> Comparison:
        script = self.script(has_masks=task == "segment")
        grammar = Grammar(("cat",), task == "segment")
        prompt = Prompt((self.image,), f"{task} cat", 400, 0.0, 0, grammar, is_verified)

        def ours() -> list[list[int]]:
            self.engine.cache.clear()
            with_script = self.scripted(script)
            try:
                return self.follow([prompt])
            finally:
                self.engine._scheduler.batch = with_script

        name = f"{task}.{NUM_OBJECTS} {'exact' if is_verified else 'strict'}"
        return Comparison(
            name, ours, lambda: self.generate([prompt.text], 400, script), len(script)
        )

    def _prompts(self) -> Comparison:
        texts = [f"detect {word}" for word in ("cat", "dog", "car", "ball", "is", "it", "en", "a")]
        prompts = [Prompt((self.image,), text, 8) for text in texts[:NUM_PROMPTS]]

        def ours() -> list[list[int]]:
            self.engine.cache.clear()
            return self.follow(prompts)

        def rival() -> list[list[int]]:
            return [ids for text in texts for ids in self.generate([text], 8)]

        return Comparison(f"multi.{NUM_PROMPTS}", ours, rival, 8 * len(texts))

    def streams(self) -> Comparison:
        """Sixteen streams at once against one after the other, ours both."""
        prompts = [Prompt((self.image,), f"caption {w}", 24) for w in "abcdefghijklmnop"]
        assert len(prompts) == NUM_STREAMS

        def at_once() -> list[list[int]]:
            return self.follow(prompts)

        def in_turn() -> list[list[int]]:
            return [ids for prompt in prompts for ids in self.follow([prompt])]

        return Comparison("engine.rps", at_once, in_turn, 24 * NUM_STREAMS)

    def follow(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """The tokens of each prompt's answer."""
        answers: list[list[int]] = [[] for _ in prompts]
        for chunks in self.engine.stream(prompts):
            for answer, chunk in zip(answers, chunks, strict=True):
                answer += chunk.token_ids if chunk else ()
        return answers

    @torch.inference_mode()
    def generate(
        self, texts: Sequence[str], count: int, script: Sequence[int] = (), **options: Any
    ) -> list[list[int]]:
        """The same of transformers: processor and `generate`, greedy, with options of its own."""
        (text,) = texts
        inputs = self.theirs.inputs(self.image, text)
        num_prompt = inputs["input_ids"].shape[1]
        more: dict[str, Any] = {"eos_token_id": None}
        if script:
            forced = ScriptedLogits(script, self.end, num_prompt)
            more = {"logits_processor": [forced], "eos_token_id": self.end}
        more |= {"max_new_tokens": count, "do_sample": False}
        made = self.theirs.model.generate(**inputs, **more, **options)
        new: list[int] = made[0, num_prompt:].tolist()
        return [new[: len(script)] if script else new]

    @property
    def end(self) -> int:
        """The token that ends an answer."""
        return self.engine.checkpoint.tokenizer.token_to_id("<eos>") or 1

    def script(self, *, has_masks: bool, count: int = NUM_OBJECTS) -> list[int]:
        """So many records of a cat."""
        rng = np.random.default_rng(SEED)
        records = []
        for _ in range(count):
            low, high = rng.integers(0, 500, 2), rng.integers(500, 1000, 2)
            text = "".join(f"<loc{number:04d}>" for number in (*low, *high))
            if has_masks:
                text += " " + "".join(f"<seg{code:03d}>" for code in rng.integers(0, 128, 16))
            records.append(f"{text} cat")
        return spell(self.engine.checkpoint.tokenizer, " ; ".join(records))

    def scripted(self, script: Sequence[int]) -> Any:
        """Let the engine say the script; the batch that it had."""
        scheduler = self.engine._scheduler
        plain = scheduler.batch
        batch = ScriptedBatch(
            plain.model, plain.tokenizer, {self.end}, plain.token_texts, replayer=plain.replayer
        )
        batch.script, batch.end = script, self.end
        scheduler.batch = batch
        return plain
