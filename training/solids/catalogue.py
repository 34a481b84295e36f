"""Catalogue: what is made of simple meshes, and what shows nothing of itself from behind."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.random import Generator
from PIL import Image

from training.solids.animals.beasts import ANIMALS
from training.solids.meshes import Part
from training.solids.stage import SolidStage
from training.solids.things.food import FOOD
from training.solids.things.gear import GEAR
from training.solids.things.household import HOUSEHOLD
from training.solids.things.kitchen import KITCHEN
from training.solids.things.outdoors import OUTDOORS
from training.solids.things.plants import PLANTS
from training.solids.things.road_vehicles import ROAD_VEHICLES
from training.solids.things.screens import SCREENS
from training.solids.things.street import STREET
from training.solids.things.travel import TRAVEL
from training.solids.things.two_wheels import TWO_WHEELS

Maker = Callable[[Generator], list[Part]]
MAKERS: Mapping[str, Maker] = {
    **FOOD,
    **KITCHEN,
    **HOUSEHOLD,
    **GEAR,
    **SCREENS,
    **ANIMALS,
    **PLANTS,
    **STREET,
    **OUTDOORS,
    **ROAD_VEHICLES,
    **TWO_WHEELS,
    **TRAVEL,
}
MAKINGS = 60  # of each name, no two alike
FRONTED = frozenset(
    {
        *("bed", "couch", "chair", "toilet", "tv", "laptop", "clock", "cell phone", "book"),
        *("backpack", "handbag", "suitcase", "tie", "traffic light", "stop sign", "fish", "kite"),
    }
)


def render_makings(name: str) -> Iterator[Image.Image]:
    """Sixty things of a name, each from one side, as `SolidStage.view` gives it; none of others."""
    if name not in MAKERS:
        return
    for number in range(MAKINGS):
        rng = np.random.default_rng([number, *name.encode()])
        yield SolidStage.of_parts(MAKERS[name](rng)).view(rng, is_fronted=name in FRONTED)
