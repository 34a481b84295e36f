"""The embedded checkpoint on scenes that another program composed: it knows things, not a style."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
import second_composer
from second_composer import MOST_OVERLAP, SIZES, compose, shared, textures, write

from gemma_vision.evaluate import read_dataset

RECALL = 0.65  # what the checkpoint has to reach on its own scenes
SHARE = 0.8  # of that, here
SEED, COUNT = 900_071, 120

skimage = pytest.importorskip("skimage", reason="scikit-image brings the textures")


def test_it_shares_no_code_with_what_composed_the_training() -> None:
    tree = ast.parse(Path(second_composer.__file__).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in getattr(node, "names", [])]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert not imported & {"training", "cv2"} and "PIL" in imported


def test_pictures_have_many_shapes_and_one_to_four_things() -> None:
    rng = np.random.default_rng(1)
    made = [compose(rng) for _ in range(40)]
    assert {picture.size for picture, _ in made} == set(SIZES)
    assert {len(things) for _, things in made} == {1, 2, 3, 4}
    assert all(one.solid.shape == picture.size[::-1] for picture, ts in made for one in ts)


def test_things_never_share_a_pixel_and_hide_little() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        _, things = compose(rng)
        assert sum(one.solid.astype(int) for one in things).max() == 1
    assert shared((0, 0, 10, 10), (5, 0, 15, 40)) == 0.5 > MOST_OVERLAP


def test_masks_are_where_the_drawing_is(monkeypatch) -> None:
    from PIL import Image

    grey = (7, 7, 7)
    monkeypatch.setattr(second_composer, "textured", lambda rng, size: Image.new("RGB", size, grey))
    monkeypatch.setattr(second_composer, "bordered", lambda rng, ground: ground)
    rng = np.random.default_rng(3)
    for _ in range(20):
        picture, things = second_composer.attempt(rng)
        if len(things) == 1:
            differs = (np.abs(np.asarray(picture).astype(int) - grey) > 24).any(-1)
            (one,) = things
            assert np.count_nonzero(differs & ~one.solid) < 0.08 * np.count_nonzero(one.solid)
            break
    else:
        raise AssertionError("no picture with a single thing")


def test_a_seed_names_the_same_folder(tmp_path) -> None:
    folders = [write(900_072, 3, tmp_path / name) for name in ("one", "two")]
    files = sorted(path.name for path in folders[0].iterdir())
    assert len(files) == 4
    for name in files:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    boxes = [thing for scene in read_dataset(folders[0]).scenes for thing in scene.things]
    for thing in boxes:
        assert thing.box[2] > thing.box[0] and thing.box[3] > thing.box[1]


def test_no_texture_has_a_named_thing_in_it() -> None:
    assert set(textures()) == {"brick", "grass", "gravel", "coffee", "moon", "hubble_deep_field"}


@pytest.mark.slow
def test_most_of_the_recall_is_there_on_other_pictures(tmp_path) -> None:
    import gemma_vision
    from gemma_vision.evaluate import evaluate

    dataset = read_dataset(write(SEED, COUNT, tmp_path))
    scores = evaluate(gemma_vision.load("tiny", device="cpu"), dataset)
    assert scores["recall50"] >= SHARE * RECALL, scores
    assert scores["absent_empty"] >= 0.9, scores
