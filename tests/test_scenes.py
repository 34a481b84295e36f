"""Scenes: seeded, exact, and as the data set's description says."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont
from pycocotools.coco import COCO

from gemma_vision.synthetic.atlas import FIRST, load_atlas
from gemma_vision.synthetic.backgrounds import KINDS, draw_background
from gemma_vision.synthetic.compositor import compose
from gemma_vision.synthetic.poses import (
    MAX_OVERLAP,
    NUM_NAMES,
    Pose,
    SceneLayout,
    _overlap,
    sample_scene,
)
from gemma_vision.synthetic.scene_dataset import write_dataset
from training.scenes import main
from training.sprites import FONT_SIZE, FURTHER, GLYPHS, render

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(3)
    return [compose(sample_scene(rng)) for _ in range(120)]


def a_pose(sprite: int, x: float, y: float, longest: float = 100.0) -> Pose:
    name = int(load_atlas().name_of[sprite])
    return Pose(sprite, name, x, y, longest, 0.0, False, 1.0, (1.0, 1.0, 1.0))


def test_a_seed_names_the_same_data_set(tmp_path):
    for folder in ("one", "two"):
        write_dataset(900_001, 4, tmp_path / folder, side=224, names=16)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_data_set_is_coco_with_exact_masks(tmp_path, capsys):
    write_dataset(900_002, 6, tmp_path, side=224, names=16)
    coco = COCO(tmp_path / "annotations.json")
    capsys.readouterr()
    assert json.loads((tmp_path / "annotations.json").read_text())["info"]["seed"] == 900_002
    assert [row["name"] for row in coco.loadCats(coco.getCatIds())] == list(GLYPHS)[:16]
    for row in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(row)
        xs, ys = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        assert row["area"] == mask.sum()
        assert row["bbox"] == [xs[0], ys[0], xs[-1] + 1 - xs[0], ys[-1] + 1 - ys[0]]
    for path in tmp_path.glob("*.png"):
        with Image.open(path) as picture:
            assert picture.size == (224, 224)


def test_scenes_hold_one_to_four_things_of_the_names_asked_for(pictures):
    counts = [len(picture.things) for picture in pictures]
    assert set(counts) <= {0, 1, 2, 3, 4} and {1, 2, 3} <= set(counts)
    assert {thing.name for picture in pictures for thing in picture.things} <= set(range(NUM_NAMES))


def test_masks_of_different_things_never_meet(pictures):
    for picture in pictures:
        assert sum((thing.mask for thing in picture.things), np.zeros(1, int)).max() <= 1


def test_some_things_have_no_name(pictures):
    owners = [len(np.unique(picture.owner[picture.owner >= 0])) for picture in pictures]
    assert sum(owners) > sum(len(picture.things) for picture in pictures)


def test_frames_overlap_by_a_quarter_of_the_smaller_at_most():
    rng = np.random.default_rng(5)
    for _ in range(100):
        poses = sample_scene(rng).poses
        pairs = [(a, b) for i, a in enumerate(poses) for b in poses[:i]]
        assert all(_overlap(a, b) <= MAX_OVERLAP for a, b in pairs)


def test_a_sprite_lands_where_its_pose_says():
    x0, y0, x1, y1 = compose(SceneLayout(224, 224, 1, (a_pose(5, 100, 120),))).things[0].box
    assert (x0 + x1) / 2 == pytest.approx(100, abs=1.5)
    assert max(x1 - x0, y1 - y0) == pytest.approx(100, abs=2)


def test_the_hidden_part_is_in_neither_box_nor_mask():
    alone = compose(SceneLayout(224, 224, 1, (a_pose(5, 90, 110),))).things[0]
    behind = compose(SceneLayout(224, 224, 1, (a_pose(5, 90, 110), a_pose(12, 130, 110)))).things[0]
    assert behind.mask.sum() < alone.mask.sum()
    assert not (behind.mask & ~alone.mask).any()


def test_a_thing_hidden_too_far_is_left_out_of_the_picture_and_the_truth():
    hidden = SceneLayout(224, 224, 1, (a_pose(5, 100, 110, 40), a_pose(12, 100, 110, 150)))
    picture = compose(hidden)
    assert [thing.name for thing in picture.things] == [load_atlas().name_of[12]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_background_fills_any_size(kind):
    canvas = np.asarray(kind(np.random.default_rng(1), 90, 60))
    assert canvas.shape == (60, 90, 3)
    assert canvas.min() >= -60 and canvas.max() <= 320


def test_backgrounds_are_pictures():
    canvas = draw_background(np.random.default_rng(2), 50, 40)
    assert canvas.shape == (40, 50, 3) and canvas.dtype == np.uint8


def test_the_atlas_holds_every_name_and_hard_edges():
    atlas = load_atlas()
    drawn = GLYPHS | FURTHER
    assert atlas.names == tuple(drawn) and len(GLYPHS) == FIRST
    assert set(np.unique(atlas.images[..., 3])) == {0, 255}
    assert [len(atlas.variants(i)) for i in range(len(drawn))] == [len(g) for g in drawn.values()]


def test_nothing_without_a_name_shows_what_somebody_has_a_name_for():
    atlas = load_atlas()
    (carrot,) = set(atlas.nameless([])) - set(atlas.nameless(["carrot", "cat"]))
    assert (atlas.images[carrot] == atlas.images[atlas.variants(atlas.names.index("carrot"))]).all()
    rng, allowed = np.random.default_rng(4), atlas.nameless(["carrot"])[:2]
    scenes = [sample_scene(rng, empty=0.5, nameless=allowed) for _ in range(40)]
    shown = {pose.sprite for scene in scenes for pose in scene.poses if pose.name < 0}
    assert shown == set(allowed)
    scenes = [sample_scene(rng, empty=0.5, nameless=[]) for _ in range(40)]
    assert all(pose.name >= 0 for scene in scenes for pose in scene.poses)


@pytest.mark.skipif(not FONT.exists(), reason="needs Debian's fonts-noto-color-emoji")
def test_the_atlas_is_what_the_script_renders():
    font = ImageFont.truetype(str(FONT), FONT_SIZE)
    first = render(GLYPHS["cat"][0], font)
    difference = np.abs(first.astype(int) - load_atlas().images[0]).mean()
    assert difference < 4  # releases of the font and of FreeType differ by a shade


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param(["--seed", "-1"], "--seed is -1", id="seed"),
        pytest.param(["--names", "99"], "--names is 99", id="names"),
        pytest.param(["--names", "0"], "--names is 0", id="no names"),
        pytest.param(["--count", "0"], "--count is 0", id="no pictures"),
        pytest.param(["--count", "-1"], "--count is -1", id="fewer than none"),
        pytest.param(["--side", "0"], "--side is 0", id="no side"),
        pytest.param(["--only", "unicorn"], "Nobody drew unicorn", id="nobody drew it"),
        pytest.param(["--out", f"{__file__}/out"], "cannot be written", id="no place"),
    ],
)
def test_what_cannot_be_made_ends_in_one_sentence(tmp_path, capsys, words, said):
    given = ["--seed", "1", "--count", "1", "--out", str(tmp_path / "out")]
    assert main([*given, *words]) == 2
    told = capsys.readouterr().err
    assert said in told and len(told.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_names_that_are_asked_for_are_drawn(tmp_path):
    words = ["--seed", "1", "--count", "2", "--side", "64", "--only", "guitar", "--out"]
    assert main([*words, str(tmp_path)]) == 0
    coco = json.loads((tmp_path / "annotations.json").read_text())
    assert [row["name"] for row in coco["categories"]] == ["guitar"] and len(coco["images"]) == 2
