"""The score table: the protocol followed, every number checked against one worked out by hand."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import numpy as np
import pytest
from fake_engine import FakeEngine
from PIL import Image
from pycocotools import mask as coco_mask

from gemma_vision.cli.program import main
from gemma_vision.evaluate import (
    DatasetError,
    Masked,
    ReportError,
    Result,
    evaluate,
    evaluate_phrases,
    read_dataset,
    read_phrases,
    summarise,
)
from gemma_vision.evaluate.dataset import Thing
from gemma_vision.evaluate.judging import matched_ious
from gemma_vision.evaluate.record import ResultsFile
from gemma_vision.evaluate.report import confusions
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import PALIGEMMA
from gemma_vision.runtime.engine import Chunk, Prompt
from postprocess.instances import Instance, crop, describe
from postprocess.tokens import Mention, write

NAMES = ("cat", "dog", "bird", "fish", "cow")
KEYS = """
n_images n_objects recall50 recall75 ap50 ap mean_box_iou miou mask_in_box mask_in_box_mean_shape
absent_empty count_accuracy seconds_per_image policy seed
"""


def ellipse(size: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    """A filled ellipse that touches the four sides of its box, (H, W) bool."""
    x0, y0, x1, y1 = box
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    across, down = (x - (x0 + x1) / 2) / (x1 - x0) * 2, (y - (y0 + y1) / 2) / (y1 - y0) * 2
    return np.hypot(across, down) <= 1


# width -> the things of the picture of that width; every picture is 120 high
SCENES = {
    160: [("dog", (10, 10, 70, 60)), ("cat", (80, 20, 150, 110))],
    170: [("cat", (5, 5, 65, 65)), ("cat", (90, 15, 160, 100)), ("bird", (60, 70, 90, 110))],
    180: [],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A COCO folder of three pictures, five things, masks as run-lengths."""
    return write_dataset(tmp_path / "data", SCENES)


def write_dataset(folder: Path, scenes: dict, *, seed: int = 900_001, place: str = "") -> Path:
    (folder / place).mkdir(parents=True)
    images, annotations = [], []
    for number, (width, things) in enumerate(scenes.items(), 1):
        file = f"{width}.png"
        Image.new("RGB", (width, 120), (number, 0, 0)).save(folder / place / file)
        images.append({"id": number, "file_name": file, "width": width, "height": 120})
        for name, box in things:
            runs = coco_mask.encode(np.asfortranarray(ellipse((width, 120), box), np.uint8))
            x0, y0, x1, y1 = box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": NAMES.index(name) + 10,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": 1,
                    "iscrowd": 0,
                    "segmentation": {"size": runs["size"], "counts": runs["counts"].decode()},
                }
            )
    categories = [{"id": n + 10, "name": name} for n, name in enumerate(NAMES)]
    coco = {"images": images, "annotations": annotations, "categories": categories}
    coco["info"] = {"seed": seed}
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


class Oracle:
    """Knows the truth: an engine that answers rightly, and the decoder of its codes."""

    def __init__(self, scenes: dict = SCENES) -> None:
        self.scenes = scenes
        self.shapes: list[np.ndarray] = []

    def answer(self, prompt: Prompt) -> list[Chunk]:
        verb, _, wanted = prompt.text.partition(" ")
        width = prompt.images[0].width
        mentions = [
            self.mention(name, box, width, verb)
            for wish in wanted.split(" ; ")
            for name, box in self.scenes[width]
            if name == wish
        ]
        text = write(mentions)
        pieces = [f"{piece}>" for piece in text.split(">")[:-1]] + [text.rpartition(">")[2]]
        return [Chunk(piece, (1,), (0.8,)) for piece in pieces] + [Chunk("", finish="stop")]

    def mention(self, name: str, box: tuple, width: int, verb: str) -> Mention:
        (mention,) = describe([Instance(name, box, box)], (width, 120), policy="bigvision")
        if verb != "segment":
            return mention
        self.shapes.append(crop(ellipse((width, 120), box), box))
        return Mention(name, mention.box, (len(self.shapes) - 1, *[0] * 15))

    def decode(self, codes: np.ndarray, logits: bool = False) -> np.ndarray:
        soft = np.stack([self.shapes[int(row[0])] for row in np.asarray(codes)])
        return (soft * 2 - 1 if logits else soft).astype(np.float32)

    def pipeline(self, **options) -> Pipeline:
        engine = FakeEngine(self.answer)
        return Pipeline(engine, PALIGEMMA, decoder=self, policy="bigvision", **options)


