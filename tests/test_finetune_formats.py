"""Formats: one data set in seven layouts is one, with the same rows and the same figures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import make_model, save
from tuning import annotated, notes_of, words_of, write_data

from gemma_vision.checkpoints.mask_decoder_files import open_decoder
from gemma_vision.cli import main
from gemma_vision.evaluate import DatasetError
from gemma_vision.finetuning.check import check_data
from gemma_vision.finetuning.data.dataset_checks import read_folder
from gemma_vision.finetuning.data.dataset_layouts import LAYOUTS, read_any
from gemma_vision.finetuning.data.image_set import ImageSet
from gemma_vision.finetuning.data.lines import kinds_asked
from gemma_vision.finetuning.data.prompt_sampler import PromptSampler
from postprocess.exports import EXPORTERS

BIN = 96 / 1023  # pixels of a position in a picture of 96

pytestmark = pytest.mark.usefixtures("short_answers")


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("base"))


def rows_of(folder: Path) -> list:
    dataset = read_folder(folder)
    assert sorted(dataset.categories) == ["cone", "mug"]
    return [
        (scene.path.name, scene.size, [(thing.name, *thing.box) for thing in scene.things])
        for scene in dataset.scenes
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_rows(layout, tmp_path) -> None:
    wanted = rows_of(write_data(tmp_path / "coco"))
    got = rows_of(write_data(tmp_path / layout, layout))
    assert [row[:2] for row in got] == [row[:2] for row in wanted]
    for (*_, things), (*_, others) in zip(got, wanted, strict=True):
        assert [name for name, *_ in things] == [name for name, *_ in others]
        slack = BIN if layout == "paligemma" else 1e-3
        boxes = [np.array([row[1:] for row in some]) for some in (things, others)]
        assert np.abs(boxes[0] - boxes[1]).max() <= slack


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "coco"])
def test_every_layout_learns_to_the_same_figures(layout, base, tmp_path, capsys) -> None:
    """The same pictures are drawn and put aside, whoever wrote the data set."""
    losses = []
    for name in ("coco", layout):
        data = write_data(tmp_path / f"data-{name}", name)
        assert main(words_of(data, tmp_path / name, "--steps", "2", model=base)) == 0
        log = tmp_path / name / "runs" / "mine" / "finetune.jsonl"
        last = json.loads(log.read_text().splitlines()[-2])
        losses.append({key: value for key, value in last.items() if key != "seconds"})
        losses[-1].pop("left")
    for key, value in losses[0].items():
        assert losses[1][key] == pytest.approx(value, rel=2e-2, abs=1e-3), key


def test_masks_are_read_of_the_layouts_that_have_them(tmp_path) -> None:
    for layout in ("coco", "labelme", "label-studio", "csv"):
        dataset = read_folder(write_data(tmp_path / layout, layout, masks=True))
        for scene in dataset.scenes:
            for thing in scene.things:
                x0, y0, x1, y1 = (round(edge) for edge in thing.box)
                mask = thing.mask(scene.size)
                assert mask is not None
                assert mask.sum() == pytest.approx((x1 - x0) * (y1 - y0), rel=0.1)


def test_masks_as_codes_are_drawn_by_the_decoder_of_the_model(tmp_path) -> None:
    decoder = open_decoder("embedded")
    pictures = annotated(tmp_path, 3, masks=True)
    EXPORTERS["paligemma"](pictures, tmp_path, decoder=decoder)
    with_decoder = read_folder(tmp_path, decoder=decoder)
    for scene, picture in zip(with_decoder.scenes, pictures, strict=True):
        assert not scene.lines
        for thing, one in zip(scene.things, picture.instances, strict=True):
            mask = thing.mask(scene.size)
            assert (mask & one.mask).sum() > 0.7 * (mask | one.mask).sum()
    bare = read_folder(tmp_path)
    assert all("<seg" in suffix for scene in bare.scenes for _, suffix in scene.lines)
    assert all(scene.lines for scene in bare.scenes)


LINES = [
    ("a.png", "detect cone", "<loc0100><loc0100><loc0300><loc0300> cone"),
    ("a.png", "detect mug", ""),
    ("a.png", "caption en", "a cone on the left"),
    ("b.png", "detect cone ; mug", "<loc0100><loc0500><loc0300><loc0700> mug"),
    ("b.png", "answer en how many mugs are there?", "1"),
    ("b.png", "detect the mug on the right", "<loc0100><loc0500><loc0300><loc0700> mug"),
    ("c.png", "ocr", "STOP"),
]


def write_lines(folder: Path) -> Path:
    annotated(folder, 3)
    for old, new in zip(("00", "01", "02"), "abc", strict=True):
        (folder / f"{old}.png").rename(folder / f"{new}.png")
    rows = [dict(zip(("image", "prefix", "suffix"), row, strict=True)) for row in LINES]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def test_lines_are_names_where_they_are_names_and_else_learned_word_for_word(tmp_path) -> None:
    dataset = read_folder(write_lines(tmp_path))
    a, b, c = dataset.scenes
    assert sorted(dataset.categories) == ["cone", "mug"]
    assert (a.names, b.names, c.names) == (("cone",), ("mug",), ())
    assert a.lines == (("caption en", "a cone on the left"),)
    assert [prefix for prefix, _ in b.lines] == [
        "answer en how many mugs are there?",
        "detect the mug on the right",
    ]
    assert c.unsure == {"cone", "mug"}  # nobody said that they are not there
    absent = dataset.absent
    assert (absent[a.id], absent[b.id], absent[c.id]) == (("mug",), ("cone",), ())


def test_pictures_with_lines_stay_as_they_lie_and_are_asked_both(tmp_path) -> None:
    dataset = read_folder(write_lines(tmp_path))
    images = ImageSet(dataset.scenes, 112)
    from gemma_vision.finetuning.data.augmentation import augment

    rng = np.random.default_rng(1)
    sampler = PromptSampler(list(dataset.categories))
    shown = images.open(dataset.scenes[1])
    changed = [augment(rng, shown) for _ in range(20)]
    assert all(one.size == shown.size and one.objects == shown.objects for one in changed)
    asked = {sampler.draw(rng, shown)[0] for _ in range(80)}
    assert {"answer en how many mugs are there?", "detect the mug on the right"} <= asked
    assert any(prompt.startswith("detect mug") for prompt in asked)
    only = images.open(dataset.scenes[2])
    assert {sampler.draw(rng, only) for _ in range(9)} == {("ocr", "STOP")}


def test_lines_alone_can_be_learned_and_the_card_tells_how_many_are_right(base, tmp_path) -> None:
    folder = tmp_path / "data"
    annotated(folder, 6)
    rows = [{"image": f"{n:02d}.png", "prefix": "caption en", "suffix": "a cat"} for n in range(6)]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert main(words_of(folder, tmp_path, "--steps", "2", model=base)) == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert "5 of caption" in card and "| lines_right |" in card
    assert notes_of(tmp_path / "out")["names"] == []


def test_tasks_and_languages_of_lines_are_among_what_the_folder_says_it_can(tmp_path) -> None:
    folder = tmp_path / "data"
    annotated(folder, 20)
    prompts = ("caption de", "cap ja", "ocr", "answer fr what is it?", "count cat")
    rows = [{"image": f"{n:02d}.png", "prefix": prompts[n % 5], "suffix": "x"} for n in range(20)]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    kinds, languages = kinds_asked(read_folder(folder).scenes)
    assert (kinds, languages) == (["caption", "cap", "ocr", "ask"], ["de", "ja", "fr"])
    assert main(words_of(folder, tmp_path, "--steps", "1", model="tiny")) == 0
    notes = notes_of(tmp_path / "out")
    assert {*notes["tasks"]} >= {"cap", "ocr"} and notes["tasks"].count("caption") == 1
    assert notes["languages"][0] == "en" and {*notes["languages"]} == {"en", "de", "ja", "fr"}
    assert "questions" not in notes  # whose own were learned is asked any


def test_a_split_of_ones_own_is_asked_about_and_never_learned(base, tmp_path) -> None:
    data = write_data(tmp_path / "data", count=5)
    val = write_data(tmp_path / "val", "yolo", count=3)
    words = words_of(data, tmp_path, "--val", str(val), "--steps", "1", model=base)
    assert main(words) == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Learned from 5 pictures" in card and "3 pictures were put aside" in card
    strange = write_data(tmp_path / "strange", count=3)
    (strange / "annotations.json").write_text(
        (strange / "annotations.json").read_text().replace("mug", "vase")
    )
    with pytest.raises(DatasetError, match=r"vase, which .* does not teach"):
        from gemma_vision.finetuning.options import plan_of
        from gemma_vision.finetuning.preparation import prepare

        options = {"data": data, "val": strange, "name": "n", "out": tmp_path / "o"}
        options |= {"model": str(base), "runs": tmp_path / "r"}
        prepare(plan_of(options), resume=False, tell=lambda sentence: None)


def edited(folder: Path, change) -> Path:
    path = folder / "annotations.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return folder


def rename_half(data: dict) -> None:
    data["categories"].append({"id": 9, "name": "Mugs"})
    for row in data["annotations"][1::4]:
        row["category_id"] = 9


def move_mask(data: dict) -> None:
    data["annotations"][0]["segmentation"] = [[80, 80, 90, 80, 90, 90, 80, 90]]


def as_shares(data: dict) -> None:
    for row in data["annotations"]:
        row["bbox"] = [value / 96 for value in row["bbox"]]
        row["segmentation"] = []


DOUBTS = [
    pytest.param(rename_half, "two names", id="mug beside Mugs"),
    pytest.param(move_mask, "far from its box", id="a mask elsewhere"),
    pytest.param(as_shares, "shares of their pictures", id="boxes in 0..1"),
    pytest.param(
        lambda data: data["categories"].append({"id": 5, "name": "vase"}),
        "No picture has 'vase'",
        id="a category without things",
    ),
    pytest.param(
        lambda data: data["categories"][0].update(name="cat"),
        "a name that the base knows already",
        id="a name of the base",
    ),
    pytest.param(
        lambda data: data["annotations"].append(data["annotations"][0] | {"id": 99}),
        "have the same box",
        id="a thing twice",
    ),
    pytest.param(
        lambda data: data["images"].append(data["images"][0] | {"id": 99}),
        "1 picture is listed twice",
        id="a picture twice",
    ),
    pytest.param(
        lambda data: data["annotations"][0].update(bbox=[1, 1, 2, 2], segmentation=[]),
        "smaller than a patch",
        id="a thing too small",
    ),
]


@pytest.mark.parametrize("change, said", DOUBTS)
def test_doubtful_data_is_named_and_can_be_learned(change, said, tmp_path) -> None:
    report = check_data({"data": edited(write_data(tmp_path, count=12, masks=True), change)})
    assert not report.faults and any(said in doubt for doubt in report.doubts), report.lines


def test_a_copy_of_a_picture_is_doubtful(tmp_path) -> None:
    folder = write_data(tmp_path, count=12)
    shutil.copy(folder / "00.png", folder / "copy.png")

    def add(data: dict) -> None:
        data["images"].append(data["images"][0] | {"id": 99, "file_name": "copy.png"})

    report = check_data({"data": edited(folder, add)})
    assert any("1 of the pictures is there already" in doubt for doubt in report.doubts)


def yolo_splits(folder: Path) -> Path:
    """Two splits in one folder, as Ultralytics lays them out."""
    for split in ("train", "val"):
        for place in ("images", "labels"):
            (folder / place / split).mkdir(parents=True)
        Image.new("RGB", (50, 50), (len(split),) * 3).save(folder / "images" / split / "a.png")
        (folder / "labels" / split / "a.txt").write_text("0 0.5 0.5 0.2 0.2")
    (folder / "data.yaml").write_text("names: [cone]")
    return folder


def test_splits_that_are_taken_together_are_doubtful(tmp_path) -> None:
    """What was meant for testing would be learned."""
    told = check_data({"data": yolo_splits(tmp_path / "test" / "yolo")}).doubts
    assert any(said.startswith("The pictures of train, val are taken together") for said in told)
    lines = tmp_path / "lines"
    lines.mkdir()
    Image.new("RGB", (50, 50)).save(lines / "a.png")
    line = {"image": "a.png", "prefix": "detect cone", "suffix": ""}
    for split in ("train", "valid"):
        (lines / f"_annotations.{split}.jsonl").write_text(json.dumps(line))
    told = check_data({"data": lines}).doubts
    assert any("lines of _annotations.train.jsonl, _annotations.valid" in said for said in told)
    alone = check_data({"data": lines / "_annotations.train.jsonl"}).doubts
    assert not any("taken together" in said for said in alone)


def test_a_folder_of_labels_has_the_pictures_beside_it(tmp_path) -> None:
    reading = read_any(yolo_splits(tmp_path) / "labels")
    assert (reading.faults, len(reading.dataset.scenes)) == ((), 2)


def test_a_thing_without_a_name_is_told_and_not_learned_as_thing(tmp_path) -> None:
    Image.new("RGB", (50, 50)).save(tmp_path / "a.png")
    corners = {"points": [[1, 1], [9, 9]], "shape_type": "rectangle"}
    shapes = [corners | {"label": label} for label in ("cone", None, " ")]
    (tmp_path / "a.json").write_text(json.dumps({"shapes": shapes, "imagePath": "a.png"}))
    dataset = read_any(tmp_path).dataset
    assert [thing.name for thing in dataset.scenes[0].things] == ["cone"]
    assert "2 things without names were left out" in dataset.notices[0]


def test_names_that_are_all_unlisted_are_told_as_that(tmp_path) -> None:
    folder = write_data(tmp_path, count=12)
    report = check_data({"data": edited(folder, lambda data: data.update(categories=[]))})
    assert len([one for one in report.faults if "category" in one and "not listed" in one]) == 24
    assert not any("None of its annotations" in one for one in report.faults)


def test_few_pictures_are_doubtful_and_good_data_is_not(tmp_path) -> None:
    few = check_data({"data": write_data(tmp_path / "few", count=3)})
    assert any("There are 3 pictures" in doubt for doubt in few.doubts)
    good = check_data({"data": write_data(tmp_path / "good", count=12)})
    assert good.lines[-1] == "Nothing is wrong with it."
    assert "12 pictures with 24 things (cone 12, mug 12)" in good.summary


def test_pictures_of_both_splits_are_named(tmp_path) -> None:
    data, val = (write_data(tmp_path / name, count=12) for name in ("data", "val"))
    report = check_data({"data": data, "val": val})
    assert any("learned from too" in doubt for doubt in report.doubts)


def test_check_lists_every_fault_with_its_file_and_gives_2(tmp_path, capsys) -> None:
    folder = write_data(tmp_path, count=12)
    (folder / "03.png").unlink()
    (folder / "05.png").write_bytes(b"no picture")

    def spoil(data: dict) -> None:
        data["annotations"][0]["category_id"] = 44
        data["categories"][1]["name"] = "mug ; cup"
        data["images"][7]["width"] = 70

    edited(folder, spoil)
    assert main(["finetune", str(folder), "--check"]) == 2
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fault: ")]
    assert len(lines) == 5 and all("annotations.json: " in line for line in lines)
    for said in ("03.png", "05.png", "category 44", "'mug ; cup'", "07.png is 96 x 96"):
        assert any(said in line for line in lines), said
    assert main(["finetune", str(write_data(tmp_path / "good", count=12)), "--check"]) == 0
    assert not list(tmp_path.glob("runs"))


@pytest.mark.parametrize(
    "content, said",
    [
        pytest.param("{", "is no COCO file", id="cut off"),
        pytest.param("[]", "no tasks", id="nothing"),
        pytest.param('{"images": []}', "no pictures", id="no pictures"),
    ],
)
def test_a_file_that_is_none_ends_in_a_sentence(content, said, tmp_path) -> None:
    (tmp_path / "annotations.json").write_text(content)
    with pytest.raises(DatasetError, match=said):
        read_any(tmp_path)
