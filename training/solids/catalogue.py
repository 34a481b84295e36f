"""Catalogue: what is made of simple meshes, and what shows nothing of itself from behind."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image

from training.solids.animals.beasts import ANIMALS
from training.solids.animals.smooth_union import unite_limbs
from training.solids.meshes import Part
from training.solids.stage import SolidStage
from training.solids.things.food import FOOD
from training.solids.things.fruit import FRUIT
from training.solids.things.gear import GEAR
from training.solids.things.household import HOUSEHOLD
from training.solids.things.kitchen import KITCHEN
from training.solids.things.outdoors import OUTDOORS
from training.solids.things.plants import PLANTS
from training.solids.things.road_vehicles import ROAD_VEHICLES
from training.solids.things.screens import SCREENS
from training.solids.things.seats import SEATS
from training.solids.things.street import STREET
from training.solids.things.travel import TRAVEL
from training.solids.things.two_wheels import TWO_WHEELS

Maker = Callable[[Generator], list[Part]]
MAKERS: Mapping[str, Maker] = {
    **FOOD,
    **FRUIT,
    **KITCHEN,
    **HOUSEHOLD,
    **GEAR,
    **SCREENS,
    **SEATS,
    **ANIMALS,
    **PLANTS,
    **STREET,
    **OUTDOORS,
    **ROAD_VEHICLES,
    **TWO_WHEELS,
    **TRAVEL,
}
MAKINGS, UNDER_LAMPS = 240, 4  # of each name, no two alike; one of so many is lit by lamps
FRONTED = frozenset(
    {
        *("bed", "couch", "chair", "toilet", "tv", "laptop", "clock", "cell phone", "book"),
        *("backpack", "handbag", "suitcase", "tie", "traffic light", "stop sign", "fish", "kite"),
    }
)
ON_TABLES = frozenset(
    {
        *FOOD,
        *FRUIT,
        *KITCHEN,
        "cactus",
        "potted plant",
        "ball",
        "laptop",
        "cell phone",
        "book",
        "clock",
    }
)


def render_makings(name: str, stages: Sequence[SolidStage]) -> Iterator[Image.Image]:
    """Things of a name, each as `SolidStage.view` gives it; none of other names.

    stages: one with lamps, on which a part of them is seen, and those with the light of a place.
    """
    if name not in MAKERS:
        return
    for number in range(MAKINGS):
        rng = np.random.default_rng([number, *name.encode()])
        parts = unite_limbs(MAKERS[name](rng))
        stage = stages[0 if number % UNDER_LAMPS == 0 else int(rng.integers(1, len(stages)))]
        stage.show_parts(parts)
        yield stage.view(rng, is_fronted=name in FRONTED, is_low=name in ON_TABLES)