def test_right_answers_get_full_marks(folder):
    scores = evaluate(Oracle().pipeline(), read_dataset(folder))
    assert list(scores) == KEYS.split()
    assert (scores["n_images"], scores["n_objects"]) == (3, 5)
    for full in ("recall50", "recall75", "ap50", "absent_empty"):
        assert scores[full] == 1.0, full
    for nearly in ("ap", "mean_box_iou", "miou", "mask_in_box"):
        assert 0.95 < scores[nearly] <= 1.0, nearly
    assert scores["count_accuracy"] is None
    assert (scores["policy"], scores["seed"]) == ("bigvision", 900_001)
    assert scores["seconds_per_image"] > 0


def test_empty_answers_miss_everything_but_the_absent(folder):
    scores = evaluate(Pipeline(FakeEngine(""), PALIGEMMA), read_dataset(folder))
    for zero in ("recall50", "recall75", "ap50", "ap", "mean_box_iou", "miou"):
        assert scores[zero] == 0.0, zero
    assert scores["absent_empty"] == 1.0
    assert scores["mask_in_box"] is scores["mask_in_box_mean_shape"] is None


def test_one_box_for_everything_is_caught_on_the_absent(folder):
    engine = FakeEngine("<loc0000><loc0000><loc1023><loc1023> cat")
    assert evaluate(Pipeline(engine, PALIGEMMA), read_dataset(folder))["absent_empty"] == 0.0


def test_the_questions_follow_the_protocol(folder):
    pipeline, dataset = Oracle().pipeline(), read_dataset(folder)
    evaluate(pipeline, dataset)
    first, second, third = (dataset.absent[number] for number in (1, 2, 3))
    assert [prompt.text for prompt in pipeline.engine.prompts] == [
        f"detect dog ; cat ; {first[0]} ; {first[1]}",
        f"detect {first[0]}",
        "segment dog",
        "segment cat",
        f"detect cat ; bird ; {second[0]} ; {second[1]}",
        f"detect {second[0]}",
        "segment bird",
        f"detect {third[0]} ; {third[1]}",
        f"detect {third[0]}",
    ]
    assert {prompt.temperature for prompt in pipeline.engine.prompts} == {0.0}


def test_absent_names_are_two_that_are_not_there_and_follow_the_seed(tmp_path):
    many = {width: SCENES[160] for width in range(100, 140)}
    draws = []
    for seed in (1, 1, 2):
        data = write_dataset(tmp_path / f"{len(draws)}", many, seed=seed)
        draws.append(read_dataset(data).absent)
    assert draws[0] == draws[1] != draws[2]
    assert all(len(set(names)) == 2 for names in draws[0].values())
    assert {name for names in draws[0].values() for name in names} == {"bird", "fish", "cow"}


def test_a_limit_takes_the_first_pictures(folder):
    scores = evaluate(Oracle().pipeline(), read_dataset(folder), limit=1)
    assert (scores["n_images"], scores["n_objects"], scores["ap50"]) == (1, 2, 1.0)


def test_progress_is_told_up_to_the_end(folder):
    told: list[tuple[int, int]] = []
    evaluate(Oracle().pipeline(), read_dataset(folder), progress=lambda *pair: told.append(pair))
    assert told[-1] == (3, 3)


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_the_batch_changes_no_score(folder, batch):
    few = evaluate(Oracle().pipeline(), read_dataset(folder), batch=batch)
    many = evaluate(Oracle().pipeline(), read_dataset(folder))
    assert few | {"seconds_per_image": 0} == many | {"seconds_per_image": 0}


