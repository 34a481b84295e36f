"""Trace: one image followed through the tensors of a checkpoint, stage by stage.

Knows nothing of how stages are drawn. T positions, W decoder width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from gemma_vision.inside.answer_trace import Step, decode, found, masks
from gemma_vision.inside.stage import Array, Stage, to_array
from gemma_vision.inside.tower_trace import encode, grid_of, run_tower, sights
from gemma_vision.model.attention import prefill_mask
from gemma_vision.model.config import FULL, SLIDING
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.image_encoder import EncoderInput
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
    first, *others = (view for views in engine.views(prompt) for view in views)
    yield from crops(engine.checkpoint, prompt)
    yield shown(model, first)
    seen = run_tower(model, first)
    yield from sights(model, first, seen)
    ids = engine.ids(prompt)
    embeds = merge(model, ids, [seen.soft, *(encode(model, view) for view in others)])
    yield merged(engine, ids, embeds, 0)
    steps: list[Step] = []
    for step in decode(engine, prompt):
        steps.append(step)
        yield Stage("tokens", (len(steps),), {}, {"steps": tuple(steps)})
    yield merged(engine, ids, embeds, len(steps))
    yield from masks(found(steps, prompt.images[0].size, filters), decoder)


def shown(model: VisionLanguageModel, view: EncoderInput) -> Stage:
    """The picture as the model is given it; patches put together again, (3, height, width).

    "low" is what black is, white is 1.
    """
    grid = grid_of(model, view)
    if view.grid is None:
        return Stage("pixels", view.pixels.shape, {"pixels": view.pixels}, grid | {"low": -1})
    patch = grid["patch"]
    tiles = view.pixels.reshape(grid["rows"], grid["columns"], patch, patch, 3)
    whole = tiles.transpose(4, 0, 2, 1, 3).reshape(3, grid["rows"] * patch, -1)
    return Stage("pixels", view.pixels.shape, {"pixels": whole}, grid | {"low": 0})


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
    masks = attention_masks(model, is_image, is_prompt)
    pieces = [None if one == image else tokenizer.id_to_token(one) or str(one) for one in ids]
    facts = {"pieces": pieces, "told": num_told, "images": pieces.count(None)}
    facts |= count_layers(model)
    return Stage("merged", embeds.shape, {"embeds": embeds, **masks}, facts)


def attention_masks(
    model: VisionLanguageModel, is_image: Tensor, is_prompt: Tensor
) -> dict[str, Array]:
    """Who may look at whom, (T, T) bool: in layers that see everything, "mask", and, where these
    differ, in those that look through a window, "window".
    """
    line, text = model.architecture, model.config.text
    is_real = torch.ones_like(is_prompt)

    def allowed(kind: str, window: int | None) -> Array:
        groups = line.groups[kind](is_image, is_prompt)
        cuts = line.window_cuts_groups
        mask = prefill_mask(groups, is_real, window=window, window_cuts_groups=cuts)
        seen: Array = mask[0, 0].numpy()
        return seen

    masks = {"mask": allowed(FULL, None)}
    if line.groups[FULL] is not line.groups[SLIDING]:
        masks["window"] = allowed(SLIDING, text.window)
    return masks


def count_layers(model: VisionLanguageModel) -> dict[str, int]:
    """How many layers see everything, and how many look through a window."""
    types = model.config.text.layer_types
    return {"full": types.count(FULL), "sliding": types.count(SLIDING)}
