"""Inside: one picture followed through the tensors of a checkpoint, stage by stage.

Knows nothing of how they are drawn. S side of the model's square picture, G patches on a side,
N patches (G * G), D tower width, M soft tokens, W decoder width, T positions, K masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from gemma_vision.checkpoints.lazy_mask_decoder import lazy_decoder
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.images.resizing import to_pixels
from gemma_vision.model.attention import prefill_mask
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.runtime.decode import DecodeBatch
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.runtime.sampling import Positions
from gemma_vision.weights.checkpoint import Checkpoint
from postprocess.instances import CodesToMask
from postprocess.tokens import NUM_BINS, parse

MAX_LAYERS = 6  # blocks of the tower that are looked at, the first and the last among them
NUM_RIVALS = 3  # tokens that were likeliest, told beside the chosen one

Array = NDArray[Any]


@dataclass(frozen=True)
class Stage:
    """A stop on the way: the shape of the tensor there, what it holds, and facts about it.

    In their order: "crops" (with pan-and-scan only), "pixels", "patches", "features", "soft",
    "merged", "tokens", "masks". "merged" and "tokens" come again while the answer grows.
    """

    name: str
    shape: tuple[int, ...]
    arrays: Mapping[str, Array] = field(default_factory=dict, repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Step:
    """One token of the answer and what else it could have been.

    `probability` is its own, `score` counts a position with its ten neighbours on either side,
    `rivals` are the likeliest tokens. `positions` (1024,) is the distribution over the positions
    where the token is one.
    """

    id: int
    text: str
    probability: float
    score: float
    rivals: tuple[tuple[str, float], ...]
    positions: Array | None = field(default=None, repr=False)


def trace(
    engine: LocalEngine, prompt: Prompt, decoder: CodesToMask | str | None = None
) -> Iterator[Stage]:
    """The stages of one prompt, each as soon as it is computed, by the engine's own model.

    Of several pictures the first is followed. Closing the iterator ends the work.
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
    yield from masks("".join(step.text for step in steps), decoder)


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


