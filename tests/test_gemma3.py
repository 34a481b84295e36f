"""Gemma 3 end to end: conversations with pictures and crops, as transformers answers them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import SIDE, make_model, make_tokenizer, save
from transformers import Gemma3Processor, PreTrainedTokenizerFast
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from gemma_vision.engine import Prompt
from gemma_vision.families import GEMMA3
from gemma_vision.local import LocalEngine
from gemma_vision.tasks import Request, Task, Turn

STEPS = 24


def picture(seed: int, size: tuple[int, int]) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(values)


LONG, SQUARE, TALL = picture(1, (800, 300)), picture(2, (60, 60)), picture(3, (280, 900))
REQUESTS = {
    "one picture": Request(SQUARE, Task.caption),
    "cropped": Request(LONG, Task.ask, "what is it?", pan_and_scan=True),
    "two pictures": Request((LONG, TALL), Task.free, "a cat ; a dog", pan_and_scan=True),
    "a conversation": Request(
        TALL,
        Task.chat,
        "and a dog",
        pan_and_scan=True,
        turns=(Turn("user", "what is it", (SQUARE, LONG)), Turn("model", "a cat")),
    ),
}


@pytest.fixture(scope="module")
def theirs():
    return make_model("gemma3")


@pytest.fixture(scope="module")
def engine(theirs, tmp_path_factory) -> LocalEngine:
    engine = LocalEngine.load(save(theirs, tmp_path_factory.mktemp("gemma3")), "cpu")
    engine._stop_ids = frozenset()
    return engine


def make_processor(folder: Path) -> Gemma3Processor:
    make_tokenizer("gemma3").save(str(folder / "tokenizer.json"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        padding_side="left",
        extra_special_tokens={
            "image_token": "<image_soft_token>",
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
        },
    )
    images = Gemma3ImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return Gemma3Processor(images, tokenizer, image_seq_length=4)


def to_prompt(request: Request) -> Prompt:
    images = tuple(image for image in request.images if isinstance(image, Image.Image))
    text = GEMMA3.write_prompt(request)
    return Prompt(images, text, STEPS, pan_and_scan=request.pan_and_scan)


@torch.no_grad()
def ask_theirs(theirs, processor: Gemma3Processor, prompts: list[Prompt]) -> list[list[int]]:
    inputs = processor(
        images=[list(prompt.images) for prompt in prompts],
        text=["<bos>" + prompt.text for prompt in prompts],
        padding=True,
        add_special_tokens=False,
        do_pan_and_scan=prompts[0].pan_and_scan,
        return_tensors="pt",
    )
    made = theirs.generate(**inputs, do_sample=False, max_new_tokens=STEPS, eos_token_id=None)
    return made[:, inputs["input_ids"].shape[1] :].tolist()


def ask_ours(engine: LocalEngine, prompts: list[Prompt]) -> list[list[int]]:
    answers: list[list[int]] = [[] for _ in prompts]
    for chunks in engine.stream(prompts):
        for answer, chunk in zip(answers, chunks, strict=True):
            answer.extend(chunk.token_ids if chunk else ())
    return answers


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_from_picture_to_tokens_as_transformers_does(theirs, engine, request_, tmp_path) -> None:
    prompts = [to_prompt(request_)]
    expected = ask_theirs(theirs, make_processor(tmp_path), prompts)
    assert ask_ours(engine, prompts) == expected


def test_a_padded_batch_with_crops_as_transformers_does(theirs, engine, tmp_path: Path) -> None:
    prompts = [to_prompt(request) for request in REQUESTS.values() if request.pan_and_scan]
    expected = ask_theirs(theirs, make_processor(tmp_path), prompts)
    assert ask_ours(engine, prompts) == expected


def test_crops_are_looked_at_and_kept_like_pictures(engine: LocalEngine) -> None:
    engine.cache.clear()
    before = engine.cache.misses
    ask_ours(engine, [to_prompt(REQUESTS["cropped"])])
    assert engine.cache.misses - before == 4  # 800 x 300 and three crops
    ask_ours(engine, [to_prompt(REQUESTS["cropped"])])
    assert engine.cache.misses - before == 4


def test_crops_are_off_unless_asked_for(engine: LocalEngine) -> None:
    engine.cache.clear()
    before = engine.cache.misses
    ask_ours(engine, [Prompt((LONG,), GEMMA3.write_prompt(REQUESTS["one picture"]), 1)])
    assert engine.cache.misses - before == 1


def test_the_end_of_a_turn_ends_the_answer(theirs, tmp_path: Path) -> None:
    engine = LocalEngine.load(save(theirs, tmp_path), "cpu")
    tokenizer = engine.checkpoint.tokenizer
    stops = {tokenizer.token_to_id(mark) for mark in ("<eos>", "<end_of_turn>")}
    assert stops <= set(engine._stop_ids)
