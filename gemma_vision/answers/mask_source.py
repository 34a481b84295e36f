"""Mask source: masks of one checkpoint for the boxes of another.

A checkpoint that writes mask codes is asked for each thing by name, and its answer is held to the
box that was found: the four positions are given, the codes are its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gemma_vision.answers.answer import Answer
from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.requests.family import Family
from gemma_vision.requests.request import CONTROL_TOKEN, Request
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.engine import Engine, Prompt
from gemma_vision.runtime.grammar import Grammar
from postprocess.instances import Instance, locate
from postprocess.tokens import NUM_BINS, Mention, Notice, parse

BATCH = 8  # things asked for side by side
UNNAMED = "thing"  # what is asked for where the answer gave no name


@dataclass(frozen=True)
class MaskSource:
    """The checkpoint that makes the masks: how it is asked, and what its codes mean.

    Raises TaskError for one that makes none.
    """

    engine: Engine
    family: Family
    decoder: LazyMaskDecoder | None
    policy: str
    name: str

    def __post_init__(self) -> None:
        if Task.segment not in self.family.tasks or self.decoder is None:
            message = f"{self.name} makes no masks; take a PaliGemma for them."
            raise TaskError(message, "E_TASK_UNSUPPORTED")

    def add_masks(self, answer: Answer) -> Answer:
        """The answer with a mask for each of its boxes; what found them stays as it is."""
        try:
            codes = self._codes(answer)
            masks = list(self._instances(answer, codes))
        except DecoderError as error:
            notice = Notice("no_mask_decoder", 0, str(error))
            return replace(answer, warnings=[*answer.warnings, notice])
        return replace(answer, instances=masks, masks_by=self.name)

    def _codes(self, answer: Answer) -> list[Mention | None]:
        """What it wrote for each thing: the box as it was given, and its codes."""
        prompts = [self._prompt(answer, one) for one in answer.mentions]
        texts: list[str] = []
        for start in range(0, len(prompts), BATCH):
            texts += ask(self.engine, prompts[start : start + BATCH])
        return [next(iter(parse(text)), None) for text in texts]

    def _prompt(self, answer: Answer, mention: Mention) -> Prompt:
        name = CONTROL_TOKEN.sub("", mention.label).replace(";", " ").strip() or UNNAMED
        request = Request(answer.image, Task.segment, name)
        grammar = Grammar(request.names[:1], has_masks=True, box=as_bins(mention))
        return Prompt((answer.image,), self.family.write_prompt(request), grammar=grammar)

    def _instances(self, answer: Answer, codes: Sequence[Mention | None]) -> Iterable[Instance]:
        decoder = self.decoder.open() if self.decoder else None
        for found, mention in zip(answer.instances, codes, strict=True):
            if mention is None or not mention.codes:
                yield found
                continue
            (drawn,) = locate([mention], answer.size, decoder, self.policy)
            yield replace(found, mask=drawn.mask, pixels=drawn.pixels)


def as_bins(mention: Mention) -> tuple[int, ...]:
    """A box in the bins of position tokens, whatever units it came in.   1000 -> 1024"""
    return tuple(min(round(edge / mention.units * NUM_BINS), NUM_BINS - 1) for edge in mention.box)


def ask(engine: Engine, prompts: Sequence[Prompt]) -> list[str]:
    """The whole answer of each prompt."""
    texts = [""] * len(prompts)
    for chunks in engine.stream(prompts):
        for place, chunk in enumerate(chunks):
            texts[place] += chunk.text if chunk else ""
    return texts
