"""Judging: the answers to one picture's questions compared with the truth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gemma_vision.evaluate.dataset import Dataset, Mask, Scene, Thing
from gemma_vision.evaluate.questions import Question, QuestionKind
from gemma_vision.evaluate.result import Masked, Result
from postprocess.instances import crop
from postprocess.mask_formats import run_lengths
from postprocess.metrics import mask_iou, match
from postprocess.tokens import folded

if TYPE_CHECKING:
    from gemma_vision.answers.answer import Answer
    from gemma_vision.pipeline import Pipeline
    from postprocess.instances import Instance

NUMBER = re.compile(r"\d+")


def judge(
    pipeline: Pipeline,
    dataset: Dataset,
    scene: Scene,
    answered: Sequence[tuple[Question, Answer]],
    seconds: float,
) -> Result:
    """Compare the answers with the truth. seconds: the picture's share of its batch."""
    answered_by_kind = {
        kind: [pair for pair in answered if pair[0].kind is kind] for kind in QuestionKind
    }
    instances = [
        one for _, answer in answered_by_kind[QuestionKind.FIND] for one in answer.instances
    ]
    absent = [not answer.instances for _, answer in answered_by_kind[QuestionKind.ABSENT]]
    counted = [
        first_number(answer) == asked.count
        for asked, answer in answered_by_kind[QuestionKind.COUNT]
    ]
    outlined = ((asked.thing, answer) for asked, answer in answered_by_kind[QuestionKind.OUTLINE])
    return Result(
        image=scene.id,
        ious=matched_ious(scene.objects, instances),
        found=[row for one in instances for row in coco_result(dataset, scene, one)],
        masked=[judge_mask(pipeline, scene, thing, answer) for thing, answer in outlined if thing],
        is_empty=absent[0] if absent else None,
        counts=(sum(counted), len(counted)),
        seconds=seconds,
    )


def matched_ious(objects: Sequence[Thing], instances: Sequence[Instance]) -> list[float]:
    """For each object the IoU of the box of its name matched to it; 0 where there is none."""
    pairs = match([thing.instance() for thing in objects], instances, same_label=True)
    ious = {i: iou for i, _, iou in pairs}
    return [ious.get(i, 0.0) for i in range(len(objects))]


def judge_mask(pipeline: Pipeline, scene: Scene, thing: Thing, answer: Answer) -> Masked:
    """The first mask under the thing's name against the truth.

    `in_box` compares shapes alone: the decoded 64 x 64 mask with the true mask cropped to the true
    box and resized to 64 x 64.
    """
    truth = thing.mask(scene.size)
    assert truth is not None, "only things with a mask are asked for"
    for mention, instance in zip(answer.mentions, answer.instances, strict=True):
        if folded(instance.label) == folded(thing.name) and instance.mask is not None:
            shape = decoded_shape(pipeline, mention.codes)
            inside = None if shape is None else mask_iou(shape, true_shape(thing, truth))
            runs = run_lengths(instance.mask, instance.pixels)
            return Masked(thing.id, mask_iou(instance.mask, truth), inside, runs)
    return Masked(thing.id, 0.0, None)


def decoded_shape(pipeline: Pipeline, codes: tuple[int, ...]) -> Mask | None:
    """16 codes -> the (64, 64) mask they stand for; None without the decoder."""
    if pipeline.decoder is None:
        return None
    shape: Mask = pipeline.decoder.decode(np.array([codes]), logits=True)[0] > 0
    return shape


def true_shape(thing: Thing, mask: Mask) -> Mask:
    """A thing's mask in its own box, (H, W) -> (64, 64) bool."""
    x0, y0, x1, y1 = (round(edge) for edge in thing.box)
    shape: Mask = crop(mask, (x0, y0, x1, y1)) >= 0.5
    return shape


def first_number(answer: Answer) -> int | None:
    """The first number in an answer's words."""
    found = NUMBER.search(answer.text)
    return int(found[0]) if found else None


def coco_result(dataset: Dataset, scene: Scene, instance: Instance) -> Iterator[dict[str, Any]]:
    """A box as a COCO result; nothing for a label that is no category. No score counts as 1."""
    category = dataset.category_of(instance.label)
    if category is not None:
        x0, y0, x1, y1 = instance.box
        yield {
            "image_id": scene.id,
            "category_id": category,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "score": 1.0 if instance.score is None else instance.score,
        }
