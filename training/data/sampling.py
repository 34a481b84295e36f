"""Draws: an endless stream of scenes, as parameters. Seeded, and the same for every compositor."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch.utils.data import get_worker_info

from gemma_vision.synthetic.poses import EVALUATION_SEEDS, SMALLEST, Scene, sample_scene
from training.data.background_stream import RENEWAL, Ground, GroundDraws

MAX_THINGS = 4
SIZES = [(224, 224)] * 4 + [(288, 216), (216, 288)]  # squashed to the model's square


@dataclass(frozen=True)
class Recipe:
    """What a stream draws: the picture's side and grid for the model, names, things, grounds.

    empty: share of scenes in which nothing has a name. renewal: share with a fresh background.
    smallest: the longest side of a thing at least, of the picture's.
    """

    side: int
    grid: int
    num_names: int
    max_things: int = MAX_THINGS
    empty: float = 0.05
    renewal: float = RENEWAL
    smallest: float = SMALLEST


class SceneDraws:
    """Scenes and their grounds without end, from a seed that must not be one of the evaluation's.

    `start` is where an interrupted stage goes on: no scene is shown twice. Processes beside each
    other draw different ones.
    """

    def __init__(self, recipe: Recipe, seed: int, start: int = 0) -> None:
        if seed >= EVALUATION_SEEDS:
            raise ValueError(
                f"Seed {seed} is for evaluation only; train with one under {EVALUATION_SEEDS}."
            )
        self.recipe, self.seed, self.start = recipe, seed, start

    def __iter__(self) -> Iterator[tuple[Scene, Ground]]:
        rng = np.random.default_rng((self.seed, self.start, this_process()))
        recipe, grounds = self.recipe, GroundDraws(self.recipe.renewal)
        while True:
            scene = sample_scene(
                rng,
                size=SIZES[int(rng.integers(len(SIZES)))],
                num_names=recipe.num_names,
                max_things=recipe.max_things,
                empty=recipe.empty,
                smallest=recipe.smallest,
            )
            yield scene, grounds.draw(rng, scene.width, scene.height)


def this_process() -> int:
    """The number of this process among those that draw; 0 where the training draws itself."""
    worker = get_worker_info()
    return worker.id if worker else 0
