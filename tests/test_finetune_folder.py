"""What is learned from: folders with mistakes are refused in words, crops keep boxes true."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gemma_vision.evaluate import DatasetError
from gemma_vision.finetuning.data import augmentation
from gemma_vision.finetuning.data.dataset_checks import read_folder
from gemma_vision.finetuning.data.image_set import (
    ImageObject,
    ImageSet,
    LabelledImage,
    is_askable,
    open_scene,
    shrink,
)
from gemma_vision.finetuning.data.patch_labels import patch_kinds, patch_labels
from gemma_vision.finetuning.data.prompt_sampler import PromptSampler
from gemma_vision.finetuning.data.splitting import split
from gemma_vision.finetuning.learning.patch_head import PatchHead

SQUARE = [10, 10, 40, 10, 40, 30, 10, 30]
COCO = {
    "images": [
        {"id": 1, "file_name": "a.png", "width": 80, "height": 60},
        {"id": 2, "file_name": "b.png", "width": 80, "height": 60},
    ],
    "categories": [{"id": 1, "name": "cup"}, {"id": 2, "name": "red pen"}],
    "annotations": [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 1,
            "bbox": [10, 10, 30, 20],
            "segmentation": [SQUARE],
        },
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [50, 5, 20, 50]},
        {"id": 3, "image_id": 2, "category_id": 2, "bbox": [0, 0, 80, 60], "iscrowd": 1},
    ],
}


def write(folder: Path, coco: dict) -> Path:
    for row in coco["images"]:
        Image.new("RGB", (80, 60), "teal").save(folder / row["file_name"])
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def spoiled(path: tuple, value: object) -> dict:
    """The folder's file with one value put where the path leads."""
    coco = deepcopy(COCO)
    *way, last = path
    place = coco
    for step in way:
        place = place[step]
    place[last] = value
    return coco


def test_a_folder_with_polygons_boxes_and_crowds_is_read(tmp_path: Path) -> None:
    scenes = read_folder(write(tmp_path, COCO)).scenes
    shown = open_scene(scenes[0])
    assert [thing.name for thing in shown.objects] == ["cup", "red pen"]
    assert shown.objects[0].mask.sum() == pytest.approx(600, rel=0.1)
    assert shown.objects[1].mask is None
    crowd = open_scene(scenes[1])
    assert crowd.objects == () and crowd.unsure == {"red pen"}


@pytest.mark.parametrize(
    "path, value, said",
    [
        pytest.param(("annotations", 0, "category_id"), 9, "not listed", id="no such name"),
        pytest.param(
            ("annotations", 0, "segmentation"),
            {"size": [6, 8], "counts": [0, 48]},
            "8 x 6, its picture 80 x 60",
            id="mask of another size",
        ),
        pytest.param(("annotations",), [], "lists no things", id="nothing"),
        pytest.param(("categories", 0, "name"), "cup ; pen", "cannot be asked", id="semicolon"),
        pytest.param(("categories", 0, "name"), " ", "cannot be asked", id="no letters"),
        pytest.param(("categories", 0, "name"), "<loc0001>", "cannot be asked", id="position"),
        pytest.param(("images", 0, "width"), 70, "annotations say 70 x 60", id="another size"),
    ],
)
def test_mistakes_are_named_in_one_sentence(path, value, said, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=said) as caught:
        read_folder(write(tmp_path, spoiled(path, value)))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "path, value, said",
    [
        pytest.param(("annotations", 0, "image_id"), 9, "is not listed", id="no such picture"),
        pytest.param(("annotations", 0, "segmentation"), [[1, 2, 3]], "three corners", id="a line"),
        pytest.param(("annotations", 0, "segmentation"), {"size": [60, 80]}, "mask", id="no mask"),
        pytest.param(("annotations", 1, "bbox"), [1, 2, 0, 5], "without an area", id="no area"),
        pytest.param(("annotations", 1, "bbox"), [60, 2, 30, 5], "cut off", id="outside"),
    ],
)
def test_what_cannot_be_learned_from_is_left_out_and_told(path, value, said, tmp_path) -> None:
    dataset = read_folder(write(tmp_path, spoiled(path, value)))
    assert said in dataset.notices[0]


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    write(tmp_path, COCO)
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    with pytest.raises(DatasetError, match=r"b\.png"):
        read_folder(tmp_path)


