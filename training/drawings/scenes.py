"""Scenes of many artists: endless pictures of drawn things in many styles, with labels.

Some of them are scenes as the evaluation's: one artist, the first sixteen names, procedural
backgrounds, nothing restyled. No seed of the evaluation's is ever drawn from.
"""

from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
from torch.utils.data import IterableDataset

from gemma_vision.synthetic.atlas import MARGIN, SIDE
from gemma_vision.synthetic.backgrounds import draw_background
from gemma_vision.synthetic.compositor import MIN_VISIBLE, ComposedScene, SceneObject
from gemma_vision.synthetic.poses import EVALUATION_SEEDS, NUM_NAMES
from training.data.samples import Sample, to_sample
from training.data.sampling import SceneRecipe
from training.drawings.atlas import DrawingAtlas
from training.drawings.photographs import cut, photographic
from training.drawings.poses import DrawingPose, overlap
from training.drawings.sets import INKS
from training.drawings.styles import colour_in, deform, disturb, restyle

COUNTS = (0.25, 0.25, 0.25, 0.25)  # of pictures with one to four things
REHEARSED_SIDE = 224
NOTHING = 0.03  # share of pictures in which nothing has a name, or nothing is at all
UNNAMED, TWIN = 0.25, 0.12  # shares of the further things
DEFORMED = 0.6  # share of the things whose proportions change
COLOURED, PAINTS = 0.5, 6  # share of the things in ink that are coloured in; of how many colours
PIECE = 0.15  # share of the unnamed things that are pieces of a photograph
# Width and height of pictures, of the side that the model sees; squashed to a square.
SIZES = [(1.0, 1.0)] * 6 + [(1.5, 1.5), (1.5, 1.1), (1.1, 1.5)]
LARGEST, WHOLE = 0.65, 0.92  # the longest side, of the picture's
MAX_OVERLAP, TRIES = 0.25, 12
OUTSIDE = 1.3  # of a thing's own frame: as far as the middle of a patch on its edge is told
POOL, RENEWAL, GROUND_SIDE = 400, 0.06, 288


