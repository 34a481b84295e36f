"""Learner: the model as the stages of training share it, and what it is asked about scenes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import nn
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.synthetic.prompts import TargetObject, sample_prompt
from postprocess.vqvae import MaskVQVAE
from training.data.samples import Batch
from training.data.sampling import SceneRecipe
from training.model.drawing import MaskDrawing
from training.model.language import SequenceLoss

CLOSE = 0.5  # how often what is asked for and is not there looks like what is

Mix = tuple[float, float, float, float]  # shares of detect, segment, caption and ask


@dataclass(frozen=True)
class Learner:
    """The parts that stay the same over the stages.

    alike: names of things that look like those of a name.
    """

    model: PaliGemmaForConditionalGeneration
    vae: MaskVQVAE
    language: SequenceLoss
    names: tuple[str, ...]
    recipe: SceneRecipe
    alike: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def drawing(self) -> MaskDrawing:
        return MaskDrawing(self.vae, self.language.first_code)

    @property
    def width(self) -> int:
        """Of the projected image tokens."""
        return int(self.model.config.text_config.hidden_size)

    @property
    def embeddings(self) -> nn.Parameter:
        """Of the words, (V, D)."""
        table: nn.Parameter = self.model.model.language_model.embed_tokens.weight
        return table

    @property
    def text_parameters(self) -> list[nn.Parameter]:
        core = self.model.model
        modules = (core.multi_modal_projector, core.language_model)
        return [parameter for module in modules for parameter in module.parameters()]

    def targets(self, batch: Batch) -> list[list[TargetObject]]:
        """What each picture of a batch, with the codes of its masks, shows."""
        codes = batch["codes"].tolist()
        boxes, owners = batch["boxes"].tolist(), batch["names"].tolist()
        return [
            [
                TargetObject(self.names[name], tuple(box), tuple(code))
                for name, box, code in zip(*row, strict=True)
                if name >= 0
            ]
            for row in zip(owners, boxes, codes, strict=True)
        ]

    def texts(
        self, rng: np.random.Generator, scenes: Sequence[list[TargetObject]], mix: Sequence[float]
    ) -> list[tuple[list[int], list[int]]]:
        prompts = (sample_prompt(rng, things, self.asked(rng, things), mix) for things in scenes)
        return [self.language.encode(prompt, answer) for prompt, answer in prompts]

    def asked(self, rng: np.random.Generator, things: Sequence[TargetObject]) -> Sequence[str]:
        """What a prompt is made of: all names, or often what is there and what looks like it."""
        present = {thing.name for thing in things}
        near = [name for name in self.names if present & self.alike.get(name, frozenset())]
        if set(near) <= present or rng.random() >= CLOSE:
            return self.names
        return [name for name in self.names if name in present or name in near]
