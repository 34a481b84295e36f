"""The order of the names in a prompt: any in training, and none that the checkpoint depends on."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.compositor import ComposedScene, compose
from gemma_vision.synthetic.poses import sample_scene
from gemma_vision.synthetic.prompts import TargetObject, detect, segment
from postprocess.metrics import box_iou

NAMES = ("cat", "dog", "car", "apple", "banana", "bicycle")
THERE = [
    TargetObject("dog", (0.1, 0.5, 0.4, 0.9), tuple(range(16))),
    TargetObject("car", (0.5, 0.1, 0.8, 0.3), tuple(range(16))),
]
SEED, COUNT = 900_702, 100


@pytest.mark.parametrize("task", [detect, segment])
def test_a_name_of_nothing_comes_as_often_first_as_last(task) -> None:
    rng = np.random.default_rng(5)
    firsts = lasts = 0
    for _ in range(6000):
        prompt, answer = task(rng, THERE, NAMES)
        asked = prompt.split(" ", 1)[1].split(" ; ")
        present = [name in ("dog", "car") for name in asked]
        assert len(set(asked)) == len(asked)
        if True in present and False in present:
            firsts += not present[0]
            lasts += not present[-1]
            said = re.findall(r"> (\w+)", answer)
            assert said == [name for name in asked if name in ("dog", "car")]
    assert firsts > 300 and 0.85 < firsts / lasts < 1.18


def recall(answers: list[list], pictures: list[ComposedScene]) -> float:
    """The share of things that are found, half of their box or more."""
    names = load_atlas().names
    hits = [
        any(
            one.label == names[thing.name] and box_iou(one.box, thing.box) >= 0.5
            for one in instances
        )
        for instances, picture in zip(answers, pictures, strict=True)
        for thing in picture.things
    ]
    return sum(hits) / len(hits)


@pytest.mark.slow
def test_what_is_there_is_found_wherever_its_name_stands() -> None:
    import gemma_vision

    pipeline, rng = gemma_vision.load("tiny", device="cpu"), np.random.default_rng(SEED)
    known = list(load_atlas().names[:16])
    pictures = [compose(sample_scene(rng)) for _ in range(COUNT)]
    found: dict[str, list[list]] = {"first": [], "last": [], "any": []}
    for picture in pictures:
        there = list(dict.fromkeys(known[thing.name] for thing in picture.things))
        absent = list(rng.choice([name for name in known if name not in there], 2, replace=False))
        asked = {"first": there + absent, "last": absent + there}
        asked["any"] = list(rng.permutation(there + absent))
        image = Image.fromarray(picture.pixels)
        for order, words in asked.items():
            found[order].append(pipeline.detect(image, words, drop_unasked=False).instances)
    shares = {order: recall(answers, pictures) for order, answers in found.items()}
    assert shares["last"] >= 0.65 and shares["any"] >= 0.7, shares
    assert shares["first"] - shares["last"] <= 0.2, shares
