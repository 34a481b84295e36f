"""Parse an answer: an answer that was written elsewhere, read without a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gemma_vision.answers.answer import JSON, instance_json, to_json
from gemma_vision.answers.answer_reader import StreamingReader
from gemma_vision.images import opening
from gemma_vision.requests.validation import (
    TaskError,
    check_range,
    check_string,
    check_truth,
    is_whole,
    shown,
)
from gemma_vision.runtime.engine import Chunk
from postprocess.coordinate_conventions import find_convention
from postprocess.filters import Filtered, Filters
from postprocess.instances import Instance, locate
from postprocess.tokens import Mention, Notice

MAX_ANSWER = 200_000  # characters; 4096 tokens are about 40,000
# Pixels of all masks of one answer. A mask takes a byte for each pixel of the picture, so that
# this is half a gigabyte: six masks of the largest picture, 40 of a 12 megapixel photograph.
MAX_MASK_PIXELS = 500_000_000


@dataclass(frozen=True)
class Pasted:
    """What a text says: mentions and instances one for one, what was odd, the words outside."""

    text: str
    size: tuple[int, int]
    policy: str
    mentions: list[Mention]
    instances: list[Instance]
    notices: list[Notice]
    plain: str

    def to_dict(self) -> JSON:
        """The JSON of an answer; nobody was asked, so model, task and prompt are None."""
        return pasted_json(self, map(instance_json, self.instances))


def read(
    text: str,
    size: tuple[int, int],
    *,
    mask_decoder: str = "none",
    policy: str | None = None,
    drop_repeats: bool = False,
    max_overlap: float | None = None,
    drop_full_frame: bool = False,
) -> JSON:
    """The JSON of an answer's text on a picture of `size` = (width, height) pixels.

    mask_decoder: "published" for codes of Google's checkpoints, "embedded" for those of the
    embedded one, the path of a file, or "none" for boxes only. policy: how units become pixels,
    "space" or "bigvision"; None takes what the decoder's checkpoint was trained for. The last three
    tidy the answer as those of `Request` do. One mask is held at a time.
    """
    check_truth("drop_repeats", drop_repeats)
    check_truth("drop_full_frame", drop_full_frame)
    if max_overlap is not None:
        check_range("max_overlap", max_overlap, 0.0, 1.0)
    filters = Filters(
        drop_repeats=drop_repeats, max_overlap=max_overlap, drop_full_frame=drop_full_frame
    )
    reading, filtered = understand(text, size, mask_decoder, policy, filters)
    shapes = [instance_json(instance) for instance in reading.draw(filtered.mentions)]
    return pasted_json(pasted(reading, filtered), shapes)


def paste(
    text: str,
    size: tuple[int, int],
    *,
    mask_decoder: str = "none",
    policy: str | None = None,
    filters: Filters = Filters(),  # noqa: B008  it is frozen
) -> Pasted:
    """As `read`, as objects."""
    reading, filtered = understand(text, size, mask_decoder, policy, filters)
    instances = list(reading.draw(filtered.mentions))
    return pasted(reading, filtered, instances)


def understand(
    text: str, size: tuple[int, int], mask_decoder: str, policy: str | None, filters: Filters
) -> tuple[StreamingReader, Filtered]:
    """What the text says and what is left of it, with no mask drawn yet: that they fit is checked.

    Raises TaskError, ImageError for a size that no picture has, ConventionError for the policy.
    """
    size = as_size(size)
    check_string(text)
    if len(text) > MAX_ANSWER:
        message = f"The answer has {len(text)} characters; the limit is {MAX_ANSWER}. Shorten it."
        raise TaskError(message, "E_TEXT_TOO_LONG")
    policy = policy or ("bigvision" if mask_decoder == "embedded" else "space")
    find_convention(policy)  # an unknown one ends here, in words
    reading = StreamingReader(size, None if mask_decoder == "none" else mask_decoder, policy)
    reading.feed(Chunk(text))
    reading.close()
    boxes = locate(reading.mentions, size, policy=policy)
    filtered = filters.apply(reading.mentions, boxes, size)
    if mask_decoder != "none":
        check_masks(filtered.mentions, size)
    return reading, filtered


def pasted(
    reading: StreamingReader, filtered: Filtered, instances: Sequence[Instance] = ()
) -> Pasted:
    """What was understood, with the instances that were drawn of it."""
    return Pasted(
        reading.text,
        reading.size,
        reading.policy,
        filtered.mentions,
        list(instances),
        [*reading.notices, *filtered.notices],
        reading.plain,
    )


def pasted_json(whole: Pasted, shapes: Iterable[JSON]) -> JSON:
    """The JSON of what was pasted; `shapes` are the entries of "instances"."""
    answer = to_json(
        size=whole.size,
        text=whole.text,
        plain=whole.plain,
        instances=list(shapes),
        warnings=whole.notices,
        policy=whole.policy,
        finish="stop",
        timing={},
    )
    return {"model": None, "task": None, "prompt": None} | answer


def as_size(size: Iterable[int]) -> tuple[int, int]:
    """Two whole numbers of pixels that a picture can have."""
    sides = tuple(size) if isinstance(size, Iterable) else ()
    if len(sides) != 2 or not all(map(is_whole, sides)):
        message = f"{shown(size)} is no size; give width and height in whole pixels."
        raise TaskError(message, "E_SIZE")
    width, height = map(int, sides)
    opening.check_size((width, height))
    return width, height


def check_masks(mentions: Sequence[Mention], size: tuple[int, int]) -> None:
    """Refuse more masks on a picture of this size than memory is meant for."""
    count = sum(bool(mention.codes) for mention in mentions)
    most = MAX_MASK_PIXELS // (size[0] * size[1])
    if count > most:
        message = (
            f"{count} masks on {size[0]} x {size[1]} pixels take too much memory; at most {most} "
            'go onto that size: paste fewer, give a smaller size, or take mask_decoder "none".'
        )
        raise TaskError(message, "E_TOO_MANY_MASKS")