def test_a_checkpoint_that_cannot_segment_is_not_asked_to(folder):
    scores = evaluate(Oracle().pipeline(tasks=["detect"]), read_dataset(folder))
    assert (scores["recall50"], scores["miou"]) == (1.0, None)


def test_masks_under_another_name_are_passed_over(folder):
    class Talkative(Oracle):
        def answer(self, prompt: Prompt):
            verb, _, name = prompt.text.partition(" ")
            if verb != "segment":
                return super().answer(prompt)
            width = prompt.images[0].width
            other = self.mention("cow", (0, 0, 40, 40), width, verb)
            right = self.mention(name, dict(self.scenes[width])[name], width, verb)
            return write([other, right])

    assert evaluate(Talkative().pipeline(), read_dataset(folder), limit=1)["miou"] > 0.95


def test_counting_is_asked_of_checkpoints_that_were_taught_to(folder):
    oracle = Oracle()

    def answer(prompt: Prompt):
        if not prompt.text.startswith("answer"):
            return oracle.answer(prompt)
        return "2 of 9 animals" if "cat" in prompt.text else "0 of them"

    pipeline = Pipeline(FakeEngine(answer), PALIGEMMA, decoder=oracle, card={"counts": True})
    scores = evaluate(pipeline, read_dataset(folder))
    # dog, cat, absent; cat, bird, absent; absent: right are the two cats and three absent names
    assert scores["count_accuracy"] == pytest.approx(4 / 7, abs=1e-6)
    assert "answer en how many dog are there?" in {
        prompt.text for prompt in pipeline.engine.prompts
    }


@pytest.mark.parametrize(
    "things, boxes, ious",
    [
        pytest.param([("cat", (0, 0, 10, 10))], [("cat", (0, 0, 10, 10))], [1.0], id="exact"),
        pytest.param([("cat", (0, 0, 10, 10))], [("cat", (0, 0, 10, 5))], [0.5], id="half"),
        pytest.param([("cat", (0, 0, 10, 10))], [("dog", (0, 0, 10, 10))], [0.0], id="other name"),
        pytest.param([("cat", (0, 0, 10, 10))], [], [0.0], id="missed"),
        pytest.param(
            [("cat", (0, 0, 10, 10)), ("cat", (0, 0, 10, 8))],
            [("cat", (0, 0, 10, 10))],
            [1.0, 0.0],
            id="one box counts for one thing",
        ),
        pytest.param(
            [("cat", (0, 0, 10, 8)), ("cat", (0, 0, 10, 10))],
            [("cat", (0, 0, 10, 9)), ("cat", (0, 0, 10, 10))],
            [8 / 9, 1.0],
            id="the best pair goes first",
        ),
    ],
)
def test_boxes_are_matched_greedily_per_name(things, boxes, ious):
    objects = [Thing(n, name, box, None) for n, (name, box) in enumerate(things)]
    found = [Instance(name, box, box) for name, box in boxes]
    assert matched_ious(objects, found) == pytest.approx(ious)


def test_average_precision_is_cocos(folder):
    """Right 0.9, wrong 0.8, right 0.7 of two things: precision 1 to recall 0.5, then 2 / 3."""
    dataset = read_dataset(folder)
    rows = [(11, (10, 10, 60, 50), 0.9), (10, (0, 0, 9, 9), 0.8), (10, (80, 20, 70, 90), 0.7)]
    found = [
        {"image_id": 1, "category_id": number, "bbox": list(box), "score": score}
        for number, box, score in rows
    ]
    result = Result(1, [1.0, 1.0], found, [], True, (0, 0), 0.1)
    scores = summarise(dataset, [result], "space")
    dog = 1.0
    cat = 0.5  # the only cat comes second of two cats
    assert scores["ap50"] == pytest.approx((dog + cat) / 2, abs=1e-6)