class DrawingScenes(IterableDataset[Sample]):
    """Endless scenes of an atlas; see the module.

    rehearsed: share as the evaluation's. weights: how often an artist's drawings of a name are
    shown, beside those of the others; all alike where there are none.
    """

    def __init__(
        self,
        atlas: DrawingAtlas,
        photographs: Sequence[np.ndarray],
        artists: Sequence[str],
        *,
        seed: Sequence[int],
        recipe: SceneRecipe,
        rehearsed: float = 0.0,
        weights: Mapping[str, int] | None = None,
    ) -> None:
        if seed[0] >= EVALUATION_SEEDS:
            raise ValueError(f"Seed {seed[0]} is for evaluation only.")
        self.atlas, self.photographs, self.recipe = atlas, photographs, recipe
        self.rehearsed = rehearsed
        self.rng = np.random.default_rng(tuple(seed))
        numbers = range(-1, len(atlas.names))
        self.drawings = {name: atlas.drawings(name, artists, weights) for name in numbers}
        colours = [artist for artist in artists if artist not in INKS]
        self.coloured = {name: atlas.drawings(name, colours) for name in numbers}
        self.is_ink = np.isin([atlas.artists[number] for number in atlas.artist_of], INKS)
        first = atlas.artists[:1]
        self.first_drawings = {name: atlas.drawings(name, first) for name in range(-1, NUM_NAMES)}
        self.grounds: list[np.ndarray] = []
        cv2.setNumThreads(1)

    def __iter__(self) -> Iterator[Sample]:
        while True:
            yield self.draw()

    def draw(self) -> Sample:
        """One picture with its labels, as `to_sample` gives them."""
        rng = self.rng
        is_rehearsed = rng.random() < self.rehearsed
        shape, side = SIZES[int(rng.integers(len(SIZES)))], self.recipe.side
        size = (round(shape[0] * side), round(shape[1] * side))
        size = (REHEARSED_SIDE, REHEARSED_SIDE) if is_rehearsed else size
        poses = self.sample_poses(size, is_rehearsed=is_rehearsed)
        ground = self.draw_ground(*size, is_rehearsed=is_rehearsed)
        scene = self.compose(poses, ground)
        if not is_rehearsed:
            scene = ComposedScene(disturb(rng, scene.pixels), scene.owner, scene.things)
        sample = to_sample(scene, self.recipe)
        np.clip(sample["spots"], -OUTSIDE, OUTSIDE, out=sample["spots"])
        for index, thing in enumerate(scene.things):
            assert isinstance(thing.pose, DrawingPose)
            sample["sprites"][index] = thing.pose.kind
            sample["turns"][index, 1] = thing.pose.mirrored != thing.pose.flipped
        return sample

    def sample_poses(self, size: tuple[int, int], *, is_rehearsed: bool) -> list[DrawingPose]:
        """What is shown and where, back to front."""
        rng = self.rng
        count = 1 + int(rng.choice(4, p=COUNTS))
        num_names = NUM_NAMES if is_rehearsed else len(self.atlas.names)
        names = [int(rng.integers(num_names))]
        for _ in range(count - 1):
            draw = rng.random()
            is_twin = draw < UNNAMED + TWIN
            other = names[0] if is_twin else int(rng.integers(num_names))
            names.append(-1 if draw < UNNAMED else other)
        if rng.random() < NOTHING:
            names = [-1] * int(rng.integers(0, 4))
        poses: list[DrawingPose] = []
        for name in names:
            for _ in range(TRIES):
                pose = self.sample_pose(name, size, len(names), is_rehearsed=is_rehearsed)
                if all(overlap(pose, other) <= MAX_OVERLAP for other in poses):
                    poses.append(pose)
                    break
        return poses

    def sample_pose(
        self, name: int, size: tuple[int, int], count: int, *, is_rehearsed: bool
    ) -> DrawingPose:
        rng, (width, height) = self.rng, size
        groups = (self.first_drawings if is_rehearsed else self.drawings)[name]
        drawing = int(rng.choice(groups[int(rng.integers(len(groups)))]))
        largest = WHOLE if count == 1 and not is_rehearsed and rng.random() < 0.25 else LARGEST
        share = float(np.exp(rng.uniform(np.log(self.recipe.smallest), np.log(largest))))
        longest = share * (0.8 if count >= 3 else 1) * float(np.sqrt(width * height))
        angle = rng.uniform(-45, 45) if rng.random() < 0.15 else rng.normal(0, 14)
        inset = 0.42 * longest  # some things are cut by the picture's edge
        return DrawingPose(
            sprite=drawing,
            name=name,
            x=rng.uniform(min(inset, width / 2), max(width - inset, width / 2)),
            y=rng.uniform(min(inset, height / 2), max(height - inset, height / 2)),
            longest=longest,
            angle=float(np.clip(angle, -45, 45)),
            mirrored=bool(rng.random() < 0.5),
            aspect=float(np.exp(rng.uniform(-0.15, 0.15))),
            gain=tuple(rng.uniform(0.8, 1.15) * rng.uniform(0.92, 1.08, 3)),
            halves=tuple(self.atlas.halves[drawing]),
            flipped=bool(self.atlas.flipped[drawing]),
            kind=int(self.atlas.kind_of[drawing]),
            is_plain=is_rehearsed or rng.random() < 0.25,
        )

    def draw_ground(self, width: int, height: int, *, is_rehearsed: bool) -> np.ndarray:
        """What lies behind -> (H, W, 3) uint8."""
        rng = self.rng
        draw = 0.0 if is_rehearsed else rng.random()
        if draw > 0.56:
            return photographic(rng, self.photographs, width, height)
        if draw > 0.44:
            return np.full((height, width, 3), rng.choice((255, 255, 250, 240, 0)), np.uint8)
        if len(self.grounds) < POOL or rng.random() < RENEWAL:
            fresh = draw_background(rng, GROUND_SIDE, GROUND_SIDE)
            if len(self.grounds) < POOL:
                self.grounds.append(fresh)
            else:
                self.grounds[int(rng.integers(POOL))] = fresh
            whole = fresh
        else:
            whole = self.grounds[int(rng.integers(len(self.grounds)))]
        left = int(rng.integers(GROUND_SIDE + 1 - width))
        top = int(rng.integers(GROUND_SIDE + 1 - height))
        part = whole[top : top + height, left : left + width]
        return part[:, ::-1] if rng.random() < 0.5 else part

    def compose(self, poses: Sequence[DrawingPose], ground: np.ndarray) -> ComposedScene:
        """Draw things over a ground; those that are hidden too far are left out."""
        canvas, owner = ground.astype(np.float32), np.full(ground.shape[:2], -1, np.int8)
        areas = [self.paint(canvas, owner, pose, index) for index, pose in enumerate(poses)]
        things = []
        for index, (pose, area) in enumerate(zip(poses, areas, strict=True)):
            mask = owner == index
            visible = np.count_nonzero(mask)
            if pose.name < 0:
                continue
            if visible < MIN_VISIBLE * area or not visible:
                return self.compose([other for other in poses if other is not pose], ground)
            xs, ys = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
            box = (int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1)
            things.append(SceneObject(pose.name, box, mask, pose))
        return ComposedScene(canvas.astype(np.uint8), owner, tuple(things))

    def paint(self, canvas: np.ndarray, owner: np.ndarray, pose: DrawingPose, index: int) -> float:
        """Blend one drawing into the canvas in place -> the area it would cover, in pixels."""
        height, width = owner.shape
        matrix = pose.matrix()
        x0, y0, x1, y1 = pose.corners()
        left, top = max(0, int(x0) - 2), max(0, int(y0) - 2)
        right, bottom = min(width, int(x1) + 3), min(height, int(y1) + 3)
        if right - left < 2 or bottom - top < 2:
            return 1.0
        scale = pose.longest / (SIDE - 2 * MARGIN)
        level = next((i for i in (3, 2, 1) if pose.longest * 1.2 < SIDE / 2**i), 0)
        step = 2.0**level
        local = np.column_stack(
            [matrix[:, :2] * step, matrix[:, 2] + matrix[:, :2].sum(1) * (step - 1) / 2]
        )
        local[:, 2] -= (left, top)
        source = self.atlas.mipmaps(pose.sprite)[level]
        size = (right - left, bottom - top)
        drawn = cv2.warpAffine(source, local, size, flags=cv2.INTER_LINEAR)
        drawn = drawn.astype(np.float32) / 255
        if not pose.is_plain and self.rng.random() < DEFORMED:
            drawn = deform(self.rng, drawn)
        if not pose.is_plain and self.is_ink[pose.sprite] and self.rng.random() < COLOURED:
            drawn = colour_in(self.rng, drawn, self.palette(pose.name))
        if scale > 1.2:
            drawn = cv2.GaussianBlur(drawn, (0, 0), 0.7)
        if pose.name < 0 and not pose.is_plain and self.rng.random() < PIECE:
            piece = cut(self.rng, self.photographs, *size).astype(np.float32) / 255
            drawn[..., :3] = piece * drawn[..., 3:]
        elif not pose.is_plain:
            drawn = restyle(self.rng, drawn, self.texture)
        solid = drawn[..., 3] >= 0.5
        region = canvas[top:bottom, left:right]
        region *= 1 - drawn[..., 3:]
        paint = drawn[..., :3] * np.multiply(pose.gain, 255).astype(np.float32)
        region += np.minimum(paint, 255 * drawn[..., 3:])
        owner[top:bottom, left:right][solid] = index
        det = abs(float(np.linalg.det(matrix[:, :2])))
        return float(self.atlas.areas[pose.sprite]) * det

    def palette(self, name: int) -> np.ndarray:
        """Colours of somebody else's drawing of a name -> (P, 3) float32 0..1."""
        groups = self.coloured[name] or self.drawings[name]
        drawing = self.rng.choice(groups[int(self.rng.integers(len(groups)))])
        image = self.atlas.mipmaps(drawing)[2]
        seen = image[image[..., 3] > 0].astype(np.float32)
        picked = seen[self.rng.integers(len(seen), size=PAINTS)]
        return picked[:, :3] / picked[:, 3:]

    def texture(self) -> np.ndarray:
        """A patch of a photograph."""
        return cut(self.rng, self.photographs, 48, 48)
