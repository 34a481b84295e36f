"""Sampling: scenes without end, as parameters. Seeded, and the same for every compositor."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch.utils.data import get_worker_info

from gemma_vision.synthetic.poses import (
    EMPTY,
    EVALUATION_SEEDS,
    SIZES,
    SMALLEST,
    SceneLayout,
    sample_scene,
)
from training.data.background_stream import RENEWAL, BackgroundCrop, BackgroundSampler

MAX_THINGS = 4


@dataclass(frozen=True)
class SceneRecipe:
    """What a stream draws: the picture's side and grid for the model, names, things, backgrounds.

    empty: share of scenes in which nothing has a name. renewal: share with a fresh background.
    smallest: the longest side of a thing at least, of the picture's.
    """

    side: int
    grid: int
    num_names: int
    max_things: int = MAX_THINGS
    empty: float = EMPTY
    renewal: float = RENEWAL
    smallest: float = SMALLEST


class SceneSampler:
    """Scenes and their backgrounds without end, from a seed that is none of the evaluation's.

    `start` is where an interrupted stage goes on: no scene is shown twice. Processes beside each
    other draw different ones.
    """

    def __init__(self, recipe: SceneRecipe, seed: int, start: int = 0) -> None:
        if seed >= EVALUATION_SEEDS:
            raise ValueError(
                f"Seed {seed} is for evaluation only; train with one under {EVALUATION_SEEDS}."
            )
        self.recipe, self.seed, self.start = recipe, seed, start

    def __iter__(self) -> Iterator[tuple[SceneLayout, BackgroundCrop]]:
        rng = np.random.default_rng((self.seed, self.start, this_process()))
        recipe, backgrounds = self.recipe, BackgroundSampler(self.recipe.renewal)
        while True:
            scene = sample_scene(
                rng,
                size=SIZES[int(rng.integers(len(SIZES)))],
                num_names=recipe.num_names,
                max_things=recipe.max_things,
                empty=recipe.empty,
                smallest=recipe.smallest,
            )
            yield scene, backgrounds.draw(rng, scene.width, scene.height)


def this_process() -> int:
    """The number of this process among those that draw; 0 where the training draws itself."""
    worker = get_worker_info()
    return worker.id if worker else 0