def test_the_mean_shape_is_what_a_lazy_decoder_would_say(tmp_path):
    """Two names, each of one shape throughout: the mean shape is right for all of them."""
    data = write_dataset(tmp_path / "data", {160: SCENES[160], 165: SCENES[160]})
    scores = evaluate(Oracle({160: SCENES[160], 165: SCENES[160]}).pipeline(), read_dataset(data))
    assert scores["mask_in_box_mean_shape"] == pytest.approx(1.0, abs=0.01)


def test_shape_scores_leave_out_things_without_a_mask(folder):
    masked = [Masked(1, 0.5, 0.6), Masked(2, 0.0, None)]
    result = Result(1, [0.0, 0.0], [], masked, True, (0, 0), 0.1)
    scores = summarise(read_dataset(folder), [result], "space")
    assert (scores["miou"], scores["mask_in_box"]) == (0.25, 0.6)


def test_a_result_survives_being_written_down():
    result = Result(7, [0.5], [{"score": 0.5}], [Masked(1, 0.5, None)], None, (1, 2), 0.25)
    assert Result.from_dict(json.loads(json.dumps(result.to_dict()))) == result


@pytest.mark.parametrize("place", ["", "images"])
def test_pictures_lie_beside_the_annotations_or_in_images(tmp_path, place):
    data = write_dataset(tmp_path / "data", SCENES, place=place)
    assert [scene.path.is_file() for scene in read_dataset(data).scenes] == [True] * 3


def test_polygons_and_crowds_are_read_as_coco_means_them(folder):
    path = folder / "annotations.json"
    coco = json.loads(path.read_text())
    square = {"segmentation": [[0, 0, 10, 0, 10, 10, 0, 10], [20, 0, 30, 0, 30, 10, 20, 10]]}
    crowd = {"segmentation": {"size": [120, 160], "counts": [0, 1200, 18000]}, "iscrowd": 1}
    coco["annotations"][0] |= square
    coco["annotations"][1] |= crowd
    path.write_text(json.dumps(coco))
    first = read_dataset(folder).scenes[0]
    assert first.things[0].mask(first.size).sum() == pytest.approx(200, abs=25)
    assert first.things[1].mask(first.size).sum() == 1200
    assert [thing.name for thing in first.objects] == ["dog"]
    assert first.names == ("dog", "cat")  # a crowd of cats is there all the same
    assert first.outlined == (first.things[0],)
    scores = evaluate(Oracle().pipeline(), read_dataset(folder))
    assert (scores["n_objects"], scores["recall50"]) == (4, 1.0)


def test_boxes_alone_are_enough(folder):
    path = folder / "annotations.json"
    coco = json.loads(path.read_text())
    for row in coco["annotations"]:
        for key in ("segmentation", "area", "iscrowd"):
            row.pop(key)
    del coco["info"]
    path.write_text(json.dumps(coco))
    scores = evaluate(Oracle().pipeline(), read_dataset(folder))
    assert (scores["recall50"], scores["ap50"], scores["miou"], scores["seed"]) == (1, 1, None, 0)


@pytest.mark.parametrize(
    "damage, said",
    [
        pytest.param(lambda f: (f / "annotations.json").unlink(), "There is no", id="no file"),
        pytest.param(lambda f: (f / "annotations.json").write_text("{"), "no COCO", id="no JSON"),
        pytest.param(lambda f: (f / "annotations.json").write_text("[]"), "no COCO", id="a list"),
        pytest.param(
            lambda f: (f / "annotations.json").write_text(
                '{"images": [], "annotations": [], "categories": []}'
            ),
            "no pictures",
            id="no pictures",
        ),
        pytest.param(lambda f: (f / "160.png").unlink(), "160.png", id="a picture is missing"),
        pytest.param(
            lambda f: Image.new("RGB", (99, 9)).save(f / "160.png"), "99 x 9", id="another size"
        ),
    ],
)
def test_a_broken_folder_is_refused_in_words(folder, damage, said):
    damage(folder)
    with pytest.raises(DatasetError, match=said):
        evaluate(Oracle().pipeline(), read_dataset(folder))


