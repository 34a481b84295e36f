"""Referring: the reference mIoU, scored to the letter as big_vision's RefCOCO evaluator does.

One answer names one thing: four positions and sixteen codes. N answers, H x W pictures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from postprocess.instances import CodesToMask, Mask, locate
from postprocess.metrics import box_iou, mask_iou
from postprocess.tokens import CODES_PER_MASK, NUM_BINS, NUM_CODES, NUM_POSITIONS, Mention
from postprocess.tokens.lexer import Lexer, PieceKind

_LENGTH = NUM_POSITIONS + CODES_PER_MASK


@dataclass(frozen=True)
class ReferringScore:
    """What one answer is worth. An invalid one has no mask: its mask_iou is 0."""

    box_iou: float
    mask_iou: float
    invalid: bool


@dataclass(frozen=True)
class ReferringTable:
    """The scores of many answers: mIoU, and the share of boxes that overlap enough."""

    miou: float
    box_accuracy50: float
    box_accuracy75: float
    invalid: float


def token_numbers(text: str) -> list[int]:
    """The numbers of an answer's positions and codes; one in the wrong place is out of range."""
    lexer = Lexer()
    pieces = [*lexer.feed(text), *lexer.close()]
    marks = [piece for piece in pieces if piece.kind in (PieceKind.POSITION, PieceKind.CODE)]
    kinds = [PieceKind.POSITION] * NUM_POSITIONS + [PieceKind.CODE] * CODES_PER_MASK
    return [
        mark.number if mark.kind is kind else NUM_BINS
        for mark, kind in zip(marks, kinds, strict=False)
    ]


def score_referring(
    tokens: Sequence[int], box: Sequence[float], mask: Mask, decoder: CodesToMask
) -> ReferringScore:
    """Score an answer, given as the numbers of its tokens, against one thing.

    tokens: 4 positions 0..1023 and 16 codes 0..127; -1 ends them, the rest is ignored.
    box: the true y0, x0, y1, x1 as shares 0..1 of the picture. mask: the true (H, W) mask.
    An answer is invalid when it is too short, out of range, upside down, or its box is empty in
    whole pixels; all but the last leave no box either.
    """
    mention = _mention(tokens)
    if mention is None:
        return ReferringScore(0.0, 0.0, invalid=True)
    y0, x0, y1, x1 = (position / (NUM_BINS - 1) for position in mention.box)
    overlap = box_iou((x0, y0, x1, y1), (box[1], box[0], box[3], box[2]))
    size = (mask.shape[1], mask.shape[0])
    instance = locate([mention], size, decoder, policy="bigvision")[0]
    left, top, right, bottom = instance.pixels
    if right <= left or bottom <= top:
        return ReferringScore(overlap, 0.0, invalid=True)
    assert instance.mask is not None
    return ReferringScore(overlap, mask_iou(instance.mask, mask), invalid=False)


def summarise(scores: Iterable[ReferringScore]) -> ReferringTable:
    """The table of many answers; all zero for none."""
    rows = list(scores)
    if not rows:
        return ReferringTable(0.0, 0.0, 0.0, 0.0)
    return ReferringTable(
        miou=_mean([score.mask_iou for score in rows]),
        box_accuracy50=_mean([score.box_iou >= 0.5 for score in rows]),
        box_accuracy75=_mean([score.box_iou >= 0.75 for score in rows]),
        invalid=_mean([score.invalid for score in rows]),
    )


def _mention(tokens: Sequence[int]) -> Mention | None:
    """The mention that valid tokens make."""
    numbers = [int(token) for token in tokens[:_LENGTH]]
    positions, codes = numbers[:NUM_POSITIONS], numbers[NUM_POSITIONS:]
    are_in_range = (
        len(numbers) == _LENGTH
        and all(0 <= position < NUM_BINS for position in positions)
        and all(0 <= code < NUM_CODES for code in codes)
    )
    if not are_in_range:
        return None
    y0, x0, y1, x1 = positions
    return Mention("", (y0, x0, y1, x1), tuple(codes)) if y0 < y1 and x0 < x1 else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
