"""Annotations converted from one format to another, on the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from noise_decoder import write_noise
from PIL import Image

from gemma_vision.evaluate.dataset import DatasetError, Scene, check_picture_size
from postprocess.__main__ import main
from postprocess.exports import EXPORTERS, READERS, Annotated
from postprocess.instances import Instance

SIZE = (80, 60)


@pytest.fixture
def data(tmp_path):
    """A COCO file with two pictures."""
    mask = np.zeros(SIZE[::-1], bool)
    mask[10:40, 20:60] = True
    cat = Instance("cat", (20.0, 10.0, 60.0, 40.0), (20, 10, 60, 40), mask)
    dog = Instance("dog", (0.0, 0.0, 30.0, 30.0), (0, 0, 30, 30))
    pictures = [Annotated("a.jpg", SIZE, [cat, dog]), Annotated("b.jpg", SIZE, [dog])]
    EXPORTERS["coco"](pictures, tmp_path / "coco")
    return tmp_path / "coco"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "--from"),
        (["--from", "nothing"], "--from: invalid choice"),
        (["--from", "coco", "--to", "csv", "--out", ""], "--out: it is empty"),
    ],
)
def test_a_command_that_does_not_say_what_to_do_gets_one_sentence(data, given, said, capsys):
    assert main([str(data), *given]) == 2
    err = capsys.readouterr().err
    assert said in err and err.endswith("see python -m postprocess --help.\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("target", ["yolo", "yolo-polygons", "labelme", "voc", "csv"])
def test_a_data_set_goes_from_format_to_format(data, target, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([str(data), "--from", "coco", "--to", target, "--out", str(out)]) == 0
    back = READERS[target.removesuffix("-polygons")](out)
    names = {picture.file_name: [one.label for one in picture.instances] for picture in back}
    assert names == {"a.jpg": ["cat", "dog"], "b.jpg": ["dog"]}
    assert capsys.readouterr().out.startswith("2 pictures with 3 things\nwrote ")


@pytest.mark.parametrize("target", ["labelme", "voc", "svg", "masks"])
def test_files_of_ones_own_are_not_replaced(data, target, tmp_path, capsys):
    out = tmp_path / "out"
    run = [str(data), "--from", "coco", "--to", target, "--out", str(out)]
    assert main(run) == 0
    written = {path: path.read_bytes() for path in out.iterdir()}
    assert main(run) == 0  # what would be written is there already
    (mine, *_, other) = sorted(written)
    mine.write_bytes(b"corrected by hand")
    other.unlink()
    capsys.readouterr()
    assert main(run) == 2
    err = capsys.readouterr().err
    assert f"{mine} would be lost" in err and err.count("\n") == 1
    assert mine.read_bytes() == b"corrected by hand"
    assert sorted(out.iterdir()) == sorted({*written} - {other})  # nothing, and no drafts


@pytest.mark.parametrize("target", ["overlay", "cutouts"])
def test_forms_that_need_the_picture_are_not_offered(data, target, capsys):
    assert main([str(data), "--from", "coco", "--to", target]) == 2
    assert "--to: invalid choice" in capsys.readouterr().err


def test_masks_become_codes_and_their_loss_is_told(data, tmp_path, capsys):
    decoder = write_noise(tmp_path / "decoder.npz")
    run = [str(data), "--from", "coco", "--to", "paligemma", "--out", str(tmp_path)]
    assert main([*run, "--mask-decoder", str(decoder)]) == 0
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert [row["prefix"] for row in rows] == ["detect cat ; dog", "segment cat", "detect dog"]
    assert rows[1]["suffix"].count("<seg") == 16 and len(rows[1]["mask_iou"]) == 1
    assert "1 masks keep an IoU of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("run", "said"),
    [
        pytest.param(["absent", "--from", "coco", "--to", "csv"], "There is no file", id="no data"),
        pytest.param(
            [".", "--from", "voc", "--to", "csv", "--mask-decoder", "x.npz"],
            "--to paligemma",
            id="a decoder for nothing",
        ),
        pytest.param(
            [".", "--from", "voc", "--to", "paligemma", "--mask-decoder", "absent.npz"],
            "absent.npz is not there",
            id="no decoder",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_code_2(
    run, said, data, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main([str(data) if word == "DATA" else word for word in run]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and "Traceback" not in captured.err and captured.out == ""


@pytest.mark.parametrize(
    ("streams", "code", "said"),
    [
        pytest.param(">/dev/full", 2, "standard output (No space left", id="a full disk"),
        pytest.param(">&-", 2, "Standard output is closed", id="no output"),
        pytest.param("2>&-", 0, "", id="no errors"),
        pytest.param("2>/dev/full", 0, "", id="errors nowhere"),
        pytest.param("> >(true)", 0, "", id="nobody reads"),
    ],
)
def test_streams_that_are_closed_or_full_end_in_a_sentence(data, streams, code, said, tmp_path):
    line = f"{sys.executable} -m postprocess {data} --from coco --to csv --out {tmp_path}/out"
    root = Path(__file__).parent.parent
    done = subprocess.run(
        ["bash", "-c", f"{line} {streams}"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == code and "Traceback" not in done.stderr
    assert said in done.stderr and done.stderr.count("\n") == bool(said)


def test_a_picture_of_another_size_than_its_annotations_say_is_told(tmp_path, capsys):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (80, 60)).save(tmp_path / "lying.jpg", exif=turned)
    Image.new("RGB", (80, 60)).save(tmp_path / "fits.jpg")
    rows = "".join(f"{name}.jpg,80,60,cat,1,1,9,9\n" for name in ("lying", "fits", "gone"))
    (tmp_path / "a.csv").write_text(f"filename,width,height,class,xmin,ymin,xmax,ymax\n{rows}")
    run = [str(tmp_path / "a.csv"), "--from", "csv", "--to", "coco", "--out", str(tmp_path)]
    assert main(run) == 0
    assert capsys.readouterr().err == (
        "1 picture is of another size, seen upright, than its annotations say "
        "(lying.jpg, 60 x 80 instead of 80 x 60).\n"
    )


EMPTY = "1 picture without things is not in what was written, which has no place for it (b.png)."
UNNAMED = "1 thing without a name was left out, for it cannot be asked for (in a.png)."


@pytest.mark.parametrize(
    "target, told",
    [
        pytest.param("yolo", [], id="a file for each"),
        pytest.param("csv", [EMPTY], id="a table"),
        pytest.param("paligemma", [UNNAMED, EMPTY], id="lines"),
    ],
)
def test_what_a_form_has_no_place_for_is_told(target, told, tmp_path, capsys):
    things = [Instance(name, (1.0, 1.0, 9.0, 9.0), (1, 1, 9, 9)) for name in ("cat", "")]
    pictures = [Annotated("a.png", SIZE, things), Annotated("b.png", SIZE, [])]
    (path, *_) = EXPORTERS["coco"](pictures, tmp_path)
    path.write_text(path.read_text().replace('"thing"', '""'))  # of one without a label
    assert main([str(path), "--from", "coco", "--to", target, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().err.splitlines() == told


def test_a_picture_that_lies_is_told_as_one(tmp_path):
    scene = Scene(1, tmp_path / "a.jpg", (80, 60), ())
    for size, said in (((60, 80), "annotate it upright"), ((70, 80), "correct them")):
        with pytest.raises(DatasetError, match=f"say 80 x 60; {said}"):
            check_picture_size(scene, size)