def test_a_damaged_picture_is_told_before_anything_is_asked(folder):
    widths = sorted(SCENES)
    (folder / f"{widths[-1]}.png").write_bytes((folder / f"{widths[-1]}.png").read_bytes()[:60])
    (folder / f"{widths[-2]}.png").write_bytes(b"")
    pipeline = Oracle().pipeline()
    with pytest.raises(DatasetError) as told:
        evaluate(pipeline, read_dataset(folder), batch=1)
    assert pipeline.engine.prompts == []
    assert all(f"{width}.png" in str(told.value) for width in widths[-2:])
    first = evaluate(pipeline, read_dataset(folder), limit=1)
    assert first["n_images"] == 1


def test_an_interrupted_evaluation_goes_on_where_it_stopped(folder, tmp_path):
    dataset, kept = read_dataset(folder), tmp_path / "results" / "kept.jsonl"
    whole = evaluate(Oracle().pipeline(), dataset)
    first = Oracle().pipeline()
    evaluate(first, dataset, limit=2, results=kept)
    kept.write_text(kept.read_text()[:-20])  # cut in the middle of the second result
    second = Oracle().pipeline()
    scores = evaluate(second, dataset, results=kept)
    assert scores | {"seconds_per_image": 0} == whole | {"seconds_per_image": 0}
    assert {prompt.images[0].width for prompt in second.engine.prompts} == {170, 180}
    third = Oracle().pipeline()
    assert evaluate(third, dataset, results=kept) == scores
    assert third.engine.prompts == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"tasks": ["detect"]}, id="other tasks"),
        pytest.param({"name": "other"}, id="other checkpoint"),
    ],
)
def test_results_of_something_else_are_not_gone_on_with(folder, tmp_path, change):
    dataset, kept = read_dataset(folder), tmp_path / "kept.jsonl"
    evaluate(Oracle().pipeline(), dataset, limit=1, results=kept)
    before = kept.read_text()
    with pytest.raises(DatasetError, match="another checkpoint"):
        evaluate(Oracle().pipeline(**change), dataset, results=kept)
    assert kept.read_text() == before


@pytest.mark.parametrize("kept_size", [False, True], ids=["longer", "of the same length"])
def test_results_of_data_that_changed_are_not_gone_on_with(folder, tmp_path, kept_size):
    kept, file = tmp_path / "kept.jsonl", folder / "annotations.json"
    evaluate(Oracle().pipeline(), read_dataset(folder), limit=1, results=kept)
    text = file.read_text()
    file.write_text(text.replace('"bird"', '"bard"' if kept_size else '"sparrow"'))
    with pytest.raises(DatasetError, match="another checkpoint, data set"):
        evaluate(Oracle().pipeline(), read_dataset(folder), results=kept)
    file.write_text(text)
    assert evaluate(Oracle().pipeline(), read_dataset(folder), results=kept)["n_images"] == 3


@pytest.mark.parametrize(
    "iou, shares", [(0.5, (1, 0)), (0.75, (1, 1)), (0.4999, (0, 0)), (0.7499, (1, 0))]
)
def test_an_overlap_of_exactly_the_least_is_a_find(folder, iou, shares):
    """As COCO and RefCOCO count it."""
    scores = summarise(read_dataset(folder), [Result(1, [iou], [], [], None, (0, 0), 0.1)], "space")
    assert (scores["recall50"], scores["recall75"]) == shares


def test_pictures_without_an_absent_name_say_nothing_of_absent_names(folder):
    results = [Result(n, [], [], [], empty, (0, 0), 0.1) for n, empty in ((1, True), (2, None))]
    assert summarise(read_dataset(folder), results, "space")["absent_empty"] == 1.0


def test_a_damaged_record_is_refused_not_repaired(folder, tmp_path):
    dataset, kept = read_dataset(folder), tmp_path / "kept.jsonl"
    evaluate(Oracle().pipeline(), dataset, results=kept)
    kept.write_text(kept.read_text().replace('"ious"', "ious", 1))
    with pytest.raises(DatasetError, match="line 2 is damaged"):
        evaluate(Oracle().pipeline(), dataset, results=kept)