def test_all_mistakes_are_named_at_once_and_many_are_counted(tmp_path: Path) -> None:
    coco = deepcopy(COCO)
    coco["images"] = [COCO["images"][0] | {"id": i, "file_name": f"{i}.png"} for i in range(9)]
    coco["annotations"] = [COCO["annotations"][0] | {"id": i, "image_id": i} for i in range(9)]
    write(tmp_path, coco)
    for number in (1, 4):
        (tmp_path / f"{number}.png").write_bytes(b"")
    with pytest.raises(DatasetError) as two:
        read_folder(tmp_path)
    assert "1.png" in str(two.value) and "4.png" in str(two.value)
    for number in range(9):
        (tmp_path / f"{number}.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"And 6 more of the kind; --check lists them all\.$"):
        read_folder(tmp_path)


def test_pictures_put_aside_are_drawn_with_the_seed_and_learned_from_never(tmp_path: Path) -> None:
    coco = deepcopy(COCO)
    coco["images"] = [COCO["images"][0] | {"id": i, "file_name": f"{i}.png"} for i in range(20)]
    coco["annotations"] = [COCO["annotations"][0] | {"id": i, "image_id": i} for i in range(20)]
    dataset = read_folder(write(tmp_path, coco))
    learned, held = split(dataset, 0.2, seed=3)
    numbers = [{scene.id for scene in part.scenes} for part in (learned, held)]
    assert len(numbers[1]) == 4 and not numbers[0] & numbers[1]
    assert numbers[0] | numbers[1] == set(range(1, 21))
    assert split(dataset, 0.2, seed=3)[1].scenes == held.scenes
    assert split(dataset, 0.2, seed=4)[1].scenes != held.scenes


def test_one_picture_is_too_few(tmp_path: Path) -> None:
    coco = spoiled(("annotations",), COCO["annotations"][:2])
    coco["images"] = coco["images"][:1]
    with pytest.raises(DatasetError, match="at least two"):
        split(read_folder(write(tmp_path, coco)), 0.2, seed=1)


def a_picture(rng: np.random.Generator, *, masked: bool) -> LabelledImage:
    """Two things on noise: a disc and a box, with masks or without."""
    y, x = np.mgrid[:120, :160]
    disc = np.hypot(x - 50, y - 60) < 25
    box = (x >= 100) & (x < 140) & (y >= 20) & (y < 100)
    pixels = rng.integers(0, 100, (120, 160, 3)).astype(np.uint8)
    pixels[disc], pixels[box] = (255, 0, 0), (0, 255, 0)
    objects = (
        ImageObject("disc", (26, 36, 75, 85), disc if masked else None),
        ImageObject("slab", (100, 20, 140, 100), box if masked else None),
    )
    return LabelledImage(pixels, objects)


PAINT = {"disc": 0, "slab": 1}


def painted(shown: LabelledImage, name: str) -> np.ndarray:
    """Where a thing's own colour is."""
    channel = PAINT[name]
    others = [c for c in range(3) if c != channel]
    light = shown.pixels.astype(int)
    return (light[..., channel] > 150) & (light[..., others].max(-1) < 60)


@pytest.mark.parametrize("masked", [True, False], ids=["masks", "boxes"])
def test_boxes_stay_true_however_a_picture_is_cropped_and_mirrored(masked: bool) -> None:
    rng = np.random.default_rng(1)
    sizes = set()
    for _ in range(200):
        shown = augmentation.random_crop(rng, a_picture(rng, masked=masked))
        shown = augmentation.mirror(shown) if rng.random() < 0.5 else shown
        sizes.add(shown.size)
        for thing in shown.objects:
            ys, xs = np.nonzero(painted(shown, thing.name))
            assert thing.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            if masked:
                assert (thing.mask == painted(shown, thing.name)).all()
        unseen = {"disc", "slab"} - {thing.name for thing in shown.objects}
        assert not any(painted(shown, name).any() for name in unseen)
    assert len(sizes) > 100


def test_without_masks_nothing_is_cut() -> None:
    rng = np.random.default_rng(2)
    shown = a_picture(rng, masked=False)
    assert augmentation.crop(shown, (40, 0, 160, 120)) is None
    assert len(augmentation.crop(shown, (90, 0, 160, 120)).objects) == 1


def test_with_a_mask_half_of_a_thing_has_to_be_seen() -> None:
    shown = a_picture(np.random.default_rng(3), masked=True)
    assert augmentation.crop(shown, (60, 0, 160, 120)) is None
    cut = augmentation.crop(shown, (45, 0, 160, 120))
    assert cut.objects[0].box == (0, 36, 30, 85)


def test_colours_change_and_the_given_picture_does_not() -> None:
    rng = np.random.default_rng(4)
    shown = a_picture(rng, masked=True)
    before = shown.pixels.copy()
    other = augmentation.augment(rng, shown)
    assert (shown.pixels == before).all()
    assert other.pixels.dtype == np.uint8 and other.pixels.shape[2] == 3


def test_smaller_pictures_show_the_same() -> None:
    small = shrink(a_picture(np.random.default_rng(5), masked=True), 80)
    assert small.size == (80, 60)
    assert small.objects[1].box == (50, 10, 70, 50)
    assert small.objects[1].mask.sum() == 800


def test_pictures_are_opened_once(tmp_path: Path) -> None:
    image_set = ImageSet(read_folder(write(tmp_path, COCO)).scenes, 112)
    assert image_set.open(image_set.scenes[0]) is image_set.open(image_set.scenes[0])


def test_a_crowd_of_the_only_name_leaves_nothing_to_ask(tmp_path: Path) -> None:
    scenes = read_folder(write(tmp_path, COCO)).scenes
    assert not is_askable(scenes[1], ["red pen"])
    assert is_askable(scenes[1], ["red pen", "cup"])


class Codes:
    """A mask encoder that writes the share of the mask into every code."""

    def encode(self, masks: np.ndarray) -> np.ndarray:
        return np.repeat((masks.mean((1, 2)) * 127).astype(int)[:, None], 16, 1)


def test_answers_hold_what_was_asked_and_is_there() -> None:
    from postprocess.tokens import parse

    rng = np.random.default_rng(6)
    shown = a_picture(rng, masked=True)
    sampler = PromptSampler(["disc", "slab", "cup"], Codes())
    kinds = set()
    for _ in range(200):
        prompt, answer = sampler.draw(rng, shown)
        verb, _, words = prompt.partition(" ")
        asked = words.split(" ; ")
        mentions = parse(answer)
        assert [mention.label for mention in mentions] == [n for n in asked if n in PAINT]
        assert all(bool(mention.codes) is (verb == "segment") for mention in mentions)
        kinds.add((verb, len(mentions)))
    assert kinds == {("detect", 0), ("detect", 1), ("detect", 2), ("segment", 0), ("segment", 1)}


def test_things_without_masks_are_never_outlined_and_never_denied_one() -> None:
    rng = np.random.default_rng(10)
    shown = a_picture(rng, masked=False)
    sampler = PromptSampler(["disc", "slab", "cup"], Codes())
    assert all(sampler.draw(rng, shown)[0].startswith("detect ") for _ in range(60))


def test_names_of_crowds_are_never_asked_for() -> None:
    rng = np.random.default_rng(7)
    shown = LabelledImage(np.zeros((50, 50, 3), np.uint8), (), frozenset({"pen"}))
    sampler = PromptSampler(["pen", "cup"], Codes())
    assert {sampler.draw(rng, shown) for _ in range(50)} <= {
        ("detect cup", ""),
        ("segment cup", ""),
    }


def test_with_one_name_that_is_there_it_is_always_asked_for() -> None:
    rng = np.random.default_rng(8)
    shown = LabelledImage(np.zeros((50, 50, 3), np.uint8), (ImageObject("cup", (10, 10, 20, 30)),))
    sampler = PromptSampler(["cup"], Codes())
    asked = {sampler.draw(rng, shown) for _ in range(50)}
    assert asked == {("detect cup", "<loc0205><loc0205><loc0614><loc0409> cup")}


def test_patches_know_the_thing_at_their_middle() -> None:
    shown = a_picture(np.random.default_rng(9), masked=True)
    kinds = patch_kinds(shown, patch_labels(shown, 8), ["disc", "slab"]).reshape(8, 8)
    assert kinds[4, 2] == 0 and kinds[3, 5] == 1 and kinds[0, 0] == 2
    outlined = a_picture(np.random.default_rng(9), masked=False)
    bare = patch_kinds(outlined, patch_labels(outlined, 8), ["disc", "slab"]).reshape(8, 8)
    assert (bare[4, 2], bare[0, 0]) == (0, 2)


def test_patches_know_where_their_thing_ends_and_its_shape() -> None:
    mask = np.zeros((40, 80), bool)
    mask[10:30, 20:40] = True
    mask[10:20, 20:30] = False  # its upper left quarter
    things = (ImageObject("cup", (20, 10, 40, 30), mask), ImageObject("key", (60, 0, 80, 40)))
    labels = patch_labels(LabelledImage(np.zeros((40, 80, 3), np.uint8), things), 8)
    assert np.allclose(labels.boxes, [(0.25, 0.25, 0.75, 0.5), (0, 0.75, 1, 1)])
    owners = labels.owners.reshape(8, 8)
    assert owners[2, 3] == 0 and owners[2, 2] == -1 and owners[4, 7] == 1 and owners[0, 0] == -1
    shape = labels.shapes[0].reshape(16, 16)
    assert shape[2, 2] < 0.1 and min(shape[2, 13], shape[13, 2], shape[13, 13]) > 0.9
    assert np.isnan(labels.shapes[1]).all()


def test_the_patch_head_learns_where_things_are() -> None:
    """The loss falls to next to nothing, and the ground is asked nothing."""
    torch.manual_seed(0)
    shown = [a_picture(np.random.default_rng(seed), masked=True) for seed in range(4)]
    labels = [patch_labels(one, 8) for one in shown]
    soft = torch.randn(4, 64, 32)
    head = PatchHead(32, seed=1)
    opt = torch.optim.Adam(head.parameters(), 1e-2)
    first = head.loss(soft, labels).item()
    for _ in range(300):
        opt.zero_grad()
        head.loss(soft, labels).backward()
        opt.step()
    assert head.loss(soft, labels).item() < 0.2 * first
    empty = patch_labels(LabelledImage(np.zeros((9, 9, 3), np.uint8), ()), 8)
    assert head.loss(soft[:1], [empty]).item() == 0
    again = PatchHead(32, seed=1)
    assert torch.equal(again.box.weight, PatchHead(32, seed=1).box.weight)
