"""The command line: JSON out, one sentence when it cannot be done, and the exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fake_engine import CAT_AND_DOG, CAT_WITH_MASK, fake_pipeline
from PIL import Image
from safetensors.torch import load_file, save_file

from gemma_vision.cli import main
from gemma_vision.errors import CheckpointError
from gemma_vision.evaluate import read_dataset
from gemma_vision.requests.prompts import PALIGEMMA
from postprocess.exports import EXPORTERS, READERS

ROOT = Path(__file__).parent.parent
BOX = "<loc0102><loc0102><loc0512><loc0460>"


@pytest.fixture
def loaded(monkeypatch):
    """A fake pipeline in the place of every model; what was asked to be loaded is kept."""
    asked: list[tuple] = []

    def use(script=CAT_AND_DOG, **options):
        pipeline = fake_pipeline(script, **options)

        def load(*arguments, **options):
            asked.append(arguments)
            return pipeline

        monkeypatch.setattr("gemma_vision.registry.loading.load", load)
        monkeypatch.setattr("gemma_vision.cli.score.load", load)
        monkeypatch.setattr("gemma_vision.registry.loading.check_request", lambda name, asked: None)
        pipeline.asked = asked
        return pipeline

    return use


@pytest.fixture
def run(capsys):
    """Runs a command line: (exit code, standard output, standard error)."""

    def call(*words):
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_one_picture_gives_one_object(run, loaded, picture_file):
    loaded()
    code, out, err = run("detect", picture_file, "cat ; dog")
    answer = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert [one["label"] for one in answer["instances"]] == ["cat", "dog"]
    assert answer["prompt"] == "detect cat ; dog"
    assert "file" not in answer


def test_several_pictures_give_a_line_each(run, loaded, picture, tmp_path):
    pipeline = loaded()
    files = [tmp_path / f"{n}.png" for n in range(10)]
    for file in files:
        picture.crop((0, 0, 64, 48)).save(file)
    code, out, _ = run("detect", *files, "cat")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line["file"] for line in lines] == [str(file) for file in files]
    assert len(pipeline.asked) == 1


def test_pictures_that_fail_are_named_and_the_others_go_on(run, loaded, picture_file, tmp_path):
    loaded()
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    code, out, err = run("detect", picture_file, bad, tmp_path / "none.png", picture_file, "cat")
    assert code == 1
    assert len(out.splitlines()) == 2
    assert [str(bad) in err.splitlines()[0], "none.png" in err.splitlines()[1]] == [True, True]
    assert len(err.splitlines()) == 2


def test_when_every_picture_fails_nothing_was_done(run, loaded, tmp_path):
    loaded()
    code, out, err = run("detect", tmp_path / "a.png", tmp_path / "b.png", "cat")
    assert (code, out, len(err.splitlines())) == (2, "", 2)


def bad_files(folder: Path) -> dict[str, Path]:
    whole = folder / "whole.png"
    Image.effect_noise((64, 64), 50).save(whole)
    data = whole.read_bytes()
    bomb = bytearray(data)
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2  # the header's width and height
    contents = {
        "text.png": b"this is no picture",
        "truncated.png": data[: len(data) // 2],
        "empty.png": b"",
        "bomb.png": bytes(bomb),
        "svg.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in [*contents, "missing.png"]}


@pytest.mark.parametrize(
    "name", ["text.png", "truncated.png", "empty.png", "bomb.png", "svg.svg", "missing.png"]
)
def test_a_file_that_is_no_picture_is_refused_before_a_model_is_loaded(run, loaded, tmp_path, name):
    pipeline = loaded()
    assert_refused(run("detect", bad_files(tmp_path)[name], "cat"), name.rpartition(".")[0])
    assert pipeline.asked == []


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param(["detect", "PICTURE", ""], "Nothing to detect", id="no names"),
        pytest.param(["detect", "PICTURE", "PICTURE", " ; "], "Nothing to detect", id="of two"),
        pytest.param(["detect", "PICTURE", "a <image>"], "<image>", id="image token"),
        pytest.param(["ask", "PICTURE", "<loc0000>?"], "<loc0000>", id="loc token"),
        pytest.param(["ask", "PICTURE", ""], "text is empty", id="no question"),
        pytest.param(["detect", "PICTURE"], "photo.jpg", id="words or picture missing"),
        pytest.param(["detect"], "required", id="everything missing"),
        pytest.param(["fly"], "'detect', 'segment'", id="unknown verb"),
        pytest.param(
            ["detect", "PICTURE", "cat", "--save", ""], "name a folder", id="save nowhere"
        ),
        pytest.param(
            ["annotate", "", "--text", "cat", "--save", "OUT"], "name a folder", id="of no folder"
        ),
        pytest.param(["annotate", "OUT", "--save", " "], "name a folder", id="annotate nowhere"),
        pytest.param(["eval", ""], "name a folder", id="an unnamed data set"),
        pytest.param(["eval", "OUT", "--report", ""], "name a folder", id="report nowhere"),
        pytest.param(["finetune", "", "--name", "a"], "name a folder", id="learn from nothing"),
        pytest.param(["finetune", "OUT", "--out", ""], "name a folder", id="learn into nowhere"),
        pytest.param(["merge", "OUT", "--out", ""], "name a folder", id="merge into nowhere"),
        pytest.param(["detect", "PICTURE", "cat", "--fast"], "--fast", id="unknown option"),
        pytest.param(["caption", "PICTURE", "--language", "xx"], "xx", id="unknown language"),
        pytest.param(["caption", "PICTURE", "--style", "long"], "cap", id="unknown style"),
        pytest.param(
            ["caption", "PICTURE", "--region", "0,0,1"], "x0, y0, x1, y1", id="half a region"
        ),
        pytest.param(["caption", "PICTURE", "--region", "left"], "0,0,0.5,1", id="region in words"),
        pytest.param(
            ["caption", "PICTURE", "--region", "0,0,2,1"], "0 to 1", id="a region outside"
        ),
        pytest.param(
            ["detect", "PICTURE", "cat", "--region", "0,0,1,1"], "--region", id="of boxes"
        ),
        pytest.param(
            ["caption", "PICTURE", "--max-tokens", "0"], "--max-tokens is 0", id="no tokens"
        ),
        pytest.param(["caption", "PICTURE", "--max-tokens", "x"], "int", id="tokens are no number"),
        pytest.param(["caption", "PICTURE", "--as", "coco"], "--save", id="as without save"),
        pytest.param(
            ["caption", "PICTURE", "--save", "OUT", "--as", "gif"], "overlay", id="unknown kind"
        ),
        pytest.param(
            ["caption", "PICTURE", "--save", "PICTURE"], "is no folder", id="save to a file"
        ),
        pytest.param(["parse", "cat"], "--size", id="parse without a size"),
        pytest.param(["parse", "cat", "--size", "640"], "640x480", id="half a size"),
        pytest.param(["parse", "cat", "--size", "0x5"], "no pixels", id="an empty picture"),
        pytest.param(["parse", "cat", "PICTURE", "--size", "6x5"], "not both", id="two sizes"),
        pytest.param(["parse", "cat", "--size", "6x5", "--policy", "x"], "policy", id="policy"),
        pytest.param(["parse", "cat", "--size", "999999x1"], "--size is 999999x1", id="too wide"),
        pytest.param(["parse", "cat", "--size", "9999x9999"], "80 million", id="too many pixels"),
        pytest.param(["parse", "\udcff", "--size", "6x5"], "UTF-8", id="bytes that are no text"),
        pytest.param(["parse", "cat", "--size", "6x5", "--max-overlap", "5"], "--max-overlap is 5"),
        pytest.param(["detect", "PICTURE", "cat", "--max-overlap", "5"], "--max-overlap is 5"),
        pytest.param(["detect", "PICTURE", "cat", "--min-score", "nan"], "--min-score is nan"),
        pytest.param(["ask", "PICTURE", "cat", "--temperature", "9"], "--temperature is 9.0"),
        pytest.param(["ask", "PICTURE", "cat", "--seed", "-1"], "--seed is -1"),
        pytest.param(["detect", "PICTURE", "\udcff"], "", id="words that are no text"),
        pytest.param(["\udcff"], "\\udcff", id="a verb that is no text"),
        pytest.param(["eval", "OUT"], "annotations.json", id="no data set"),
        pytest.param(["eval", "OUT", "--limit", "0"], "--limit", id="no pictures"),
    ],
)
def test_a_mistake_gets_one_sentence_and_code_2(run, loaded, picture_file, tmp_path, words, said):
    pipeline = loaded()
    places = {"PICTURE": picture_file, "OUT": tmp_path / "out"}
    assert_refused(run(*(places.get(word, word) for word in words)), said)
    assert pipeline.asked == []


def test_a_task_the_checkpoint_lacks_is_refused(run, loaded, picture_file):
    loaded(tasks=["detect"])
    assert_refused(run("caption", picture_file), "it can detect")


def test_an_unknown_model_is_refused(run, picture_file, tmp_path):
    said = run("detect", picture_file, "cat", "--model", tmp_path / "no-model")
    assert_refused(said, "no-model")


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param(["detect", "cat", "google/gemma-3-4b-it"], "cannot detect", id="family"),
        pytest.param(["chat", "hello", "tiny"], "tiny cannot chat", id="embedded"),
    ],
)
def test_what_a_checkpoint_cannot_do_is_refused_before_it_is_loaded(
    run, monkeypatch, picture_file, words, said
):
    monkeypatch.setattr("gemma_vision.registry.loading.load", lambda *arguments, **options: 1 / 0)
    verb, text, model = words
    assert_refused(run(verb, picture_file, text, "--model", model), said)


def test_a_checkpoints_fault_is_told_in_its_words(run, monkeypatch, picture_file):
    def load(*arguments, **options):
        raise CheckpointError("Tensors missing: a.weight; surplus: b.weight.")

    monkeypatch.setattr("gemma_vision.registry.loading.load", load)
    assert_refused(run("detect", picture_file, "cat"), "missing: a.weight; surplus: b.weight")


@pytest.mark.parametrize("fault", ["missing", "surplus"])
def test_a_real_checkpoint_with_a_wrong_tensor_names_it(
    run, random_checkpoint, picture_file, tmp_path, fault
):
    folder = shutil.copytree(random_checkpoint, tmp_path / fault)
    tensors = load_file(folder / "model.safetensors")
    name = "multi_modal_projector.linear.bias"
    if fault == "surplus":
        tensors[name := "multi_modal_projector.linear.extra"] = tensors[
            "multi_modal_projector.linear.bias"
        ].clone()
    else:
        del tensors[name]
    save_file(tensors, folder / "model.safetensors")
    result = run("detect", picture_file, "cat", "--model", folder)
    assert_refused(result, f"{fault}: {name.replace('multi_modal_', '')}")


def test_a_mistake_of_ours_is_not_dressed_up_as_the_persons(run, monkeypatch, picture_file):
    def load(*arguments, **options):
        raise ValueError("shapes do not match")

    monkeypatch.setattr("gemma_vision.registry.loading.load", load)
    with pytest.raises(ValueError, match="shapes"):
        run("detect", picture_file, "cat")


@pytest.mark.parametrize(
    "words, prompt",
    [
        pytest.param(["segment", "PICTURE", "cat,dog"], "segment cat ; dog", id="segment"),
        pytest.param(["detect", "PICTURE", "-t", "cat"], "detect cat", id="text as an option"),
        pytest.param(["caption", "PICTURE", "--language", "ja"], "caption ja", id="caption"),
        pytest.param(["ask", "PICTURE", "how many?"], "answer en how many?", id="ask"),
        pytest.param(["ocr", "PICTURE"], "ocr", id="ocr"),
        pytest.param(["free", "PICTURE", "anything"], "anything", id="free"),
    ],
)
def test_each_verb_asks_its_question(run, loaded, picture_file, words, prompt):
    pipeline = loaded("words")
    code, out, _ = run(*(picture_file if word == "PICTURE" else word for word in words))
    assert (code, json.loads(out)["prompt"]) == (0, prompt)
    assert [asked.text for asked in pipeline.engine.prompts] == [prompt]


@pytest.mark.parametrize(
    "words, prompt",
    [
        pytest.param(["--style", "cap"], "cap en", id="a few words"),
        pytest.param(["--style", "describe", "--language", "it"], "describe it", id="sentences"),
        pytest.param(
            ["--region", "0,0.25,1,0.5"], "caption <loc0256><loc0000><loc0512><loc1023>", id="part"
        ),
    ],
)
def test_a_caption_may_be_of_a_style_or_of_a_part(run, loaded, picture_file, words, prompt):
    pipeline = loaded("words")
    pipeline.family = PALIGEMMA
    code, out, _ = run("caption", picture_file, *words)
    assert (code, json.loads(out)["prompt"]) == (0, prompt)


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_said_is_in_a_form_that_has_words_or_it_is_told(
    run, loaded, picture_file, tmp_path, count
):
    loaded("a cat on a mat").family = PALIGEMMA
    second = shutil.copy(picture_file, tmp_path / "second.png")
    files, out = [picture_file, second][:count], tmp_path / "out"
    code, _, err = run("caption", *files, "--save", out, "--as", "csv,paligemma")
    assert code == 0 and "no file has" not in err
    rows = (out / "answers.csv").read_text("utf-8").splitlines()[1:]
    assert rows == [f"{Path(file).name},caption en,a cat on a mat" for file in files]
    assert len((out / "train.jsonl").read_text("utf-8").splitlines()) == count
    code, _, err = run("caption", *files, "--save", out, "--as", "coco")
    assert code == 0 and err.count("no file has the words of the answer; add csv or pali") == count


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param(["--style", "cap"], 'kind "cap"', id="style"),
        pytest.param(["--region", "0,0,1,1"], 'kind "region"', id="region"),
    ],
)
def test_captions_that_only_pt_understands_are_refused_by_mix(
    run, monkeypatch, picture_file, words, said
):
    monkeypatch.setattr("gemma_vision.registry.loading.load", lambda *arguments, **options: 1 / 0)
    mix = ["--model", "google/paligemma-3b-mix-224"]
    assert_refused(run("caption", picture_file, *words, *mix), said)


def test_options_reach_the_request_and_the_loader(run, loaded, picture_file):
    pipeline = loaded()
    options = "--model m --device cpu --dtype float32 --max-tokens 7 --temperature 0.5 --seed 3"
    run("detect", *options.split(), picture_file, "cat")
    (prompt,) = pipeline.engine.prompts
    assert (prompt.max_tokens, prompt.temperature, prompt.seed) == (7, 0.5, 3)
    assert pipeline.asked == [("m", "cpu", "float32")]


def test_answers_are_tidied_on_request(run, loaded, picture_file):
    loaded(f"{BOX} cat ; {BOX} cat")
    _, out, _ = run("detect", picture_file, "cat", "--drop-repeats", "--min-score", "0.5")
    assert len(json.loads(out)["instances"]) == 1
    _, out, _ = run("detect", picture_file, "cat")
    assert len(json.loads(out)["instances"]) == 2


def test_options_may_stand_between_pictures_and_words(run, loaded, picture_file):
    loaded()
    code, out, _ = run("detect", picture_file, picture_file, "--max-tokens", 50, "cat")
    assert (code, len(out.splitlines())) == (0, 2)


def test_pictures_together_give_one_answer(run, loaded, picture_file):
    pipeline = loaded("two cats")
    code, out, _ = run("ask", "--together", picture_file, picture_file, "what?")
    assert (code, json.loads(out)["plain"]) == (0, "two cats")
    assert len(pipeline.engine.prompts[0].images) == 2


def test_files_are_written_in_the_forms_asked_for(run, loaded, picture_file, tmp_path):
    loaded(CAT_WITH_MASK)
    out = tmp_path / "new" / "out"
    code, _, err = run("segment", picture_file, "cat", "--save", out, "--as", "overlay,coco,masks")
    names = sorted(path.name for path in out.iterdir())
    assert (code, len(err.splitlines())) == (0, len(names) - 1)
    assert names == [
        "annotations.json",
        "images",
        "picture.mask.1.cat.png",
        "picture.masks.png",
        "picture.overlay.png",
    ]
    with Image.open(out / "picture.overlay.png") as drawn:
        assert drawn.size == (640, 480)


def test_pictures_of_one_name_do_not_overwrite_each_other(run, loaded, picture, tmp_path):
    loaded()
    files = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "same.png")
        picture.save(files[-1])
    run("detect", *files, "cat", "--save", tmp_path / "out", "--as", "overlay,coco")
    assert {path.name for path in (tmp_path / "out").glob("*.overlay.png")} == {
        "a_same.overlay.png",
        "b_same.overlay.png",
    }
    coco = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert [row["file_name"] for row in coco["images"]] == ["a/same.png", "b/same.png"]


def pictures_called(folder: Path, picture, *names: str) -> list[Path]:
    for name in names:
        picture.save(folder / name)
    return [folder / name for name in names]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("a b.jpg", "a_b.png"), id="alike once cleaned"),
        pytest.param(("x.jpg", "x.png", "x-2.jpg"), id="alike but for the suffix"),
        pytest.param(("X.png", "x.jpg"), id="alike but for the case"),
        pytest.param(("a" * 120 + "1.png", "a" * 120 + "2.png"), id="alike at the beginning"),
    ],
)
def test_pictures_of_alike_names_keep_their_own_and_all_their_files(
    run, loaded, picture, tmp_path, names
):
    loaded(CAT_WITH_MASK)
    files = pictures_called(tmp_path, picture, *names)
    out = tmp_path / "out"
    kinds = "masks,yolo,labelme,overlay,coco,voc"
    code, _, err = run("segment", *files, "-t", "cat", "--save", out, "--as", kinds)
    assert code == 0, err
    for pattern in ("*.masks.png", "labels/*.txt", "*.overlay.png", "*.xml"):
        assert len({path.name.casefold() for path in out.glob(pattern)}) == len(names), pattern
    for kind in ("coco", "yolo", "labelme", "voc"):
        assert sorted(one.file_name for one in READERS[kind](out)) == sorted(names)


def test_what_is_saved_can_be_scored_where_the_pictures_are(run, loaded, picture, tmp_path):
    loaded()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    files = pictures_called(tmp_path, picture, "a/x.png", "a/x.jpg", "b/x.png", "y.png")
    code, _, err = run("detect", *files, "-t", "cat", "--save", tmp_path, "--as", "coco")
    assert code == 0, err
    assert [scene.path for scene in read_dataset(tmp_path).scenes] == files


def test_one_picture_twice_is_one_picture(run, loaded, picture_file, tmp_path):
    loaded()
    out = tmp_path / "out"
    twice = [picture_file, picture_file.parent / "." / picture_file.name]
    assert run("detect", *twice, "cat", "--save", out, "--as", "overlay,coco")[0] == 0
    assert {path.name for path in out.iterdir()} == {
        "annotations.json",
        "images",
        "picture.overlay.png",
    }
    assert [path.name for path in (out / "images").iterdir()] == ["picture.png"]


def blocked(folder: Path, name: str) -> Path:
    """A folder in the place of a file, which therefore cannot be written."""
    (folder / name).mkdir(parents=True)
    return folder


def test_a_file_that_cannot_be_written_costs_its_picture_alone(run, loaded, picture, tmp_path):
    loaded()
    files = pictures_called(tmp_path, picture, "a.png", "b.png", "c.png")
    out = blocked(tmp_path / "out", "a.overlay.png")
    code, said, err = run("detect", *files, "cat", "--save", out, "--as", "overlay,coco,voc")
    assert (code, len(said.splitlines())) == (1, 3)
    (complaint,) = [line for line in err.splitlines() if line.startswith("gemma-vision: ")]
    assert str(files[0]) in complaint and "overlay" in complaint and "directory" in complaint
    assert {path.name for path in out.glob("*.overlay.png") if path.is_file()} == {
        "b.overlay.png",
        "c.overlay.png",
    }
    assert [one.file_name for one in READERS["coco"](out)] == ["a.png", "b.png", "c.png"]
    assert len(list(out.glob("*.xml"))) == 3


def test_when_no_picture_can_be_written_nothing_was_done(run, loaded, picture, tmp_path):
    loaded()
    files = pictures_called(tmp_path, picture, "a.png", "b.png")
    out = blocked(tmp_path / "out", "annotations.json")
    code, _, err = run("detect", *files, "cat", "--save", out, "--as", "coco")
    assert (code, len(err.splitlines())) == (2, 2)
    assert [path.name for path in out.iterdir()] == ["annotations.json"]  # and no draft of it


def test_a_picture_that_cannot_be_written_ends_in_a_sentence(run, loaded, picture_file, tmp_path):
    loaded()
    out = blocked(tmp_path / "out", "picture.overlay.png")
    code, said, err = run("detect", picture_file, "cat", "--save", out, "--as", "overlay,voc")
    assert (code, len(said.splitlines())) == (2, 1)
    assert [line.split()[0] for line in err.splitlines()] == ["wrote", "gemma-vision:"]


def test_a_long_label_of_any_script_is_saved(run, picture_file, tmp_path):
    label, codes = "\u65e5" * 100, "<seg001>" * 16
    words = ["parse", f"{BOX} {codes} {label}", picture_file, "--mask-decoder", "embedded"]
    code, out, err = run(*words, "--save", tmp_path / "out", "--as", "masks,cutouts,overlay,voc")
    assert (code, json.loads(out)["instances"][0]["label"]) == (0, label), err
    assert len(list((tmp_path / "out").iterdir())) == 5


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are all text")
def test_file_names_that_are_no_text_are_told_and_saved(run, loaded, picture, tmp_path):
    loaded()
    files = pictures_called(tmp_path, picture, "caf\udce9.png", "b.png")
    out, missing = tmp_path / "out\udce9", tmp_path / "gone\udce9.png"
    words = ["detect", *files, missing, "-t", "cat", "--save", out, "--as", ",".join(EXPORTERS)]
    code, said, err = run(*words)
    assert code == 1 and "gone\\udce9.png" in err
    assert [json.loads(line)["file"] for line in said.splitlines()] == [str(one) for one in files]
    assert [one.file_name for one in READERS["coco"](out)] == ["caf\udce9.png", "b.png"]


def test_every_exporter_can_be_asked_for(run, loaded, picture_file, tmp_path):
    loaded(CAT_WITH_MASK)
    kinds = ",".join(EXPORTERS)
    code, _, err = run("segment", picture_file, "cat", "--save", tmp_path / "out", "--as", kinds)
    assert code == 0, err
    assert len(list((tmp_path / "out").rglob("*.*"))) >= len(EXPORTERS)


def test_parse_reads_an_answer_from_anywhere(run):
    code, out, err = run("parse", f"{BOX} cat ; <loc0001>", "--size", "640x480")
    answer = json.loads(out)
    assert (code, err, answer["policy"], answer["finish"]) == (0, "", "space", "stop")
    assert [one["label"] for one in answer["instances"]] == ["cat"]
    assert answer["instances"][0]["pixels"] == [64, 48, 288, 240]
    assert [warning["code"] for warning in answer["warnings"]] == ["incomplete_box"]
    assert (answer["model"], answer["task"]) == (None, None)


def test_parse_tidies_on_request(run):
    box = "<loc0102><loc0102><loc0512><loc0460> cat"
    code, out, _ = run("parse", f"{box} ; {box}", "--size", "640x480", "--drop-repeats")
    answer = json.loads(out)
    assert code == 0 and len(answer["instances"]) == 1
    assert [warning["code"] for warning in answer["warnings"]] == ["repeat", "removed_repeat"]
    code, out, err = run("parse", box, "--size", "640x480", "--max-overlap", "7")
    assert (code, out) == (2, "") and "--max-overlap is 7.0" in err


def test_parse_takes_a_picture_for_its_size_and_draws_on_it(run, picture_file, tmp_path):
    code, out, _ = run("parse", f"{BOX} cat", picture_file, "--save", tmp_path / "out")
    assert (code, json.loads(out)["image"]) == (0, {"width": 640, "height": 480})
    assert (tmp_path / "out" / "picture.overlay.png").is_file()


def test_parse_without_a_picture_saves_data(run, tmp_path):
    code, _, _ = run("parse", f"{BOX} cat", "--size", "640x480", "--save", tmp_path / "out")
    assert code == 0
    assert (tmp_path / "out" / "annotations.json").is_file()


def test_models_lists_what_there_is(run):
    code, out, _ = run("models")
    rows = json.loads(out)["models"]
    assert code == 0
    keys = {"id", "family", "tasks", "side", "parameters", "licence", "here"}
    assert all(row.keys() == keys for row in rows)
    assert "google/paligemma-3b-mix-224" in {row["id"] for row in rows}


def test_eval_prints_one_object_and_tells_progress_elsewhere(run, loaded, tmp_path, picture):
    loaded()
    picture.save(tmp_path / "a.png")
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "width": 640, "height": 480}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [64, 48, 224, 192]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(coco))
    code, out, err = run("eval", tmp_path)
    scores = json.loads(out)
    assert (code, scores["n_images"], scores["recall50"]) == (0, 1, 1.0)
    assert "1 of 1 pictures" in err


@pytest.mark.parametrize("option", [["--split", "val"], ["--prompt", "detect {text}"]])
def test_options_of_phrases_are_refused_where_there_are_none(
    run, loaded, tmp_path, picture, option
):
    pipeline = loaded()
    picture.save(tmp_path / "a.png")
    rows = {"images": [{"id": 1, "file_name": "a.png", "width": 640, "height": 480}]}
    coco = rows | {"annotations": [], "categories": []}
    (tmp_path / "annotations.json").write_text(json.dumps(coco))
    result = run("eval", tmp_path, *option)
    assert_refused(result, f"{option[0]} is about phrases")
    assert "no refs.json" in result[2] and pipeline.asked == []


@pytest.mark.parametrize("verb", ["detect", "caption", "parse", "eval", "models"])
def test_every_verb_explains_itself(capsys, verb):
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])
    assert left.value.code == 0
    assert f"gemma-vision {verb}" in capsys.readouterr().out


def test_no_verb_shows_the_help(capsys):
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 0
    assert 'gemma-vision detect photo.jpg "cat ; dog"' in capsys.readouterr().out


def test_an_interrupt_ends_quietly(run, monkeypatch, picture_file):
    def load(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("gemma_vision.registry.loading.load", load)
    assert run("detect", picture_file, "cat") == (130, "", "")


def python(code: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, **options
    )


def test_parse_loads_no_torch_for_boxes():
    answer = f"{BOX} {'<seg001>' * 16} cat"
    code = (
        "import sys; from gemma_vision.cli import main; "
        f"code = main(['parse', '{answer}', '--size', '640x480']); "
        "print(code, sorted({'torch', 'transformers', 'gradio'} & sys.modules.keys()))"
    )
    done = python(code)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


def test_parse_reads_standard_input():
    words = [sys.executable, "-m", "gemma_vision", "parse", "-", "--size", "64x48"]
    done = subprocess.run(words, input=f"{BOX} cat\n", capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["instances"][0]["label"] == "cat"


@pytest.mark.parametrize("locale", ["C.UTF-8", "POSIX"])
def test_bytes_that_are_no_text_end_in_a_sentence(locale):
    words = [sys.executable, "-m", "gemma_vision", "parse", "-", "--size", "64x48"]
    env = {**os.environ, "LC_ALL": locale}
    done = subprocess.run(words, input=b"\xff cat", capture_output=True, cwd=ROOT, env=env)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"UTF-8" in done.stderr


def test_an_output_without_our_letters_gets_escapes():
    words = [sys.executable, "-m", "gemma_vision", "parse", f"{BOX} \u732b", "--size", "64x48"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, cwd=ROOT, env=env)
    assert json.loads(done.stdout)["instances"][0]["label"] == "\u732b"


def test_a_reader_that_has_seen_enough_is_no_error():
    words = [sys.executable, "-m", "gemma_vision", "models"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as job:
        job.stdout.close()
        error = job.stderr.read()
        assert (job.wait(), error) == (0, b"")


def shell(line: str, **options) -> subprocess.CompletedProcess:
    """A line of the shell in which $PARSE reads an answer with a box."""
    parse = f"{sys.executable} -m gemma_vision parse '{BOX} cat' --size 64x48"
    command = line.replace("$PARSE", parse).replace("$GEMMA", f"{sys.executable} -m gemma_vision")
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, **options
    )


@pytest.mark.parametrize(
    "line, said",
    [
        pytest.param("$PARSE >&-", "Standard output is closed", id="closed output"),
        pytest.param("$PARSE >/dev/full", "standard output (No space left", id="a full disk"),
        pytest.param("$GEMMA parse - --size 9x9 <&-", "Standard input is closed", id="no input"),
        pytest.param("$GEMMA detect - cat </dev/null", "named /dev/stdin", id="a picture at -"),
        pytest.param("$PARSE --save /dev/null", "--save is /dev/null, which is no", id="no folder"),
        pytest.param("$PARSE --save /dev/null/x", "file; name a folder", id="under a file"),
    ],
)
def test_streams_and_places_that_cannot_be_used_end_in_a_sentence(line, said):
    done = shell(line)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


@pytest.mark.parametrize("error", ["2>&-", "2>/dev/full", "2> >(true)"], ids=str)
def test_work_goes_on_where_nobody_reads_what_is_said(tmp_path, error):
    done = shell(f"$PARSE --save {tmp_path}/out --as COCO,csv --policy SPACE {error}")
    assert done.returncode == 0
    assert json.loads(done.stdout)["instances"][0]["label"] == "cat"
    assert len(list((tmp_path / "out").rglob("*.*"))) == 2


def test_an_answer_saved_with_a_mark_of_the_order_of_bytes_is_read_without_it():
    done = shell("$GEMMA parse - --size 64x48", input=f"\ufeff{BOX} cat")
    assert json.loads(done.stdout)["text"] == f"{BOX} cat"


def test_the_name_of_a_file_in_the_place_of_an_answer_is_told(run, tmp_path):
    file = tmp_path / "my answer.txt"
    file.write_text(f"{BOX} cat")
    code, _, error = run("parse", file, "--size", "64x48")
    assert code == 0
    assert f"gemma-vision parse - ... < '{file}'" in error


@pytest.mark.parametrize("module", ["gemma_vision.cli", "gemma_vision.cli.program"])
def test_an_interrupt_while_the_program_is_read_in_ends_quietly(module):
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *rest):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from gemma_vision.__main__ import main\n"
        "sys.exit(main())"
    )
    done = python(code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_folder_in_the_place_of_a_picture_is_called_one(run, tmp_path):
    code, _, error = run("detect", tmp_path, "cat")
    assert (code, "is a folder. Name the picture files in it." in error) == (2, True)


def test_a_real_checkpoint_answers_from_the_shell(random_checkpoint, picture_file):
    words = ["detect", picture_file, "cat", "--model", random_checkpoint, "--max-tokens", "4"]
    done = subprocess.run(
        [sys.executable, "-m", "gemma_vision", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert (answer["task"], answer["timing"]["tokens"] <= 4) == ("detect", True)


def assert_refused(result: tuple[int, str, str], said: str) -> None:
    code, out, err = result
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1, err
    assert err.startswith("gemma-vision: ")
    assert said in err


def test_drafts_are_a_folder_that_can_be_learned_from(run, loaded, picture, tmp_path):
    loaded(f"{BOX} cat")
    (tmp_path / "photos").mkdir()
    files = pictures_called(tmp_path / "photos", picture, "a.png", "b.png")
    out = tmp_path / "drafts"
    assert run("detect", *files, "-t", "cat", "--save", out, "--as", "coco")[0] == 0
    shutil.rmtree(tmp_path / "photos")
    scenes = read_dataset(out).scenes
    assert [scene.path for scene in scenes] == [out / "images" / "a.png", out / "images" / "b.png"]
    assert all(scene.names == ("cat",) for scene in scenes)
