"""Examine: pictures asked their questions, the questions of neighbours decoded together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gemma_vision.evaluate.dataset import Dataset, Scene
from gemma_vision.evaluate.judging import judge
from gemma_vision.evaluate.questions import questions
from gemma_vision.evaluate.result import Result

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline


def examine(
    pipeline: Pipeline, dataset: Dataset, scenes: Sequence[Scene], *, size: int
) -> list[Result]:
    """One Result per picture; up to `size` questions are decoded side by side."""
    began = time.perf_counter()
    asked = [list(questions(pipeline, dataset, scene)) for scene in scenes]
    requests = [question.request for several in asked for question in several]
    answers = iter(pipeline.batch(requests, size=size))
    answered = [[(question, next(answers)) for question in several] for several in asked]
    share = (time.perf_counter() - began) / len(scenes)
    return [
        judge(pipeline, dataset, scene, pairs, share)
        for scene, pairs in zip(scenes, answered, strict=True)
    ]