def grid_of(model: VisionLanguageModel) -> dict[str, int]:
    """How the picture is cut into patches."""
    vision = model.config.vision
    return {"grid": vision.image_size // vision.patch_size, "patch": vision.patch_size}


@dataclass(frozen=True)
class TowerTrace:
    """What the tower and the projector made of one picture."""

    embedded: Tensor  # (N, D)
    layers: Mapping[int, Tensor]  # after which block: (N, D)
    features: Tensor  # (N, D)
    soft: Tensor  # (M, W)


def sights(model: VisionLanguageModel, seen: TowerTrace) -> Iterator[Stage]:
    """From the patches to the soft tokens."""
    grid, count = grid_of(model), len(model.vision.encoder.layers)
    yield Stage("patches", tuple(seen.embedded.shape), colours(patches=seen.embedded), grid)
    depths = {f"layer {depth}": one for depth, one in seen.layers.items()}
    features = colours(**depths, features=seen.features)
    yield Stage("features", tuple(seen.features.shape), features, grid | {"layers": count})
    side = {"grid": round(len(seen.soft) ** 0.5)}
    yield Stage("soft", tuple(seen.soft.shape), colours(soft=seen.soft), side)


def colours(**tensors: Tensor) -> dict[str, Array]:
    """Their three principal components each."""
    return {name: principal(to_array(tensor)) for name, tensor in tensors.items()}


@torch.inference_mode()
def run_tower(model: VisionLanguageModel, pixels: Array) -> TowerTrace:
    """Through the tower one block at a time.   (3, S, S) -> what it becomes"""
    tower, count = model.vision, len(model.vision.encoder.layers)
    kept = {round(depth) for depth in np.linspace(1, count, min(MAX_LAYERS, count))}
    x = embedded = tower.embeddings(torch.from_numpy(pixels)[None].to(model.device))
    layers = {}
    for depth, block in enumerate(tower.encoder.layers, 1):
        x = block(x)
        if depth in kept:
            layers[depth] = x[0]
    features = tower.post_layernorm(x)
    return TowerTrace(embedded[0], layers, features[0], model.projector(features)[0])


@torch.inference_mode()
def encode(model: VisionLanguageModel, pixels: Array) -> Tensor:
    """The soft tokens of a further picture.   (3, S, S) -> (M, W)"""
    return model.encode(torch.from_numpy(pixels)[None].to(model.device))[0]


@torch.inference_mode()
def merge(model: VisionLanguageModel, ids: Sequence[int], soft: Sequence[Tensor]) -> Array:
    """Soft tokens and words as one sequence, as the decoder reads it.   -> (T, W)"""
    row = torch.tensor([ids], device=model.device)
    return to_array(model.merge(row, [torch.stack(list(soft))])[0])


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


def decode(engine: LocalEngine, prompt: Prompt) -> Iterator[Step]:
    """The answer's tokens as the engine picks them, each with the logits it was picked from."""
    batch = engine.begin([prompt])
    while batch.is_running:
        (chunk,) = batch.advance()
        assert chunk is not None, "the only row of a running batch has news"
        for token, score in zip(chunk.token_ids, chunk.scores, strict=True):
            yield weigh(batch, token, score)


@torch.inference_mode()
def weigh(batch: DecodeBatch, token: int, score: float) -> Step:
    """A token beside those that it was picked from."""
    logits = batch.logits[0].float()
    chances = logits.softmax(-1)
    best = chances.topk(min(NUM_RIVALS, len(chances)))
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    rivals = tuple((spell(batch, one), chance) for one, chance in pairs)
    own = float(chances[token])
    return Step(token, spell(batch, token), own, score, rivals, bins(logits, batch, token))


def bins(logits: Tensor, batch: DecodeBatch, token: int) -> Array | None:
    """The softmax over the 1024 positions where the token is one of them.   (V,) -> (1024,)"""
    places: Positions | None = batch.positions
    if places is None or token not in places:
        return None
    return to_array(logits[places.first : places.first + NUM_BINS].softmax(-1))


def spell(batch: DecodeBatch, token: int) -> str:
    """A token as it stands in a text."""
    name = batch.tokenizer.id_to_token(token)
    return "" if name is None else name.replace("\u2581", " ")


def masks(text: str, decoder: CodesToMask | str | None) -> Iterator[Stage]:
    """The mask codes of the answer and what the mask decoder makes of them; nothing without."""
    mentions = [mention for mention in parse(text) if mention.codes]
    ready = opened(decoder) if mentions else None  # nothing is fetched for an answer without codes
    if ready is None:
        return
    codes = np.array([mention.codes for mention in mentions])
    chances = ready.decode(codes)
    boxes = [mention.box for mention in mentions]
    facts = {"labels": [mention.label for mention in mentions], "boxes": boxes}
    yield Stage("masks", chances.shape, {"codes": codes, "masks": chances}, facts)


def opened(decoder: CodesToMask | str | None) -> CodesToMask | None:
    """The decoder, None where it cannot be had: the stages before are shown all the same."""
    try:
        lazy = lazy_decoder(decoder)
        return lazy and lazy.open()
    except DecoderError:
        return None


def principal(features: Array) -> Array:
    """The three directions in which features differ most, as colours.   (N, D) -> (N, 3) in 0..1

    Each is spread over its middle 98 %; its sign is such that the largest weight is positive.
    """
    centred = features - features.mean(0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    top = directions[:, : -min(3, directions.shape[1]) - 1 : -1]
    peaks = np.take_along_axis(top, np.abs(top).argmax(0)[None], 0)
    shown = centred @ (top * np.sign(peaks))
    low, high = np.percentile(shown, (1, 99), axis=0)
    spread: Array = ((shown - low) / np.maximum(high - low, 1e-12)).clip(0, 1)
    return spread


def to_array(tensor: Tensor) -> Array:
    """Float32 numbers on the CPU."""
    array: Array = tensor.float().cpu().numpy()
    return array
