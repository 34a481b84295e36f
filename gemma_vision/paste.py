"""Paste: an answer that was written elsewhere, read without a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gemma_vision import images
from gemma_vision.answer import instance_json, to_json
from gemma_vision.engine import Chunk
from gemma_vision.reading import Reading
from gemma_vision.tasks import TaskError, check_range
from postprocess.hygiene import Hygiene
from postprocess.instances import Instance
from postprocess.policies import find_policy
from postprocess.tokens import Mention, Notice

MAX_ANSWER = 200_000  # characters; 4096 tokens are about 40,000


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

    def to_dict(self) -> dict[str, Any]:
        """The JSON of an answer; nobody was asked, so model, task and prompt are None."""
        answer = to_json(
            size=self.size,
            text=self.text,
            plain=self.plain,
            instances=[instance_json(instance) for instance in self.instances],
            warnings=self.notices,
            policy=self.policy,
            finish="stop",
            timing={},
        )
        return {"model": None, "task": None, "prompt": None} | answer


def read(
    text: str,
    size: tuple[int, int],
    *,
    mask_decoder: str = "none",
    policy: str | None = None,
    drop_repeats: bool = False,
    max_overlap: float | None = None,
    drop_full_frame: bool = False,
) -> dict[str, Any]:
    """The JSON of an answer's text on a picture of `size` = (width, height) pixels.

    mask_decoder: "published" for codes of Google's checkpoints, "embedded" for those of the
    embedded one, the path of a file, or "none" for boxes only. policy: how units become pixels,
    "space" or "bigvision"; None takes what the decoder's checkpoint was trained for. The last three
    tidy the answer as those of `Request` do.
    """
    if max_overlap is not None:
        check_range("max_overlap", max_overlap, 0.0, 1.0)
    hygiene = Hygiene(repeats=drop_repeats, overlap=max_overlap, full_frame=drop_full_frame)
    return paste(text, size, mask_decoder=mask_decoder, policy=policy, hygiene=hygiene).to_dict()


def paste(
    text: str,
    size: tuple[int, int],
    *,
    mask_decoder: str = "none",
    policy: str | None = None,
    hygiene: Hygiene = Hygiene(),  # noqa: B008  it is frozen
) -> Pasted:
    """As `read`, as objects."""
    check_size(size)
    if len(text) > MAX_ANSWER:
        message = f"The answer has {len(text)} characters; the limit is {MAX_ANSWER}."
        raise TaskError(message, "E_TEXT_TOO_LONG")
    policy = policy or ("bigvision" if mask_decoder == "embedded" else "space")
    find_policy(policy)  # an unknown one ends here, in words
    reading = Reading(size, None if mask_decoder == "none" else mask_decoder, policy)
    reading.feed(Chunk(text))
    reading.close()
    tidied = hygiene.apply(reading.mentions, reading.instances, size)
    notices = [*reading.notices, *tidied.notices]
    return Pasted(text, size, policy, tidied.mentions, tidied.instances, notices, reading.plain)


def check_size(size: tuple[int, int]) -> None:
    """Two whole numbers of pixels that a picture can have."""
    for side in size:
        if isinstance(side, bool) or not isinstance(side, int):
            message = f"A side of {side!r} pixels cannot be; give whole numbers."
            raise TaskError(message, "E_SIZE")
    images.check_size(size)
