"""The embedded checkpoint is an ordinary PaliGemma: transformers reads it and says the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.local_engine import LocalEngine

FOLDER = CHECKPOINTS / "tiny"
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # of transformers' processor
]


def scenes(count: int) -> list[Image.Image]:
    from gemma_vision.synthetic.compositor import compose
    from gemma_vision.synthetic.poses import sample_scene

    rng = np.random.default_rng(900_002)  # a seed for evaluation: training never saw these
    return [Image.fromarray(compose(sample_scene(rng)).pixels) for _ in range(count)]


@pytest.fixture(scope="module")
def theirs():
    from transformers import AutoProcessor, PaliGemmaForConditionalGeneration

    model, info = PaliGemmaForConditionalGeneration.from_pretrained(
        FOLDER, dtype=torch.float32, output_loading_info=True
    )
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    return model.eval(), AutoProcessor.from_pretrained(FOLDER)


def compare(theirs, count: int, task: str) -> None:
    model, processor = theirs
    names = "cat ; dog ; tree" if task == "detect" else "cat"
    engine = LocalEngine.load("tiny", "cpu")
    for image in scenes(count):
        inputs = processor(images=image, text=f"<image>{task} {names}", return_tensors="pt")
        inputs.pop("labels")
        made = model.generate(**inputs, do_sample=False, max_new_tokens=64)
        expected = made[0, inputs["input_ids"].shape[1] :].tolist()
        prompt = Prompt((image,), f"{task} {names}", max_tokens=64)
        chunks = [chunk for (chunk,) in engine.stream([prompt]) if chunk]
        ids = [token for chunk in chunks for token in chunk.token_ids]
        assert ids == [
            token for token in expected if token != model.config.text_config.eos_token_id
        ]
        text = "".join(chunk.text for chunk in chunks)
        assert text == processor.decode(expected, skip_special_tokens=True)
        assert chunks[-1].finish == ("stop" if expected[-1] == 1 else "length")


@pytest.mark.parametrize("task", ["detect", "segment"])
def test_transformers_gives_the_same_tokens(theirs, task: str) -> None:
    compare(theirs, 2, task)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["detect", "segment"])
def test_transformers_gives_the_same_tokens_on_20_pictures(theirs, task: str) -> None:
    compare(theirs, 20, task)
