"""Draw the example pictures of the app: scenes of an evaluation seed, which training never saw.

Chosen by what they show (large enough things, few of them), never by how well they are answered.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from training.compositor import Picture, compose
from training.poses import sample_scene
from training.sprites import load_atlas

OUT = Path(__file__).parents[1] / "ui" / "examples"
SEED = 900_500
SIZE = (640, 480)
SMALLEST = 0.24  # of the picture's shorter side: the longest side of the smallest thing
# For each example: the task, the words ({0}, {1} are the names of what is there), how many things
# it needs, and names that must be among them.
WANTED = (
    ("segment", "cat ; dog", 2, {"cat", "dog"}),
    ("detect", "{0} ; {1} ; {2}", 3, set()),
    ("segment", "{0}", 1, {"butterfly"}),
    ("ask", "how many cars are there?", 2, {"car"}),
    ("detect", "{0} ; {1}", 2, {"train"}),
    ("caption", "", 3, set()),
)


def names_of(picture: Picture) -> list[str]:
    """What is there, from left to right, each name once."""
    names = load_atlas().names
    things = sorted(picture.things, key=lambda thing: thing.box[0])
    return list(dict.fromkeys(names[thing.name] for thing in things))


def is_clear(picture: Picture, count: int) -> bool:
    """`count` things of different names, all large."""
    sides = [max(t.box[2] - t.box[0], t.box[3] - t.box[1]) for t in picture.things]
    return len(sides) == len(names_of(picture)) == count and min(sides) > SMALLEST * SIZE[1]


def main() -> None:
    rng, rows = np.random.default_rng(SEED), []
    OUT.mkdir(exist_ok=True)
    for index, (task, words, count, needed) in enumerate(WANTED, 1):
        picture = compose(sample_scene(rng, size=SIZE))
        while not (is_clear(picture, count) and needed <= set(names_of(picture))):
            picture = compose(sample_scene(rng, size=SIZE))
        file, names = f"scene-{index}.jpg", names_of(picture)
        Image.fromarray(picture.pixels).save(OUT / file, quality=85)
        rows.append({"image": file, "task": task, "text": words.format(*names)})
    (OUT / "examples.json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