def test_the_report_shows_the_scores_and_the_worst_cases(folder, tmp_path):
    evaluate(Oracle().pipeline(), read_dataset(folder), report=tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text()
    files = {path.name for path in (tmp_path / "page").glob("*.jpg")}
    assert files == set(re.findall(r'src="([^"]+)"', page))
    assert len(files) == 2 * (2 + 3)  # truth and answer of two pictures and three masks
    for said in ("recall50", "170.png: mean IoU", "160.png: dog, IoU"):
        assert said in page


def test_the_home_of_somebody_is_known_to_evaluation(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    dataset = read_dataset("~/data")
    evaluate(Oracle().pipeline(), dataset, report="~/page", results="~/kept.jsonl", limit=1)
    assert (tmp_path / "page/index.html").is_file() and (tmp_path / "kept.jsonl").is_file()
    assert not (folder / "~").exists()


def test_confusion_is_told_by_name(folder):
    """Of picture 1 the dog is found, the cat called a dog; a bird is seen where nothing is."""
    dataset = read_dataset(folder)
    scene = dataset.scenes[0]
    boxes = {thing.name: list(coco_box(thing.box)) for thing in scene.objects}
    rows = [("dog", boxes["dog"]), ("dog", boxes["cat"]), ("bird", [0, 0, 3, 3])]
    found = [
        {"image_id": 1, "category_id": dataset.categories[name], "bbox": box, "score": 1.0}
        for name, box in rows
    ]
    result = Result(1, [1.0, 0.0], found, [], True, (0, 0), 0.1)
    table = {name: counts for name, *counts in confusions(dataset, [(scene, result)])}
    assert table["dog"] == [1, 0, 0, None]
    assert table["cat"] == [0, 0, 0, "dog (1)"]
    assert table["bird"] == [0, 0, 1, None]


def coco_box(box):
    x0, y0, x1, y1 = box
    return x0, y0, x1 - x0, y1 - y0


def test_a_report_that_cannot_be_written_is_told_before_anything_is_asked(folder, tmp_path):
    (tmp_path / "file").write_text("")
    pipeline = Oracle().pipeline()
    with pytest.raises(OSError, match="file"):
        evaluate(pipeline, read_dataset(folder), report=tmp_path / "file" / "page")
    assert pipeline.engine.prompts == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_results_that_cannot_be_kept_are_told_with_what_is_kept(
    folder, tmp_path, monkeypatch, capsys
):
    kept, add = tmp_path / "kept.jsonl", ResultsFile.add

    def fill(self, number, row):
        if self.rows:
            self.path = Path("/dev/full")
        add(self, number, row)

    monkeypatch.setattr("gemma_vision.cli.score.load", lambda *_, **__: Oracle().pipeline())
    with monkeypatch.context() as context:
        context.setattr(ResultsFile, "add", fill)
        assert main(["eval", str(folder), "--results", str(kept)]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "/dev/full: No space left on device. Free" in told and "Results in it: 1;" in told
    assert len(kept.read_text().splitlines()) == 2
    assert main(["eval", str(folder), "--results", str(kept)]) == 0


def test_a_table_outlives_its_report(folder, referred, tmp_path, monkeypatch, capsys):
    def fill(path, text):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("gemma_vision.evaluate.page.write_text", fill)
    monkeypatch.setattr("gemma_vision.cli.score.load", lambda *_, **__: Oracle().pipeline())
    for data in (folder, referred):
        assert main(["eval", str(data), "--report", str(tmp_path / "page"), "--limit", "1"]) == 2
        out, told = capsys.readouterr()
        assert json.loads(out) and "No space left on device. Free" in told
        assert "The scores stand; only the report" in told
    with pytest.raises(ReportError, match="No space left") as caught:
        evaluate(Oracle().pipeline(), read_dataset(folder), report=tmp_path / "page", limit=1)
    assert "recall50" in caught.value.scores


def test_a_page_of_ones_own_is_no_place_for_a_report(folder, tmp_path):
    (tmp_path / "index.html").write_text("my site")
    pipeline = Pipeline(FakeEngine(""), PALIGEMMA)
    with pytest.raises(DatasetError, match="would be lost, which is no report"):
        evaluate(pipeline, read_dataset(folder), report=tmp_path)
    assert (tmp_path / "index.html").read_text() == "my site" and not pipeline.engine.prompts
    for _ in range(2):  # a report takes the place of an earlier one
        evaluate(pipeline, read_dataset(folder), report=tmp_path / "page")


def test_names_cannot_write_into_the_report(folder, tmp_path):
    path = folder / "annotations.json"
    path.write_text(path.read_text().replace('"cat"', '"<script>x"'))
    evaluate(Pipeline(FakeEngine(""), PALIGEMMA), read_dataset(folder), report=tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;x" in page


@pytest.fixture
def referred(folder) -> Path:
    """The folder with five phrases in two splits."""
    refs = [
        {"ann_id": 1, "image_id": 1, "split": "val", "sentences": [{"sent": "dog"}, "dog"]},
        {"ann_id": 2, "image_id": 1, "split": "test", "sentences": ["cat"]},
        {"ann_id": 5, "image_id": 2, "split": "val", "sentences": [{"sent": "bird", "id": 3}]},
    ]
    (folder / "refs.json").write_text(json.dumps(refs))
    return folder


def test_phrases_are_scored_as_refcoco_is(referred):
    pipeline = Oracle().pipeline()
    scores = evaluate_phrases(pipeline, read_dataset(referred))
    assert [prompt.text for prompt in pipeline.engine.prompts] == [
        "segment dog",
        "segment dog",
        "segment cat",
        "segment bird",
    ]
    assert (scores["n_images"], scores["n_phrases"], scores["invalid"]) == (2, 4, 0.0)
    assert scores["box_accuracy50"] == scores["box_accuracy75"] == 1.0
    assert scores["miou"] > 0.95


def test_the_report_of_phrases_shows_the_worst_of_them(referred, tmp_path):
    pipeline, page = Oracle().pipeline(), tmp_path / "page"
    evaluate_phrases(pipeline, read_dataset(referred), report=page, prompt="detect {text}")
    text = (page / "index.html").read_text()
    assert text.count("<figure>") == text.count("not a valid answer") == 4
    assert "box_accuracy50" in text
    assert len(list(page.glob("phrase-*.jpg"))) == 8


def test_an_answer_without_codes_is_invalid_and_worth_nothing(referred):
    pipeline = Oracle().pipeline()
    scores = evaluate_phrases(pipeline, read_dataset(referred), prompt="detect {text}")
    assert (scores["invalid"], scores["miou"], scores["box_accuracy50"]) == (1.0, 0.0, 0.0)


def test_one_split_is_taken_where_it_is_named(referred):
    dataset = read_dataset(referred)
    assert [phrase.text for phrase in read_phrases(dataset, "test")] == ["cat"]
    with pytest.raises(DatasetError, match="no sentence of split dev"):
        read_phrases(dataset, "dev")


def test_phrases_go_on_where_they_stopped(referred, tmp_path):
    dataset, kept = read_dataset(referred), tmp_path / "kept.jsonl"
    evaluate_phrases(Oracle().pipeline(), dataset, limit=1, results=kept)
    second = Oracle().pipeline()
    evaluate_phrases(second, dataset, results=kept, batch=2)
    assert len(second.engine.prompts) == 3
    with pytest.raises(DatasetError, match="another"):
        evaluate_phrases(second, dataset, results=kept, prompt="{text}")


@pytest.mark.parametrize(
    "refs", ["{", '[{"image_id": 1}]', '[{"image_id": 9, "ann_id": 1}]', "[1]"]
)
def test_broken_phrases_are_refused_in_words(folder, refs):
    (folder / "refs.json").write_text(refs)
    with pytest.raises(DatasetError, match="no list of referring expressions"):
        read_phrases(read_dataset(folder))


def test_phrases_need_a_decoder(referred):
    with pytest.raises(DatasetError, match="no mask decoder"):
        evaluate_phrases(Pipeline(FakeEngine(""), PALIGEMMA), read_dataset(referred))
