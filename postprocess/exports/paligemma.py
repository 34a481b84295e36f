"""PaliGemma: lines for fine-tuning, `{"image", "prefix", "suffix"}`, from annotated pictures.

Positions are rounded to 1023rds, as big_vision made the text that PaliGemma was trained on.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from postprocess.datasets.annotated import Annotated, Codec, on_one_line, refuse_points
from postprocess.datasets.files import ExportError, read_text, write_text
from postprocess.instances import CodesToMask, Instance, MaskToCodes, describe, locate
from postprocess.metrics import mask_iou
from postprocess.tokens import Mention, write

FILE = "train.jsonl"

_POLICY = "bigvision"

JSON = dict[str, Any]


def to_paligemma(
    pictures: Iterable[Annotated], folder: Path, *, decoder: Codec | None = None
) -> list[Path]:
    """Write `train.jsonl`; lines that it already holds about other pictures stay in it.

    With a mask decoder, or the `codec` of a picture, there are `segment` lines too, each with
    `mask_iou`: for every mask, how much of it is left after 16 codes. Raises MentionError for a
    label that holds `;` or a token, ExportError for points.
    """
    path = folder / FILE
    pictures = refuse_points(pictures, "The language of PaliGemma")
    fresh = [line for one in pictures for line in lines(one, decoder or one.codec)]
    images = {line["image"] for line in fresh}
    known = known_lines(path) if path.exists() else []
    kept = [line for line in known if line["image"] not in images]
    text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in [*kept, *fresh])
    return [write_text(path, text)]


def known_lines(path: Path) -> list[JSON]:
    """The lines of a file, as they stand there; ExportError where one is about no picture."""
    try:
        known = [json.loads(line) for line in read_text(path).split("\n") if line.strip()]
        if not all(isinstance(line["image"], str) for line in known):
            raise TypeError("an image is not text")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ExportError(f"{path} has other content ({error!r}). Name another folder.") from error
    return known


def lines(picture: Annotated, decoder: Codec | None = None) -> Iterator[JSON]:
    """The lines of one picture: all names in one `detect`, then a `segment` for each name.

    Names come in order of appearance, things of one name from left to right; things without a name
    cannot be asked for and are left out. An answer in words is a line of its own.
    """
    by_name = group(picture.instances)
    if by_name:
        found = [instance for things in by_name.values() for instance in things]
        yield _line(picture, f"detect {' ; '.join(by_name)}", describe_as(found, picture, None))
    for name, things in by_name.items() if decoder else ():
        masked = [instance for instance in things if instance.mask is not None]
        if decoder and masked:
            mentions = describe_as(masked, picture, decoder)
            ious = codebook_ious(masked, mentions, picture.size, decoder)
            yield _line(picture, f"segment {name}", mentions) | {"mask_iou": ious}
    if picture.words:
        prefix, suffix = picture.words
        yield {"image": picture.file_name, "prefix": prefix, "suffix": suffix}


def codebook_ious(
    instances: Sequence[Instance],
    mentions: Sequence[Mention],
    size: tuple[int, int],
    decoder: CodesToMask,
) -> list[float]:
    """For each mask its IoU, over the whole picture, with what its mention is read back as."""
    back = locate(mentions, size, decoder, _POLICY)
    return [
        round(mask_iou(before.mask, after.mask), 4)
        for before, after in zip(instances, back, strict=True)
        if before.mask is not None and after.mask is not None
    ]


def group(instances: Iterable[Instance]) -> dict[str, list[Instance]]:
    """Name -> its things from left to right, names in order of appearance."""
    by_name: dict[str, list[Instance]] = {}
    for instance in instances:
        if name := on_one_line(instance.label):
            by_name.setdefault(name, []).append(instance)
    return {name: sorted(things, key=lambda one: one.box[:2]) for name, things in by_name.items()}


def describe_as(
    instances: Sequence[Instance], picture: Annotated, encoder: MaskToCodes | None
) -> list[Mention]:
    """Mentions with labels on one line, as they are asked for."""
    mentions = describe(instances, picture.size, encoder, _POLICY)
    return [Mention(on_one_line(one.label), one.box, one.codes) for one in mentions]


def _line(picture: Annotated, prefix: str, mentions: Sequence[Mention]) -> JSON:
    return {"image": picture.file_name, "prefix": prefix, "suffix": write(mentions)}


def read_mask_ious(path: Path) -> list[float]:
    """Every `mask_iou` of a file of lines."""
    found = [row.get("mask_iou") for row in known_lines(path)]
    return [iou for ious in found if isinstance(ious, list) for iou in ious]
