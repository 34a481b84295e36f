"""Annotate: a folder becomes a data set, and the same one whoever is interrupted how often."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import annotating
import pytest
from annotating import write_pictures
from PIL import Image

from gemma_vision.annotate import executors
from gemma_vision.annotate.run import only_run
from gemma_vision.annotate.shards import SIZE, ShardFolder
from gemma_vision.annotate.sources import PictureSource
from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.cli import main
from gemma_vision.cli.progress import ProgressLine, duration
from postprocess.datasets import READERS

ROOT = Path(__file__).parent.parent
PROGRAM = Path(annotating.__file__)
ASKED = ("--task", "segment", "--text", "cat ; dog", "--as", "coco,csv")


@pytest.fixture
def scripted(monkeypatch):
    """A scripted model in the place of every other; how often one was loaded is counted."""
    import gemma_vision
    from gemma_vision.registry import loading

    loads = []

    def load(*arguments, **options):
        loads.append(options)
        return annotating.fake_pipeline(annotating.say)

    monkeypatch.setattr(gemma_vision, "load", load)  # first, for it looks the other up
    monkeypatch.setattr(loading, "load", load)
    return loads


@pytest.fixture
def run(capsys):
    """Runs `annotate`: (exit code, what it came to, standard error)."""

    def call(source, out, *words):
        code = main(["annotate", str(source), "--save", str(out), *map(str, words or ASKED)])
        printed = capsys.readouterr()
        return code, json.loads(printed.out or "null"), printed.err

    return call


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def plan_folder(out: Path) -> Path:
    """Where the shards of the one plan of a run lie."""
    (folder,) = (path for path in (out / ".annotate").iterdir() if path.is_dir())
    return folder


def test_a_folder_becomes_a_data_set_with_its_pictures(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 40)
    code, counts, err = run(tmp_path / "in", tmp_path / "out")
    assert (code, counts["pictures"], counts["annotated"], counts["instances"]) == (0, 40, 40, 80)
    assert counts["labels"] == {"cat": 40, "dog": 40}
    data = READERS["coco"](tmp_path / "out")
    names = {picture.file_name for picture in data}
    assert names == set(PictureSource(str(tmp_path / "in")).names())
    assert {"a/0000.png", "a/b c/0000.png", "0000.png", "d/0000.png"} < names
    assert (tmp_path / "out" / "images" / "a" / "b c" / "0000.png").is_file()
    assert "a second" in err and "wrote" in err
    page = (tmp_path / "out" / "index.html").read_text()
    assert "40 pictures annotated" in page and "report/01.jpg" in page
    assert (tmp_path / "out" / "report" / "12.jpg").is_file()


def test_a_second_run_does_nothing(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 40)
    _, first, _ = run(tmp_path / "in", tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    code, second, _ = run(tmp_path / "in", tmp_path / "out")
    assert (code, second, len(scripted)) == (0, first, 1)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_bad_pictures_are_listed_and_passed_over(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 8)
    (tmp_path / "in" / "a" / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "in" / "empty.png").touch()
    (tmp_path / "in" / "notes.txt").write_text("no picture either, and nobody says it is one")
    (tmp_path / "in" / ".hidden.png").write_bytes(b"nor this")
    for _ in range(2):  # they are listed again where nothing else is done
        code, counts, err = run(tmp_path / "in", tmp_path / "out")
        assert (code, counts["pictures"], counts["annotated"]) == (1, 10, 8)
        assert [one["file"] for one in counts["failed"]] == ["a/bad.jpg", "empty.png"]
        assert [one["code"] for one in counts["failed"]] == ["E_IMAGE_FORMAT", "E_IMAGE_EMPTY"]
        assert "gemma-vision: a/bad.jpg: " in err and "gemma-vision: empty.png: " in err
    assert "a/bad.jpg" in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.parametrize(
    "make, words, said",
    [
        pytest.param(lambda path: None, ASKED, "There is no folder", id="no folder"),
        pytest.param(lambda path: path.mkdir(), ASKED, "There are no pictures", id="empty"),
        pytest.param(
            lambda path: write_pictures(path, 1),
            ("--task", "detect", "--text", ""),
            "Nothing to detect",
            id="no names",
        ),
        pytest.param(
            lambda path: write_pictures(path, 1),
            ("--task", "detect", "--text", "yeti"),
            "yeti",
            id="unknown name",
        ),
        pytest.param(
            lambda path: write_pictures(path, 1),
            ("--text", "cat", "--as", "docx"),
            '"docx" cannot be written',
            id="unknown form",
        ),
        pytest.param(
            lambda path: write_pictures(path, 1),
            ("--task", "caption", "--as", "coco,overlay"),
            "coco has no place for the words that caption gives; take csv or paligemma.",
            id="no place for words",
        ),
        pytest.param(
            lambda path: write_pictures(path, 1),
            ("--text", "cat", "--workers", "0"),
            "--workers is 0",
            id="no workers",
        ),
        pytest.param(
            lambda path: (path.mkdir(), (path / "a.png").write_bytes(b"bad")),
            ("--text", "cat"),
            "a.png",
            id="all bad",
        ),
    ],
)
def test_what_cannot_be_done_ends_with_a_sentence(run, scripted, tmp_path, make, words, said):
    make(tmp_path / "in")
    code, _, err = run(tmp_path / "in", tmp_path / "out", *words)
    assert code == 2 and said in err and "Traceback" not in err
    assert not scripted


@pytest.mark.parametrize("kinds", [(), ("--as", "coco,csv,paligemma")], ids=["unsaid", "asked"])
def test_words_come_into_the_data_set(run, scripted, monkeypatch, tmp_path, kinds):
    said = '=a cat, "on" a mat'
    monkeypatch.setattr(annotating, "say", lambda prompt: said)
    write_pictures(tmp_path / "in", 3)
    out = tmp_path / "out"
    code, counts, _ = run(tmp_path / "in", out, "--task", "caption", *kinds)
    assert code == 0 and counts["annotated"] == 3
    rows = list(csv.reader((out / "answers.csv").read_text("utf-8").splitlines()))
    assert rows[0] == ["file_name", "prompt", "answer"] and len(rows) == 4
    assert {tuple(row[1:]) for row in rows[1:]} == {("caption en", f"'{said}")}
    if kinds:
        lines = map(json.loads, (out / "train.jsonl").read_text("utf-8").splitlines())
        told = {(line["image"], line["prefix"], line["suffix"]) for line in lines}
        assert told == {(row[0], "caption en", said) for row in rows[1:]}
    again = run(tmp_path / "in", out, "--task", "caption", *kinds)
    assert again[0] == 0 and len((out / "answers.csv").read_text("utf-8").splitlines()) == 4


def test_another_question_gets_answers_of_its_own(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 8)
    run(tmp_path / "in", tmp_path / "out")
    before = contents(tmp_path / "out")
    _, counts, _ = run(tmp_path / "in", tmp_path / "out", "--text", "cat", "--as", "csv")
    assert (counts["asked"]["task"], counts["asked"]["text"]) == ("detect", "cat")
    assert not (tmp_path / "out" / "annotations.json").exists()  # of the other question
    assert not (tmp_path / "out" / "images").exists()
    run(tmp_path / "in", tmp_path / "out")
    assert len(scripted) == 2  # the first answers were there still
    after = contents(tmp_path / "out")
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("option", ["--max-tokens=99", "--dtype=float32", "--max-overlap=0.5"])
def test_another_option_is_another_question(run, scripted, tmp_path, option):
    write_pictures(tmp_path / "in", 4)
    run(tmp_path / "in", tmp_path / "out")
    run(tmp_path / "in", tmp_path / "out", *ASKED, option)
    assert len(scripted) == 2


def test_a_checkpoint_that_learned_more_is_asked_again(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 4)
    model = tmp_path / "model"
    shutil.copytree(CHECKPOINTS / "tiny", model)
    run(tmp_path / "in", tmp_path / "out", *ASKED, "--model", model)
    weights = model / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2**17] = bytes(2**17)  # as large as before
    weights.write_bytes(data)
    run(tmp_path / "in", tmp_path / "out", *ASKED, "--model", model)
    assert len(scripted) == 2


def test_a_folder_that_changed_comes_to_what_a_new_run_does(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 3 * SIZE)
    run(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in" / "0003.png").unlink()
    Image.new("RGB", (9, 9), (1, 2, 3)).save(tmp_path / "in" / "0001.png")  # other bytes
    Image.new("RGB", (9, 9), (4, 5, 6)).save(tmp_path / "in" / "0000a.png")  # shifts all others
    seen = []
    monitored = annotating.say
    annotating.say, kept = (lambda prompt: seen.append(1) or monitored(prompt)), annotating.say
    try:
        run(tmp_path / "in", tmp_path / "out")
    finally:
        annotating.say = kept
    assert len(seen) == 2  # nothing is lost of what was known
    run(tmp_path / "in", tmp_path / "new")
    assert contents(tmp_path / "out") == contents(tmp_path / "new")


def test_a_damaged_shard_is_made_again(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 2 * SIZE)
    run(tmp_path / "in", tmp_path / "out")
    before = contents(tmp_path / "out")
    first, second = sorted(plan_folder(tmp_path / "out").glob("*.jsonl"))
    first.write_bytes(first.read_bytes()[:100])
    second.write_text("[1]\n")
    run(tmp_path / "in", tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_a_file_that_is_gone_is_written_again(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 4)
    run(tmp_path / "in", tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out" / "annotations.json").unlink()
    (tmp_path / "out" / "images" / "0000.png").unlink()
    run(tmp_path / "in", tmp_path / "out")
    assert contents(tmp_path / "out") == before and len(scripted) == 1


def test_the_folder_that_is_written_to_may_lie_within(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 4)
    for _ in range(2):
        _, counts, _ = run(tmp_path / "in", tmp_path / "in" / "seen", *ASKED[:-1], "overlay,coco")
        assert counts["pictures"] == 4


@pytest.mark.parametrize(
    "source, out, kinds",
    [
        pytest.param("in", "in", "coco", id="the folder itself"),
        pytest.param("in", "in/a/..", "csv", id="the folder itself by another path"),
        pytest.param("out/images", "out", "csv", id="where its pictures would go"),
        pytest.param("out/images/new", "out", "coco", id="below where its pictures would go"),
        pytest.param("out/labels", "out", "yolo", id="where its labels would go"),
        pytest.param("out/link", "out", "coco", id="a link to where its pictures would go"),
    ],
)
def test_nothing_is_written_among_the_pictures(run, scripted, tmp_path, source, out, kinds):
    write_pictures(tmp_path / source.replace("link", "images"), 4)
    if source.endswith("link"):
        (tmp_path / source).symlink_to("images")
    before = contents(tmp_path)
    code, _, err = run(tmp_path / source, tmp_path / out, "--text", "cat", "--as", kinds)
    assert code == 2 and "name another folder with --save" in err
    assert contents(tmp_path) == before and not scripted


def test_the_pictures_may_lie_within_the_folder_that_is_written_to(run, scripted, tmp_path):
    write_pictures(tmp_path / "out" / "photos", 4)
    before = contents(tmp_path / "out" / "photos")
    for kinds in ("coco", "csv"):
        code, counts, _ = run(
            tmp_path / "out" / "photos", tmp_path / "out", "--text", "cat", "--as", kinds
        )
        assert (code, counts["pictures"]) == (0, 4)
    assert contents(tmp_path / "out" / "photos") == before


def test_pictures_that_were_there_before_stay(run, scripted, tmp_path):
    """Of the files of an earlier question only those go that a run wrote."""
    write_pictures(tmp_path / "in", 4)
    own = tmp_path / "out" / "images" / "0000.png"
    own.parent.mkdir(parents=True)
    shutil.copy(tmp_path / "in" / "0000.png", own)
    for kinds in ("coco", "coco,csv", "csv"):
        run(tmp_path / "in", tmp_path / "out", "--text", "cat", "--as", kinds)
    assert own.is_file()
    assert not (tmp_path / "out" / "images" / "a").exists()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("annotations.json", "coco"),
        ("index.html", "csv"),
        ("instances.csv", "csv"),
        ("images/0000.png", "coco"),
    ],
)
def test_a_file_of_ones_own_is_never_replaced(run, scripted, tmp_path, name, kinds):
    write_pictures(tmp_path / "in", 4)
    own = tmp_path / "out" / name
    own.parent.mkdir(parents=True)
    own.write_text("by hand")
    asked = ("--text", "cat", "--as", kinds)
    code, _, err = run(tmp_path / "in", tmp_path / "out", *asked)
    assert (code, err.count("\n"), own.read_text()) == (2, err.count("a second") + 1, "by hand")
    assert f"{own} would be lost" in err and "--save" in err
    own.unlink()
    assert run(tmp_path / "in", tmp_path / "out", *asked)[0] == 0
    assert len(scripted) == 1  # what was found is kept


@pytest.mark.parametrize("kinds", ["coco", "csv"])
def test_a_data_set_that_was_corrected_is_neither_replaced_nor_removed(
    run, scripted, tmp_path, kinds
):
    write_pictures(tmp_path / "in", 4)
    run(tmp_path / "in", tmp_path / "out", "--text", "cat", "--as", "coco")
    corrected = tmp_path / "out" / "annotations.json"
    corrected.write_text(corrected.read_text().replace("cat", "kitten"))
    assert run(tmp_path / "in", tmp_path / "out", "--text", "cat", "--as", "coco")[0] == 0
    write_pictures(tmp_path / "in" / "more", 4)
    code, _, err = run(tmp_path / "in", tmp_path / "out", "--text", "cat", "--as", kinds)
    assert (code, "kitten" in corrected.read_text()) == (2, True) and "would be lost" in err
    corrected.rename(tmp_path / "kept.json")
    assert run(tmp_path / "in", tmp_path / "out", "--text", "cat", "--as", kinds)[0] == 0


def test_what_is_the_same_anyway_is_nobodys_own(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 4)
    run(tmp_path / "in", tmp_path / "out", "--text", "cat", "--as", "coco")
    before = contents(tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / ".annotate")
    assert run(tmp_path / "in", tmp_path / "out", "--text", "cat", "--as", "coco")[0] == 0
    after = contents(tmp_path / "out")
    assert all(after[name] == data for name, data in before.items() if name[0] != ".")


def test_a_pipe_among_the_pictures_is_listed_and_passed_over(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 4)
    pipe = tmp_path / "in" / "pipe.png"
    os.mkfifo(pipe)  # whoever opens it waits for somebody to write, as this writer for a reader
    writer = threading.Thread(target=lambda: pipe.open("wb").close(), daemon=True)
    writer.start()
    code, counts, err = run(tmp_path / "in", tmp_path / "out")
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
    writer.join()
    assert (code, counts["annotated"]) == (1, 4)
    assert "pipe.png: It is no file but a pipe" in err


def test_two_runs_into_one_folder_keep_out_of_each_others_way(run, scripted, tmp_path):
    write_pictures(tmp_path / "in", 4)
    (tmp_path / "out").mkdir()
    with only_run(tmp_path / "out"):
        code, _, err = run(tmp_path / "in", tmp_path / "out")
    assert code == 2 and "Another run" in err
    assert run(tmp_path / "in", tmp_path / "out")[0] == 0


@pytest.mark.parametrize(
    "name", ["../out.png", "a/../../b.png", "/etc/a.png", "C:/a.png", "a//b.png"]
)
def test_a_name_that_leads_out_of_the_folder_is_not_read(name):
    with pytest.raises(ValueError, match="leads out"):
        PictureSource("/tmp").read(name)


@pytest.mark.parametrize("kind", ["memory", "zip", "file"])
def test_an_address_is_read_as_a_folder_is(run, scripted, tmp_path, kind):
    import fsspec

    write_pictures(tmp_path / "in", 20)
    if kind == "zip":
        shutil.make_archive(str(tmp_path / "in"), "zip", tmp_path / "in")
        address = f"zip://::file://{tmp_path / 'in.zip'}"
    elif kind == "file":
        address = f"file://{tmp_path / 'in'}"
    else:
        address = "memory://annotate/in"
        files = fsspec.filesystem("memory")
        files.put(f"{tmp_path / 'in'}/", "/annotate/in", recursive=True)
    for _ in range(2):
        code, counts, _ = run(address, tmp_path / "there")
        assert (code, counts["pictures"]) == (0, 20)
    run(tmp_path / "in", tmp_path / "here")
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert len(scripted) == 2


@pytest.mark.parametrize(
    "address", ["nowhere://bucket/a", "memory://not/there", "zip://::file:///no.zip"]
)
def test_an_address_that_cannot_be_opened_is_said_so(run, scripted, tmp_path, address):
    code, _, err = run(address, tmp_path / "out")
    assert code == 2 and address in err and "Traceback" not in err


def test_a_picture_that_ends_its_process_is_passed_over(run, monkeypatch, tmp_path):
    monkeypatch.setattr(executors, "PROGRAM", "annotating")
    write_pictures(tmp_path / "in", 2 * SIZE)
    Image.new("RGB", (24, 16), annotating.RED).save(tmp_path / "in" / "0002.png")
    code, counts, err = run(tmp_path / "in", tmp_path / "out", *ASKED, "--workers", 2)
    assert (code, counts["annotated"]) == (1, 2 * SIZE - 1)
    assert [one["file"] for one in counts["failed"]] == ["0002.png"]
    assert "0002.png: The process that looked at it ended" in err
    began = time.monotonic()
    code, again, _ = run(tmp_path / "in", tmp_path / "out", *ASKED, "--workers", 2)
    assert again == counts and time.monotonic() - began < 5.0


def test_workers_that_cannot_begin_end_the_run_with_a_sentence(run, monkeypatch, tmp_path):
    write_pictures(tmp_path / "in", 4)
    words = (*ASKED, "--workers", 2, "--device", "cuda:7")
    code, _, err = run(tmp_path / "in", tmp_path / "out", *words)
    assert code == 2 and "no cuda" in err


@pytest.mark.parametrize("workers", [1, 2], ids=["loop", "processes"])
def test_killed_at_random_it_comes_to_the_same(tmp_path, workers):
    write_pictures(tmp_path / "in", 200)
    (tmp_path / "in" / "d" / "bad.png").write_bytes(b"bad")
    assert program(tmp_path, "undisturbed", 1).wait() == 1
    moments = random.Random(18 + workers)
    killed = 0
    out = tmp_path / "disturbed"
    for is_last in (
        False,
        False,
        True,
    ):  # the last time among the files that are written in the end
        process = program(tmp_path, "disturbed", workers)
        wanted = shards(out) + moments.randrange(1, 5)
        while process.poll() is None and not (
            (out / ".annotate" / "draft").exists() if is_last else shards(out) >= wanted
        ):
            time.sleep(0.002)
        time.sleep(moments.random() * 0.02)  # anywhere within a shard
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed == 3
    assert program(tmp_path, "disturbed", workers).wait() == 1
    assert contents(tmp_path / "disturbed") == contents(tmp_path / "undisturbed")
    rows = [row["file"] for row in ShardFolder(plan_folder(tmp_path / "disturbed")).rows()]
    assert len(rows) == len(set(rows)) == 201


def program(folder: Path, out: str, workers: int) -> subprocess.Popen:
    """`annotate` as a process of its own, over the scripted model."""
    patched = f"import sys; sys.path.insert(0, {str(PROGRAM.parent)!r}); import annotating; "
    patched += "annotating.script_models(); from gemma_vision.annotate import executors; "
    patched += "executors.PROGRAM = 'annotating'; from gemma_vision.cli import main; "
    patched += "sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [
            *(sys.executable, "-c", patched, "annotate", str(folder / "in"), *ASKED),
            *("--save", str(folder / out), "--workers", str(workers)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )


def shards(out: Path) -> int:
    """How many shards there are by now."""
    return len(list((out / ".annotate").glob("*/0*.jsonl")))


def test_the_embedded_checkpoint_says_the_same_in_two_processes(run, tmp_path):
    from gemma_vision.synthetic.scene_dataset import write_dataset

    write_dataset(900_500, 24, tmp_path / "in", side=224, names=16)
    words = ("--task", "segment", "--text", "cat ; dog", "--as", "coco,paligemma")
    for workers in (1, 2):
        code, counts, _ = run(
            tmp_path / "in", tmp_path / str(workers), *words, "--workers", workers
        )
        assert code == 0 and counts["instances"] > 0
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    lines = (tmp_path / "1" / "train.jsonl").read_text().splitlines()
    assert any("<seg" in line for line in lines)


@pytest.mark.slow
def test_five_thousand_pictures_killed_three_times_come_to_the_same(tmp_path):
    write_pictures(tmp_path / "in", 5000)
    words = ("--task", "segment", "--text", "cat", "--as", "coco,paligemma")
    asked = [sys.executable, "-m", "gemma_vision", "annotate", str(tmp_path / "in"), *words]
    asked += ["--workers", "2", "--save"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    assert subprocess.run([*asked, str(tmp_path / "undisturbed")], **quiet).returncode == 0
    moments = random.Random(5000)
    for count in sorted(moments.sample(range(10, 300), 3)):
        process = subprocess.Popen([*asked, str(tmp_path / "disturbed")], **quiet)
        while shards(tmp_path / "disturbed") < count and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert subprocess.run([*asked, str(tmp_path / "disturbed")], **quiet).returncode == 0
    assert contents(tmp_path / "disturbed") == contents(tmp_path / "undisturbed")
    rows = [row["file"] for row in ShardFolder(plan_folder(tmp_path / "disturbed")).rows()]
    assert len(rows) == len(set(rows)) == 5000
    before = os.times()
    assert subprocess.run([*asked, str(tmp_path / "disturbed")], **quiet).returncode == 0
    after = os.times()  # of the processor: a machine may have much else to do
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    assert used < 2.0 * 5


def test_a_rate_counts_what_this_run_did(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("gemma_vision.cli.progress.time.monotonic", lambda: now[0])
    line = ProgressLine("pictures")
    line.begin(500)
    now[0] += 20
    line.update(600, 1600)
    assert capsys.readouterr().err == "600 of 1600 pictures, 5.0 a second, about 3 min 20 s left\n"


@pytest.mark.parametrize(
    "seconds, words", [(0.2, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7980, "2 h 13 min")]
)
def test_a_duration_is_said_as_a_person_says_it(seconds, words):
    assert duration(seconds) == words
