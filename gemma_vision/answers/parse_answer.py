"""Parse an answer: one that was written elsewhere, read without a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

from PIL.Image import Image

from gemma_vision.answers.answer import Answer, answer_json
from gemma_vision.answers.answer_reader import StreamingReader
from gemma_vision.answers.instance_json import JSON, instance_json
from gemma_vision.answers.saving import file_of
from gemma_vision.checkpoints.lazy_mask_decoder import NONE, lazy_decoder
from gemma_vision.images.opening import Picture, check_size, open_image
from gemma_vision.requests.option_checks import read_options
from gemma_vision.requests.tasks import PARSE
from gemma_vision.requests.validation import TaskError, check_string, excerpt, is_whole
from gemma_vision.runtime.engine import Chunk
from postprocess.coordinate_conventions import find_convention
from postprocess.filters import Filtered, Filters
from postprocess.instances import locate
from postprocess.tokens import Mention

if TYPE_CHECKING:
    from gemma_vision.requests.options import FilterOptions

MAX_ANSWER = 200_000  # characters; 4096 tokens are about 40,000
# Pixels of all masks of one answer. A mask takes a byte for each pixel of the picture, so that
# this is half a gigabyte: six masks of the largest picture, 40 of a 12 megapixel photograph.
MAX_MASK_PIXELS = 500_000_000
EMBEDDED, BIGVISION, SPACE = "embedded", "bigvision", "space"


def read(
    text: str,
    size: tuple[int, int] | None = None,
    *,
    image: Picture | None = None,
    mask_decoder: str | PathLike[str] = NONE,
    policy: str | None = None,
    input_size: tuple[int, int] | None = None,
    **filters: Unpack[FilterOptions],
) -> Answer:
    """The answer that a text is, on a picture of `size` = (width, height) pixels.

    image: the picture itself, in the place of its size; `overlay` draws onto it. mask_decoder:
    "published" for codes of Google's checkpoints, "embedded" for those of the embedded one, the
    path of a file, or "none" for boxes only. policy: how units become pixels, "space" or
    "bigvision"; None takes what the decoder's checkpoint was trained for. input_size: (width,
    height) of the resized picture that Qwen2.5-VL's pixels count in; None reads such numbers as
    thousandths, as Qwen3-VL counts. filters: drop_repeats, max_overlap, drop_full_frame and
    min_score, as those of `Request`. Raises TaskError, ImageError for a size that no picture has,
    ConventionError for the policy.
    """
    picture = None if image is None else open_image(image)
    whole = size_of(size, picture)
    parsed = parse_text(text, whole, mask_decoder, policy, filters, input_size)
    return parsed_answer(parsed, picture, file_of(image))


def parsed_answer(parsed: ParsedText, picture: Image | None, file: str | None) -> Answer:
    """What was read as an answer, its masks drawn."""
    reader, filtered = parsed.reader, parsed.filtered
    return Answer(
        request=None,
        text=reader.text,
        mentions=filtered.mentions,
        instances=list(reader.draw_each(filtered.mentions, filtered.instances)),
        partial=None,
        finish="stop",
        warnings=[*reader.notices, *filtered.notices],
        policy=reader.policy,
        timing={},
        model=None,
        prompt=None,
        plain=reader.plain,
        thought=reader.thought,
        size=reader.size,
        picture=picture,
        file=file,
    )


def read_json(
    text: str,
    size: tuple[int, int],
    *,
    mask_decoder: str | PathLike[str] = NONE,
    policy: str | None = None,
    input_size: tuple[int, int] | None = None,
    **filters: Unpack[FilterOptions],
) -> JSON:
    """The JSON of the same answer, with one mask in memory at a time."""
    parsed = parse_text(text, as_size(size), mask_decoder, policy, filters, input_size)
    reader, filtered = parsed.reader, parsed.filtered
    return answer_json(
        model=None,
        task=None,
        prompt=None,
        size=reader.size,
        text=reader.text,
        plain=reader.plain,
        thought=reader.thought,
        instances=list(map(instance_json, reader.draw_each(filtered.mentions, filtered.instances))),
        warnings=[*reader.notices, *filtered.notices],
        policy=reader.policy,
        finish="stop",
        timing={},
    )


@dataclass(frozen=True)
class ParsedText:
    """A text that was read, and what its filters left, with no mask drawn yet."""

    reader: StreamingReader
    filtered: Filtered


def parse_text(
    text: str,
    size: tuple[int, int],
    mask_decoder: str | PathLike[str],
    policy: str | None,
    filters: Mapping[str, Any],
    input_size: tuple[int, int] | None = None,
) -> ParsedText:
    """What the text says and what is left of it; that its masks fit into memory is checked."""
    check_string(text)
    if len(text) > MAX_ANSWER:
        message = f"The answer has {len(text)} characters; the limit is {MAX_ANSWER}. Shorten it."
        raise TaskError(message, "E_TEXT_TOO_LONG")
    wanted = Filters(**read_options(PARSE, filters))
    policy = policy or (BIGVISION if mask_decoder == EMBEDDED else SPACE)
    policy = find_convention(policy).name  # an unknown one ends here, in words
    input_size = None if input_size is None else as_size(input_size)
    reader = StreamingReader(size, lazy_decoder(mask_decoder), policy, input_size=input_size)
    reader.feed(Chunk(text))
    reader.close()
    bare = [replace(one, drawn=None) if one.drawn else one for one in reader.mentions]
    filtered = wanted.apply(reader.mentions, locate(bare, size, policy=policy), size)
    check_masks(filtered.mentions, size, with_codes=mask_decoder != NONE)
    return ParsedText(reader, filtered)


def size_of(size: tuple[int, int] | None, picture: Image | None) -> tuple[int, int]:
    """The size that was given, or the picture's; `TaskError` unless there is one of them."""
    if picture is not None and size is None:
        return picture.size
    if picture is not None or size is None:
        raise TaskError("Give the picture or its size (width, height), one of them.", "E_SIZE")
    return as_size(size)


def as_size(size: Iterable[int]) -> tuple[int, int]:
    """Two whole numbers of pixels that a picture can have."""
    sides = tuple(size) if isinstance(size, Iterable) else ()
    if len(sides) != 2 or not all(map(is_whole, sides)):
        told = " x ".join(map(excerpt, sides)) if len(sides) == 2 else excerpt(size)
        message = f"{told} is no size; give width and height as whole numbers of pixels."
        raise TaskError(message, "E_SIZE")
    width, height = map(int, sides)
    check_size((width, height))
    return width, height


def check_masks(mentions: Sequence[Mention], size: tuple[int, int], *, with_codes: bool) -> None:
    """Refuse more masks on a picture of this size than memory is meant for."""
    count = sum(bool(one.drawn or (with_codes and one.codes)) for one in mentions)
    most = MAX_MASK_PIXELS // (size[0] * size[1])
    if count > most:
        message = (
            f"{count} masks on {size[0]} x {size[1]} pixels take too much memory; at most {most} "
            'go onto that size: paste fewer, give a smaller size, or take mask_decoder "none".'
        )
        raise TaskError(message, "E_TOO_MANY_MASKS")
