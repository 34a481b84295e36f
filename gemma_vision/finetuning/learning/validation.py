"""Validation: pictures put aside, asked about while the model learns.

transformers itself decodes: no second copy is loaded, so that a large model can be asked too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from gemma_vision.evaluate import Dataset, Scene
from gemma_vision.finetuning.learning.sequences import BOS, EOS, PAD
from gemma_vision.finetuning.learning.trainee import Trainee
from gemma_vision.finetuning.learning.update_step import tower_weight
from gemma_vision.images.opening import open_image
from gemma_vision.images.resizing import to_pixels
from gemma_vision.optimization.answer_loss import id_of
from gemma_vision.optimization.precision import autocast
from postprocess.instances import Instance, locate
from postprocess.metrics import match
from postprocess.tokens import parse

MAX_PICTURES = 24  # of a data set that are asked about each time
MAX_TOKENS = 128  # of an answer: some twenty boxes
BATCH = 12
FOUND = 0.5  # IoU


@dataclass(frozen=True)
class Tally:
    """What was found of what is there. quality: IoU of the found over (found + half the errors)."""

    things: int
    found: int
    invented: int
    quality: float

    @property
    def recall(self) -> float:
        """The share that was found, 0 to 1."""
        return self.found / max(self.things, 1)


class Validation:
    """Asks a trainee about some pictures of each data set; calling it gives the figures.

    datasets: "new", and others by their titles. The score is the mean quality of all of them.
    """

    def __init__(
        self, trainee: Trainee, datasets: Mapping[str, Dataset], *, dtype: torch.dtype
    ) -> None:
        self.trainee, self.datasets, self.dtype = trainee, dict(datasets), dtype
        self.image = id_of(trainee.tokenizer, "<image>")
        self.pixels: dict[tuple[str, int], np.ndarray] = {}

    def __call__(self) -> dict[str, float]:
        """ "score" 0 to 1, and for each data set "found" and "of"."""
        model = self.trainee.model
        model.eval()
        try:
            tallies = {title: self.ask(title) for title in self.datasets}
        finally:
            model.train()
        figures = {"score": sum(t.quality for t in tallies.values()) / max(len(tallies), 1)}
        for title, tally in tallies.items():
            figures |= {f"{title}_found": tally.found, f"{title}_of": tally.things}
            figures[f"{title}_invented"] = tally.invented
        return figures

    def ask(self, title: str) -> Tally:
        """One data set's pictures, a batch at a time."""
        dataset = self.datasets[title]
        scenes = [scene for scene in dataset.scenes if scene.objects][:MAX_PICTURES]
        rows = [
            row
            for start in range(0, len(scenes), BATCH)
            for row in self.ask_batch(title, dataset, scenes[start : start + BATCH])
        ]
        ious = [iou for found, _, _ in rows for iou in found]
        missed, invented = sum(row[1] for row in rows), sum(row[2] for row in rows)
        quality = sum(ious) / max(len(ious) + (missed + invented) / 2, 1)
        return Tally(len(ious) + missed, len(ious), invented, quality)

    def ask_batch(
        self, title: str, dataset: Dataset, scenes: Sequence[Scene]
    ) -> Iterator[tuple[list[float], int, int]]:
        """For each picture the IoUs of what was found, and how much was missed and invented."""
        prompts = [
            f"detect {' ; '.join((*scene.names, *dataset.absent[scene.id]))}".lower()
            for scene in scenes
        ]
        pixels = np.stack([self.pixels_of(title, scene) for scene in scenes])
        for scene, text in zip(scenes, self.decode(prompts, pixels), strict=True):
            yield compare(scene, text)

    def pixels_of(self, title: str, scene: Scene) -> np.ndarray:
        """A picture as the tower is given it, kept for the next time."""
        key = (title, scene.id)
        if key not in self.pixels:
            image = Image.fromarray(np.asarray(open_image(scene.path)))
            self.pixels[key] = to_pixels(image, self.trainee.config.square.image_size)
        return self.pixels[key]

    @torch.no_grad()
    def decode(self, prompts: Sequence[str], pixels: np.ndarray) -> list[str]:
        """Greedy answers to prompts about images (B, 3, S, S)."""
        trainee = self.trainee
        tokenizer, num_soft = trainee.tokenizer, trainee.grid**2
        rows = [
            [self.image] * num_soft
            + [BOS, *tokenizer.encode(f"{prompt}\n", add_special_tokens=False).ids]
            for prompt in prompts
        ]
        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        weight = tower_weight(trainee)
        with autocast(trainee.device, self.dtype):
            answered = trainee.model.generate(
                input_ids=ids.to(trainee.device),
                attention_mask=mask.to(trainee.device),
                token_type_ids=torch.zeros_like(ids).to(trainee.device),
                pixel_values=torch.from_numpy(pixels).to(trainee.device, weight.dtype),
                max_new_tokens=MAX_TOKENS,
                do_sample=False,
                eos_token_id=EOS,
                pad_token_id=PAD,
            )
        fresh = answered[:, longest:].tolist()
        return [tokenizer.decode(row, skip_special_tokens=False) for row in fresh]


def compare(scene: Scene, text: str) -> tuple[list[float], int, int]:
    """An answer's text against the truth -> IoUs of what was found, missed, invented."""
    mentions = parse(text.split("<eos>")[0].replace("<pad>", ""))
    there = locate(mentions, scene.size, policy="bigvision")
    truth = [named(thing.instance()) for thing in scene.objects]
    pairs = match(truth, [named(one) for one in there], same_label=True)
    ious = [iou for _, _, iou in pairs if iou >= FOUND]
    return ious, len(truth) - len(ious), len(there) - len(ious)


def named(instance: Instance) -> Instance:
    """The instance, its name in small letters."""
    return Instance(instance.label.lower(), instance.box, instance.pixels)
