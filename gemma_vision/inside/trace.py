"""Trace: one image followed through the tensors of a checkpoint, stage by stage.

Knows nothing of how stages are drawn. T positions, W decoder width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

from gemma_vision.images.resizing import to_pixels
from gemma_vision.inside.answer_trace import Step, decode, found, masks
from gemma_vision.inside.stage import Array, Stage, to_array
from gemma_vision.inside.tower_trace import encode, grid_of, run_tower, sights
from gemma_vision.model.attention import prefill_mask
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.weights.checkpoint import Checkpoint
from postprocess.filters import Filters
from postprocess.instances import CodesToMask


def trace(
    engine: LocalEngine,
    prompt: Prompt,
    decoder: CodesToMask | str | None = None,
    filters: Filters = Filters(),  # noqa: B008  it is frozen
) -> Iterator[Stage]:
    """The stages of one prompt, each as soon as it is computed, by the engine's own model.

    Of several pictures the first is followed. filters leave out masks of the last stage as they
    leave things out of an answer. Closing the iterator ends the work.
    """
    model = engine.checkpoint.model
    seen_as = squeeze(engine.checkpoint, prompt)
    yield from crops(engine.checkpoint, prompt)
    yield Stage("pixels", seen_as[0].shape, {"pixels": seen_as[0]}, grid_of(model))
    seen = run_tower(model, seen_as[0])
    yield from sights(model, seen)
    ids = engine.ids(prompt)
    embeds = merge(model, ids, [seen.soft, *(encode(model, view) for view in seen_as[1:])])
    yield merged(engine, ids, embeds, 0)
    steps: list[Step] = []
    for step in decode(engine, prompt):
        steps.append(step)
        yield Stage("tokens", (len(steps),), {}, {"steps": tuple(steps)})
    yield merged(engine, ids, embeds, len(steps))
    yield from masks(found(steps, prompt.images[0].size, filters), decoder)


def squeeze(checkpoint: Checkpoint, prompt: Prompt) -> list[Array]:
    """What the model sees of all pictures, each followed by its crops.   -> (3, S, S) each"""
    side, has_crops = checkpoint.config.vision.image_size, checkpoint.family.has_pan_and_scan
    resize_filter = checkpoint.model.architecture.resize_filter
    shown: list[Image] = []
    for image, boxes in zip(prompt.images, prompt.crops, strict=True):
        shown += [image, *(image.crop(box) for box in boxes if has_crops)]
    return [to_pixels(one, side, resize_filter) for one in shown]


def crops(checkpoint: Checkpoint, prompt: Prompt) -> Iterator[Stage]:
    """Where the first picture is cropped, if it is."""
    boxes = list(prompt.crops[0])
    if boxes and checkpoint.family.has_pan_and_scan:
        image = np.asarray(prompt.images[0])
        yield Stage("crops", (len(boxes), 4), {"image": image}, {"boxes": boxes})


@torch.inference_mode()
def merge(model: VisionLanguageModel, ids: Sequence[int], soft: Sequence[Tensor]) -> Array:
    """Soft tokens and words as one sequence, as the decoder reads it.   -> (T, W)"""
    row = torch.tensor([ids], device=model.device)
    return to_array(model.merge(row, [torch.cat(list(soft))])[0])


def merged(engine: LocalEngine, ids: Sequence[int], embeds: Array, num_told: int) -> Stage:
    """The sequence, and who may look at whom once `num_told` tokens of the answer are there."""
    model, tokenizer = engine.checkpoint.model, engine.checkpoint.tokenizer
    image = model.config.image_token_id
    is_image = torch.tensor([[*(one == image for one in ids), *[False] * num_told]])
    is_prompt = (torch.arange(is_image.shape[1]) < len(ids))[None]
    groups = model.architecture.groups(is_image, is_prompt)
    allowed = prefill_mask(groups, torch.ones_like(is_prompt))[0, 0].numpy()
    pieces = [None if one == image else tokenizer.id_to_token(one) or str(one) for one in ids]
    facts = {"pieces": pieces, "told": num_told, "images": pieces.count(None)}
    return Stage("merged", embeds.shape, {"embeds": embeds, "mask": allowed}, facts)
