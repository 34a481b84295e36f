"""Answer trace: an answer's tokens beside what they could have been, and its masks. K masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gemma_vision.answers.answer_reader import StreamingReader
from gemma_vision.checkpoints.lazy_mask_decoder import lazy_decoder
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.inside.stage import Array, Stage, to_array
from gemma_vision.runtime.decode import DecodeBatch
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.runtime.sampling import Positions
from postprocess.filters import Filters
from postprocess.instances import CodesToMask
from postprocess.tokens import NUM_BINS, Mention

NUM_RIVALS = 3  # tokens that were likeliest, told beside the chosen one


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


def decode(engine: LocalEngine, prompt: Prompt) -> Iterator[Step]:
    """The answer's tokens as the engine picks them, each with the logits it was picked from."""
    batch, row = engine.watch(prompt)
    while True:
        while row.outbox:
            chunk = row.outbox.popleft()
            for token, score in zip(chunk.token_ids, chunk.scores, strict=True):
                yield weigh(batch, token, score)
        if row.finish:
            return
        batch.advance()


@torch.inference_mode()
def weigh(batch: DecodeBatch, token: int, score: float) -> Step:
    """A token beside those that it was picked from."""
    assert batch.logits is not None, "a token was picked"
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


def found(steps: Sequence[Step], size: tuple[int, int], filters: Filters) -> list[Mention]:
    """What the answer mentions, as the filters leave it; size: (width, height) in pixels."""
    reader = StreamingReader(size)
    for step in steps:
        reader.feed(Chunk(step.text, (step.id,), (step.score,)))
    reader.close()
    return filters.apply(reader.mentions, reader.instances, size).mentions


def masks(found: Sequence[Mention], decoder: CodesToMask | str | None) -> Iterator[Stage]:
    """The mask codes of the answer and what the mask decoder makes of them; nothing without."""
    mentions = [mention for mention in found if mention.codes]
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
