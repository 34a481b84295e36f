"""Draw the app's examples: pictures, a clip and a pasted answer, in gemma_vision/web/examples.

Scenes of an evaluation seed, which training never saw. They show what the app does, so each is the
first one that the embedded checkpoint answers right; how often it does is in its own card.
"""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

import gemma_vision
from gemma_vision.answers.answer import Answer
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.compositor import ComposedScene, SceneObject, compose
from gemma_vision.synthetic.poses import SceneLayout, sample_scene
from gemma_vision.video.writer import Writer
from postprocess import Instance
from postprocess.metrics import box_iou, mask_iou

OUT = Path(__file__).parents[1] / "gemma_vision" / "web" / "examples"
SEED = 900_500
SIZE = (640, 480)
QUALITY = 85  # of the JPEGs, which are what the checkpoint is asked about
SMALLEST = 0.24  # of the picture's shorter side: the longest side of the smallest thing
WELL = 0.75  # least overlap of what is found with what is there
# For each example: the task, the words ({0}, {1} are the names of what is there), how many things
# it needs, and names that must be among them.
WANTED: tuple[tuple[Task, str, int, set[str]], ...] = (
    (Task.segment, "cat ; dog", 2, {"cat", "dog"}),
    (Task.detect, "{0} ; {1} ; {2}", 3, set()),
    (Task.segment, "{0}", 1, {"butterfly"}),
    (Task.ask, "how many cars are there?", 2, {"car"}),
    (Task.detect, "{0} ; {1}", 2, {"train"}),
    (Task.caption, "", 3, set()),
)

CLIP = "clip.mp4"
CLIP_SIZE = (480, 360)
RATE, NUM_FRAMES = 12, 36  # three seconds
LOOK_EVERY = 3  # frames of the clip, all of which have to be answered right
WALK = 0.1  # of the clip's width: how far a thing goes from the middle to either side


def names_of(picture: ComposedScene) -> list[str]:
    """What is there, from left to right, each name once."""
    names = load_atlas().names
    things = sorted(picture.things, key=lambda thing: thing.box[0])
    return list(dict.fromkeys(names[thing.name] for thing in things))


def is_clear(picture: ComposedScene, count: int) -> bool:
    """`count` things of different names, all large and all there is."""
    height = picture.pixels.shape[0]
    sides = [max(t.box[2] - t.box[0], t.box[3] - t.box[1]) for t in picture.things]
    is_large = bool(sides) and min(sides) > SMALLEST * height
    return is_large and len(sides) == len(names_of(picture)) == count


def is_right(answer: Answer, task: Task, picture: ComposedScene) -> bool:
    """Whether an answer says what is there: things by box and mask, a caption by its names."""
    names = names_of(picture)
    if task is Task.caption:
        words = answer.text.replace(",", " ").split()
        return sorted(word for word in words if word in load_atlas().names) == sorted(names)
    if task is Task.ask:
        return answer.text.strip() == "1"
    found = {instance.label: instance for instance in answer.instances}
    if len(answer.instances) != len(names) or set(found) != set(names):
        return False
    known = load_atlas().names
    return all(overlap(found[known[thing.name]], thing) >= WELL for thing in picture.things)


def overlap(instance: Instance, thing: SceneObject) -> float:
    """IoU of what was found with what is there: of the masks, of the boxes where there is none."""
    if instance.mask is None:
        return box_iou(instance.box, thing.box)
    return mask_iou(instance.mask, thing.mask)


def saved(picture: ComposedScene, path: Path) -> Path:
    """The picture as a file."""
    Image.fromarray(picture.pixels).save(path, quality=QUALITY)
    return path


def draw_picture(rng: np.random.Generator, pipeline: Pipeline, number: int) -> dict[str, str]:
    """The first scene that is wanted and answered right, as a row of the listing."""
    task, words, count, needed = WANTED[number - 1]
    path = OUT / f"scene-{number}.jpg"
    while True:
        picture = compose(sample_scene(rng, size=SIZE))
        if not (is_clear(picture, count) and needed <= set(names_of(picture))):
            continue
        text = words.format(*names_of(picture))
        answer = pipeline.run(Request(saved(picture, path), task, text))
        if is_right(answer, task, picture):
            row = {"image": path.name, "task": task.value, "text": text}
            return row | ({"answer": answer.text} if number == 1 else {})


def swaying(scene: SceneLayout) -> list[ComposedScene]:
    """The scene's things going to and fro, each in its own time."""
    frames = []
    for number in range(NUM_FRAMES):
        turn = 2 * np.pi * number / NUM_FRAMES
        sways = [WALK * scene.width * np.sin(turn + 2 * i) for i in range(len(scene.poses))]
        moved = zip(scene.poses, sways, strict=True)
        poses = tuple(replace(p, x=p.x + sway, angle=p.angle + sway / 8) for p, sway in moved)
        frames.append(compose(replace(scene, poses=poses)))
    return frames


def draw_clip(rng: np.random.Generator, pipeline: Pipeline) -> dict[str, str]:
    """The first moving scene of two things that is answered right at every look, as a row."""
    while True:
        scene = sample_scene(rng, size=CLIP_SIZE)
        if not is_clear(compose(scene), 2):
            continue
        frames = swaying(scene)
        text = " ; ".join(names_of(frames[0]))
        looked = frames[::LOOK_EVERY]
        requests = [Request(Image.fromarray(f.pixels), Task.segment, text) for f in looked]
        answers = map(pipeline.run, requests)
        pairs = zip(answers, looked, strict=True)
        right = [is_right(answer, Task.segment, frame) for answer, frame in pairs]
        if all(right):
            break
    with Writer(OUT / CLIP, CLIP_SIZE, Fraction(RATE), Fraction(1, RATE)) as writer:
        for number, frame in enumerate(frames):
            writer.write(Image.fromarray(frame.pixels), number)
    return {"video": CLIP, "task": "segment", "text": text}


def main() -> None:
    rng, pipeline = np.random.default_rng(SEED), gemma_vision.load("tiny")
    OUT.mkdir(exist_ok=True)
    rows = [draw_picture(rng, pipeline, number) for number in range(1, len(WANTED) + 1)]
    rows.append(draw_clip(rng, pipeline))
    (OUT / "examples.json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
