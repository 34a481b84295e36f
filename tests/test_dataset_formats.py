"""Data sets as other programs lay them out: read right, or refused in one sentence."""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scripted_scenes import CASES

from gemma_vision.images.limits import MAX_PIXELS, MAX_SIDE
from postprocess.__main__ import main as convert
from postprocess.datasets import READERS, ExportError, Notices, picture_files
from postprocess.datasets.tables import rows_of
from postprocess.exports import EXPORTERS, POINTLESS, Annotated
from postprocess.instances import Instance

FORMATS = CASES / "formats"
SQUARE = [10, 10, 40, 40]
MIDDLE, CORNER = [84, 84, 140, 140], [33.6, 33.6, 56, 56]  # what the lines of YOLO say

# folder, format -> name of a picture -> its things
READ = {
    "coco_same": (
        "coco",
        {"1.jpg": [("car", [1, 1, 21, 21])], "1-2.jpg": [("car", [50, 50, 70, 70])]},
    ),
    "csv_excel": ("csv", {"a.jpg": [("car", SQUARE)]}),
    "lm_bom": ("labelme", {"a.jpg": [("car", SQUARE), ("dog", [100, 100, 150, 140])]}),
    "lm_circle": ("labelme", {"a.jpg": [("ball", [80, 80, 120, 120])]}),
    "lm_group_apart": (
        "labelme",
        {"a.jpg": [("car", [10, 10, 90, 40]), ("dog", [100, 100, 120, 120])]},
    ),
    "lm_no_size": ("labelme", {"a.jpg": [("car", SQUARE)]}),
    "lm_other_json": ("labelme", {"a.jpg": [("car", SQUARE), ("dog", [100, 100, 150, 140])]}),
    "lm_point_too": ("labelme", {"a.jpg": [("car", SQUARE), ("nose", [50, 50, 50, 50])]}),
    "lm_same": (
        "labelme",
        {"a/1.jpg": [("car", [10, 10, 30, 30])], "b/1.jpg": [("car", [50, 10, 70, 30])]},
    ),
    "pali_roboflow": (
        "paligemma",
        {
            "p1_jpg.rf.a1.jpg": [
                ("car", [21.9, 21.9, 109.5, 109.5]),
                ("fish", [131.4, 131.4, 197.1, 197.1]),
            ]
        },
    ),
    "voc_gbk": ("voc", {"a.jpg": [("\u8f66", [10, 11, 60, 70])]}),
    "voc_nosize": ("voc", {"a.jpg": [("car", [10, 11, 60, 70])]}),
    "voc_split": ("voc", {"a.jpg": [("car", [10, 11, 60, 70])]}),
    "voc_zero": ("voc", {"a.jpg": [("car", [0, 0, 223, 223])]}),
    "yolo_Caps": ("yolo", {"a.jpg": [("car", MIDDLE), ("fish", CORNER)]}),
    "yolo_bom": ("yolo", {"a.jpg": [("car", MIDDLE)]}),
    "yolo_bom_classes_only": ("yolo", {"a.jpg": [("car", MIDDLE), ("fish", CORNER)]}),
    "yolo_names_only_txt": ("yolo", {"obj_train_data/a.jpg": [("car", MIDDLE), ("fish", CORNER)]}),
    "yolo_trainlist": ("yolo", {"a.jpg": [("car", MIDDLE), ("fish", CORNER)]}),
    "yolo_ultra": (
        "yolo",
        {f"{part}/p1.jpg": [("car", MIDDLE), ("fish", CORNER)] for part in ("train", "val")},
    ),
}


@pytest.mark.parametrize("case", sorted(path.name for path in FORMATS.iterdir()))
def test_a_data_set_of_another_program_is_converted(case, tmp_path, capsys):
    kind, pictures = READ[case]
    out = tmp_path / "out"
    assert convert([str(FORMATS / case), "--from", kind, "--to", "coco", "--out", str(out)]) == 0
    count = sum(map(len, pictures.values()))
    assert f"{len(pictures)} pictures with {count} things" in capsys.readouterr().out
    back = {one.file_name: one.instances for one in READERS["coco"](out)}
    assert list(back) == list(pictures)
    for name, things in pictures.items():
        assert [one.label for one in back[name]] == [label for label, _ in things]
        boxes = [one.box for one in back[name]]
        assert np.allclose(boxes, [box for _, box in things], atol=0.1)


@pytest.mark.parametrize("kind", POINTLESS)
def test_a_form_without_points_gets_the_rest_and_says_so(kind, tmp_path, capsys):
    data = str(FORMATS / "lm_point_too")
    assert convert([data, "--from", "labelme", "--to", kind, "--out", str(tmp_path)]) == 0
    out, error = capsys.readouterr()
    assert "1 pictures with 1 things" in out
    assert "1 point was left out" in error and "'nose' in a.jpg" in error


def test_what_was_left_out_is_told(tmp_path, capsys):
    shapes = [shape("polygon", [[0, 0], [9, 0], [9, 9]]), shape("line", [[0, 0], [9, 9]])]
    data = {"imagePath": "a.png", "imageWidth": 20, "imageHeight": 20, "shapes": shapes}
    text(tmp_path / "a.json", json.dumps(data))
    run = [str(tmp_path), "--from", "labelme", "--to", "csv", "--out", str(tmp_path / "out")]
    assert convert(run) == 0
    assert "1 shape that is neither a box nor an area was left out (the line" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("is_there", [True, False], ids=["empty", "absent"])
def test_nothing_found_is_code_2_and_says_what_was_looked_for(kind, is_there, tmp_path, capsys):
    folder = tmp_path / "data"
    if is_there:
        folder.mkdir()
    code = convert([str(folder), "--from", kind, "--to", "csv", "--out", str(tmp_path / "out")])
    out, error = capsys.readouterr()
    assert (code, out) == (2, "") and error.count("\n") == 1
    assert ("ooked for" if is_there else "There is no file") in error


def test_a_data_set_without_things_is_code_2(tmp_path, capsys):
    EXPORTERS["yolo"]([Annotated("a.jpg", (9, 9), [])], tmp_path)
    assert convert([str(tmp_path), "--from", "yolo", "--to", "csv", "--out", str(tmp_path)]) == 2
    assert "no things" in capsys.readouterr().err


def picture(path: Path, size: tuple[int, int] = (200, 100)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
    return path


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def things(kind: str, path: Path, notices: Notices | None = None) -> dict[str, list]:
    """Each picture's name -> (label, rounded box, whether there is a mask) of its things."""
    return {
        one.file_name: [
            (thing.label, tuple(map(round, thing.box)), thing.mask is not None)
            for thing in one.instances
        ]
        for one in READERS[kind](path, notices)
    }


BOX = ("dog", (50, 25, 150, 75), False)


@pytest.mark.parametrize(
    ("names", "content"),
    [
        pytest.param("data.yaml", "names: [cat, dog]", id="a list"),
        pytest.param("data.yaml", "names: {0: cat, 1: dog}", id="a table"),
        pytest.param("data.yaml", "nc: 2\nnames:\n- cat\n- dog\n", id="lines"),
        pytest.param("set.yml", "path: ../x\nnames: {1: dog}", id="a table with a gap"),
        pytest.param("obj.names", "cat\ndog\n", id="Darknet"),
        pytest.param("labels/classes.txt", "cat\r\ndog", id="labelImg"),
        pytest.param("../data.yaml", "names: [cat, dog]", id="above"),
    ],
)
def test_yolo_names_are_found(names, content, tmp_path):
    folder = tmp_path / "data"
    picture(folder / "images" / "a.JPG")
    text(folder / "labels" / "a.txt", "1.0 0.5 0.5 0.5 0.5\n")
    text(folder / names, content)
    assert things("yolo", folder) == {"a.JPG": [BOX]}


def test_yolo_as_roboflow_lays_it_out_is_read_whole_and_by_split(tmp_path):
    text(tmp_path / "data.yaml", "train: ../train/images\nnames: [cat, dog]\n")
    text(tmp_path / "README.roboflow.txt", "4 images in 2 splits\n")
    for split in ("train", "valid"):
        picture(tmp_path / split / "images" / "a.jpg")
        text(tmp_path / split / "labels" / "a.txt", "1 0.5 0.5 0.5 0.5\n")
    whole = things("yolo", tmp_path)
    assert whole == {"train/images/a.jpg": [BOX], "valid/images/a.jpg": [BOX]}
    assert things("yolo", tmp_path / "train") == {"a.jpg": [BOX]}
    assert things("yolo", tmp_path / "train" / "labels") == {"a.jpg": [BOX]}
    assert things("yolo", tmp_path / "data.yaml") == whole


def test_boxes_and_outlines_may_stand_in_one_file_of_yolo(tmp_path):
    picture(tmp_path / "a.png")
    text(tmp_path / "classes.txt", "cat\ndog\n")
    text(tmp_path / "a.txt", "1 .5 .5 .5 .5\n\ndog 0 0 1 0 1 1\n1 .5 .5 0 .5\n")
    notices = Notices()
    assert things("yolo", tmp_path, notices) == {"a.png": [BOX, ("dog", (0, 0, 200, 100), True)]}
    (said,) = notices.sentences
    assert said.startswith("1 box without an area was left out")


@pytest.mark.parametrize(
    "line", ["0 nan 0 1 1", "0 1e300 0 1 1", "inf 0 0 1 1", "0 100 50 20 20", "0 0.5"], ids=str
)
def test_numbers_that_are_no_shares_are_refused(line, tmp_path):
    picture(tmp_path / "images" / "a.png")
    text(tmp_path / "classes.txt", "cat\n")
    text(tmp_path / "labels" / "a.txt", f"{line}\n")
    with pytest.raises(ExportError, match=r"line 1 of .*a\.txt"):
        READERS["yolo"](tmp_path)


def shape(kind: str | None, points: list, **more) -> dict:
    return {"label": "cat", "points": points, "shape_type": kind, **more}


def png(mask: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


DISC = np.hypot(*(np.mgrid[:21, :31] - np.array([10, 15])[:, None, None])) < 9


@pytest.mark.parametrize(
    ("shapes", "box", "has_mask"),
    [
        pytest.param(
            [shape("rectangle", [[90, 60], [20, 10]])], (20, 10, 90, 60), False, id="any corner"
        ),
        pytest.param(
            [shape("rectangle", [[20, 10], [90, 10], [90, 60], [20, 60]])],
            (20, 10, 90, 60),
            False,
            id="all corners",
        ),
        pytest.param(
            [shape(None, [[20, 10], [90, 10], [90, 60]])], (20, 10, 90, 60), True, id="old"
        ),
        pytest.param([shape("circle", [[50, 50], [50, 70]])], (30, 30, 70, 70), True, id="circle"),
        pytest.param(
            [shape("mask", [[20, 10], [50, 30]], mask=png(DISC))], (27, 12, 44, 29), True, id="mask"
        ),
        pytest.param(
            [
                shape("polygon", [[0, 0], [9, 0], [9, 9]], group_id=4),
                shape("line", [[0, 0], [9, 9]]),
                shape("polygon", [[50, 50], [99, 50], [99, 99]], group_id=4),
            ],
            (0, 0, 99, 99),
            True,
            id="a group",
        ),
        pytest.param(
            [shape("polygon", [[-1e300, 0], [90, 0], [90, 60]])], (0, 0, 90, 60), True, id="far"
        ),
    ],
)
def test_shapes_of_labelme_are_read(shapes, box, has_mask, tmp_path):
    data = {"imagePath": "a.png", "imageWidth": 200, "imageHeight": 100, "shapes": shapes}
    text(tmp_path / "a.json", json.dumps(data))
    assert things("labelme", tmp_path) == {"a.png": [("cat", box, has_mask)]}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(shape("mask", [[0, 0], [9, 9]], mask="!"), id="no base64"),
        pytest.param(shape("mask", [[0, 0], [9, 9]], mask=png(np.ones((300, 9)))), id="too large"),
        pytest.param(shape("polygon", [[0], [1], [2]]), id="no points"),
        pytest.param(shape("polygon", "abc"), id="text"),
        pytest.param(shape("rectangle", [[0, 0]]), id="one corner"),
        pytest.param(7, id="no shape"),
    ],
)
def test_a_broken_shape_names_its_file(broken, tmp_path):
    data = {"imagePath": "a.png", "imageWidth": 200, "imageHeight": 100, "shapes": [broken]}
    text(tmp_path / "a.json", json.dumps(data))
    with pytest.raises(ExportError, match=r"a\.json"):
        list(READERS["labelme"](tmp_path)[0].instances)


def voc(corners: str, size: str = "<size><width>200</width><height>100</height></size>") -> str:
    x0, y0, x1, y1 = corners.split()
    box = f"<xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
    thing = f"<object><name>cat</name><bndbox>{box}</bndbox></object>"
    return f"<annotation><filename>a.png</filename>{size}{thing}</annotation>"


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        pytest.param("1 1 20 30", (0, 0, 20, 30), id="from 1"),
        pytest.param("0 5 20 30", (0, 5, 20, 30), id="from 0"),
        pytest.param("20 30 1 1", (0, 0, 20, 30), id="corners the other way"),
        pytest.param("1.5 2 2e1 30", (0, 1, 20, 30), id="parts of pixels"),
        pytest.param("5 5 999 999", (4, 4, 200, 100), id="past the edge"),
    ],
)
def test_boxes_of_voc_are_read(corners, box, tmp_path):
    text(tmp_path / "a.xml", voc(corners))
    assert things("voc", tmp_path) == {"a.png": [("cat", box, False)]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(voc("1 1 nan 9"), "xmax is missing or no number", id="nan"),
        pytest.param(voc("1 1 9 9", ""), "with a size", id="no size, no picture"),
        pytest.param(voc("1 1 9 9").replace("200", "9" * 9), "at most", id="a huge size"),
        pytest.param(
            '<?xml version="1.0" encoding="x"?>' + voc("1 1 9 9"), "as text", id="encoding"
        ),
        pytest.param(
            '<?xml version="1.0" encoding="hex"?>' + voc("1 1 9 9"), "as text", id="codec"
        ),
        pytest.param("<annotation>" * 9999, "no element|not a VOC", id="depth"),
        pytest.param("<!DOCTYPE a []>" + voc("1 1 9 9"), "document type", id="entities"),
    ],
)
def test_broken_voc_is_refused_in_words(content, said, tmp_path):
    text(tmp_path / "a.xml", content)
    with pytest.raises(ExportError, match=said):
        READERS["voc"](tmp_path)


def test_xml_of_other_programs_is_passed_over(tmp_path):
    text(tmp_path / "a.xml", voc("1 1 20 30"))
    text(tmp_path / "project.xml", "<project/>")
    assert list(things("voc", tmp_path)) == ["a.png"]


@pytest.mark.parametrize(
    "table",
    [
        "file_name,width,height,label,x0,y0,x1,y1\na.png,200,100,dog,50,25,150,75\n",
        "file_name;width;height;label;x0;y0;x1;y1\na.png;200;100;dog;50,0;25,0;150,0;75,0\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,200,100,dog,50,25,150,75\n",
        "filename\tclass\txmin\tymin\txmax\tymax\na.png\tdog\t50\t25\t150\t75\n",
    ],
    ids=["ours", "semicolons", "Roboflow", "tabs, no size"],
)
def test_tables_of_other_programs_are_read(table, tmp_path):
    picture(tmp_path / "a.png")
    text(tmp_path / "_annotations.csv", table)
    assert things("csv", tmp_path) == {"a.png": [BOX]}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.png,200,100,dog,50,25,nan,75,,", "'nan' as its x1"),
        ("a.png,200,100,dog,50,25,150,75,,abc", "mask that cannot be read"),
        ("a.png,1e9,1e9,dog,50,25,150,75,,", "at most"),
        ("a.png,,,dog,50,25,150,75,,", "is not there"),
    ],
)
def test_a_broken_row_is_refused_in_words(row, said, tmp_path):
    head = "file_name,width,height,label,x0,y0,x1,y1,score,mask"
    text(tmp_path / "instances.csv", f"{head}\n{row}\n")
    with pytest.raises(ExportError, match=said):
        READERS["csv"](tmp_path)


def test_a_cell_beyond_all_measure_is_refused_in_words(tmp_path, monkeypatch):
    text(tmp_path / "instances.csv", f"file_name,label,x0,y0,x1,y1\na,{'b' * 10**6},0,0,1,1\n")
    monkeypatch.setattr("postprocess.datasets.tables.LONGEST_CELL", 10**6 - 1)
    with pytest.raises(ExportError, match="field larger"):
        READERS["csv"](tmp_path)


def test_a_long_cell_is_read_while_other_tables_are(tmp_path):
    usual = csv.field_size_limit()
    for n in range(4):
        row = f"a,{'b' * 200_000},0,0,1,1\n"
        text(tmp_path / f"{n}" / "instances.csv", f"file_name,label,x0,y0,x1,y1\n{row * 5}")

    def cells(n: int) -> list[int]:
        return [len(row["label"]) for row in rows_of(tmp_path / f"{n % 4}" / "instances.csv")]

    with ThreadPoolExecutor(8) as pool:
        assert all(one == [200_000] * 5 for one in pool.map(cells, range(64)))
    assert csv.field_size_limit() == usual


def test_lines_of_paligemma_are_read_once_for_each_thing(tmp_path):
    picture(tmp_path / "images" / "a.png", (1023, 1023))
    box = "<loc0010><loc0020><loc0300><loc0400>"
    codes = "".join(f"<seg{n:03d}>" for n in range(16))
    lines = [
        {"image": "a.png", "prefix": "detect cat ; dog", "suffix": f"{box} cat ; {box} dog"},
        {"image": "a.png", "prefix": "segment cat", "suffix": f"{box} {codes} cat"},
        {"image": "a.png", "prefix": "caption en", "suffix": "a cat and a dog"},
    ]
    text(tmp_path / "train.jsonl", "\n".join(map(json.dumps, lines)))
    notices = Notices()
    found = things("paligemma", tmp_path, notices)
    assert found == {
        "a.png": [("cat", (20, 10, 400, 300), False), ("dog", (20, 10, 400, 300), False)]
    }
    assert "codes need a mask decoder" in notices.sentences[0]


@pytest.mark.parametrize("line", ["{", "[1]", '{"image": "a.png", "prefix": "x"}', '"x"'])
def test_a_broken_line_is_named(line, tmp_path):
    text(tmp_path / "a.jsonl", f"{line}\n")
    with pytest.raises(ExportError, match=r"a\.jsonl: line 1"):
        READERS["paligemma"](tmp_path)


def result(kind: str, value: dict, **more) -> dict:
    sizes = {"original_width": 200, "original_height": 100}
    return {"type": kind, "value": value | {kind: ["dog"]}, **sizes, **more}


TURNED = {"x": 50, "y": 25, "width": 25, "height": 50, "rotation": 90}
OVAL = {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10}
CORNERS = {"points": [[25, 25], [75, 25], [75, 75], [25, 75]]}


@pytest.mark.parametrize(
    ("kind", "value", "box", "has_mask"),
    [
        (
            "rectanglelabels",
            {"x": 25, "y": 25, "width": 50, "height": 50},
            (50, 25, 150, 75),
            False,
        ),
        ("rectanglelabels", TURNED, (50, 25, 100, 75), False),
        ("polygonlabels", CORNERS, (50, 25, 150, 75), True),
        ("ellipselabels", OVAL, (60, 40, 140, 60), True),
        ("ellipselabels", OVAL | {"rotation": 90}, (90, 10, 110, 90), True),
        ("ellipselabels", OVAL | {"rotation": 45}, (71, 21, 129, 79), True),
    ],
    ids=["box", "turned", "outline", "ellipse", "ellipse upright", "ellipse turned"],
)
def test_results_of_label_studio_are_read(kind, value, box, has_mask, tmp_path):
    given = result(kind, value, score=0.5)
    full = [{"data": {"image": "/data/upload/1/ab-a.png"}, "annotations": [{"result": [given]}]}]
    least = [{"image": "/data/local-files/?d=x/ab-a.png", "label": [given["value"] | given]}]
    for content in (full, least):
        text(tmp_path / "export.json", json.dumps(content))
        assert things("label-studio", tmp_path) == {"ab-a.png": [("dog", box, has_mask)]}


@pytest.mark.parametrize("is_first", [True, False], ids=["shape first", "labels first"])
@pytest.mark.parametrize(
    ("shape", "value", "box", "has_mask"),
    [
        ("rectangle", {"x": 25, "y": 25, "width": 50, "height": 50}, (50, 25, 150, 75), False),
        ("polygon", CORNERS, (50, 25, 150, 75), True),
        ("ellipse", OVAL, (60, 40, 140, 60), True),
    ],
)
def test_labels_beside_a_shape_of_label_studio_are_its(
    shape, value, box, has_mask, is_first, tmp_path
):
    """Interfaces with a control for shapes and one for labels give a result each."""
    one, other = ({"id": f"r{n}", "original_width": 200, "original_height": 100} for n in (1, 2))
    rows = [
        one | {"type": shape, "value": value},
        one | {"type": "labels", "value": value | {"labels": ["dog"]}},
        other | {"type": shape, "value": value},
    ]
    rows = rows if is_first else rows[::-1]
    task = {"data": {"image": "a.png"}, "annotations": [{"result": rows}]}
    text(tmp_path / "export.json", json.dumps([task]))
    notices = Notices()
    ((_, found),) = things("label-studio", tmp_path, notices).items()
    assert sorted(found) == [("", box, has_mask), ("dog", box, has_mask)]
    assert not notices.sentences


@pytest.mark.parametrize("odd", [5, ["r1"], {"r": 1}], ids=["number", "list", "object"])
def test_an_odd_id_of_label_studio_keeps_its_labels(odd, tmp_path):
    value = {"x": 25, "y": 25, "width": 50, "height": 50}
    one = {"id": odd, "original_width": 200, "original_height": 100}
    rows = [
        one | {"type": "rectangle", "value": value},
        one | {"type": "labels", "value": {"labels": ["dog"]}},
        {"id": "r2", "type": ["rectangle"], "value": value},
    ]
    task = {"data": {"image": "a.png"}, "annotations": [{"result": rows}]}
    text(tmp_path / "export.json", json.dumps([task]))
    ((_, found),) = things("label-studio", tmp_path, Notices()).items()
    assert found == [("dog", (50, 25, 150, 75), False)]


def test_an_ellipse_is_filled_as_far_as_it_goes(tmp_path):
    """It leans as clocks go: on a screen, from the upper left to the lower right."""
    value = {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 45}
    content = [{"image": "a.png", "label": [result("ellipselabels", value) | value]}]
    content[0]["label"][0]["ellipselabels"] = ["dog"]
    text(tmp_path / "export.json", json.dumps(content))
    (thing,) = READERS["label-studio"](tmp_path)[0].instances
    edge = 172 / 2  # half of the pixels it runs through lie outside, and are filled as of outlines
    assert np.isclose(thing.mask.sum(), np.pi * 40 * 10 + edge, rtol=0.02)
    assert thing.mask[70, 120] and not thing.mask[30, 120]


def test_tasks_that_nobody_annotated_are_not_pictures_without_things(tmp_path):
    """They would be learned as showing nothing."""
    box = result("rectanglelabels", {"x": 10, "y": 10, "width": 20, "height": 20})
    tasks = {
        "a.png": {"annotations": [{"result": [box]}]},
        "b.png": {"annotations": []},
        "c.png": {"annotations": [{"result": [], "was_cancelled": True}]},
        "d.png": {"annotations": [{"result": []}], "predictions": [{"result": [box]}]},
        "e.png": {"annotations": [{"result": [box, box]}, {"result": [box]}]},
        "f.png": {"annotations": [], "predictions": [{"result": [box]}]},
    }
    rows = [{"data": {"image": name}} | task for name, task in tasks.items()]
    text(tmp_path / "export.json", json.dumps(rows))
    for name in tasks:
        picture(tmp_path / name)
    notices = Notices()
    read = things("label-studio", tmp_path, notices)
    assert {name: len(several) for name, several in read.items()} == {
        "a.png": 1,
        "d.png": 0,
        "e.png": 1,
        "f.png": 1,
    }
    told = " ".join(notices.sentences)
    assert "2 tasks that nobody annotated were left out" in told
    assert "1 task has several annotations, of which the last was taken (e.png)" in told
    assert "what a model predicted of it was taken (f.png)" in told


def test_records_of_lines_that_are_not_whole_are_told(tmp_path):
    picture(tmp_path / "a.png")
    box = "<loc0100><loc0100><loc0500><loc0500>"
    lines = [
        {"image": "a.png", "prefix": "detect cat", "suffix": f"{box[9:]} cat ; {box} cat"},
        {"image": "a.png", "prefix": "detect dog", "suffix": f"{box} dog"},
    ]
    text(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    notices = Notices()
    assert len(things("paligemma", tmp_path, notices)["a.png"]) == 2
    assert notices.sentences == (
        "1 record of an answer is cut off or out of range, and was left out or mended "
        "(in line 1 about a.png).",
    )


VIA = {
    "a.png9": {
        "filename": "a.png",
        "size": 9,
        "regions": [{"shape_attributes": {"name": "rect", "x": 1}, "region_attributes": {}}],
        "file_attributes": {},
    }
}


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("coco", "via.json", json.dumps(VIA)),
        ("coco", "via.json", json.dumps({"_via_settings": {}, "_via_img_metadata": VIA})),
        ("csv", "via.csv", "#filename,file_size,region_shape_attributes,region_attributes\n"),
    ],
    ids=["annotations", "project", "table"],
)
def test_the_forms_of_vgg_image_annotator_are_told_as_its_own(kind, name, content, tmp_path):
    text(tmp_path / name, content)
    with pytest.raises(ExportError, match="VGG Image Annotator's own form"):
        READERS[kind](tmp_path)


@pytest.mark.parametrize("written", ["a", "before_it_was_renamed.jpg", "a.jpg", ""])
def test_the_picture_of_a_voc_file_is_called_as_it_or_as_the_file_says(written, tmp_path):
    picture(tmp_path / "JPEGImages" / "a.png")
    size = "<size><width>200</width><height>100</height></size>"
    text(
        tmp_path / "Annotations" / "a.xml",
        f"<annotation><filename>{written}</filename>{size}</annotation>",
    )
    assert [one.file_name for one in READERS["voc"](tmp_path)] == ["a.png"]


def test_a_form_that_is_not_read_is_told_once(tmp_path):
    text(tmp_path / "a.xml", "<annotations><version>1.1</version></annotations>")
    with pytest.raises(ExportError) as told:
        READERS["voc"](tmp_path)
    assert "not a VOC file" not in str(told.value)


@pytest.mark.parametrize("name", ["coco", "yolo", "labelme", "voc", "csv", "label-studio"])
def test_pictures_of_one_name_in_two_folders_stay_two(name, tmp_path):
    thing = Instance("cat", (2.0, 2.0, 9.0, 9.0), (2, 2, 9, 9))
    names = ["a/1.jpg", "b/1.jpg"]
    EXPORTERS[name]([Annotated(one, (20, 20), [thing]) for one in names], tmp_path)
    assert list(things(name, tmp_path)) == names


def test_nothing_is_left_out_in_silence(tmp_path):
    box = {"x": 10, "y": 10, "width": 20, "height": 20}
    several = result("rectanglelabels", box | {"rotation": 30})
    several["value"]["rectanglelabels"] = ["cat", "dog"]
    task = {"data": {"image": "/data/upload/1/ab-Caf%C3%A9.png"}}
    text(tmp_path / "a.json", json.dumps([task | {"annotations": [{"result": [several]}]}]))
    line = {"image": "a.png", "prefix": "caption en", "suffix": "a cat"}
    text(tmp_path / "b" / "train.jsonl", json.dumps(line))
    for name in ("b/a.png", "c/images/a.png", "c/images/b.png"):
        picture(tmp_path / name)
    text(tmp_path / "c" / "classes.txt", "cat")
    text(tmp_path / "c" / "labels" / "a.txt", "")
    told = {}
    for kind, place in (("label-studio", "a.json"), ("paligemma", "b"), ("yolo", "c")):
        notices = Notices()
        things(kind, tmp_path / place, notices)
        told[kind] = notices.sentences
    assert told == {
        "label-studio": (
            "1 thing has several labels, of which the first was taken "
            "(cat, dog in rectanglelabels in ab-Caf\u00e9.png).",
            "1 turned box was taken as the upright one around it "
            "(rectanglelabels in ab-Caf\u00e9.png).",
        ),
        "paligemma": (
            "1 line of words was left out, for only things are read (caption en of a.png).",
        ),
        "yolo": (
            "1 picture without a file of labels was left out; give it an empty one to keep it "
            "(images/b.png).",
        ),
    }


@pytest.mark.parametrize(
    "kind, name", [("voc", "a.xml"), ("labelme", "a.json"), ("coco", "a.json")]
)
def test_an_empty_file_is_told_as_one(kind, name, tmp_path):
    with pytest.raises(ExportError, match=f"{name} is empty and no .* Export it again"):
        things(kind, text(tmp_path / name, "\ufeff\r\n"))


@pytest.mark.parametrize(
    "written, has_mask, told",
    [
        pytest.param("[[2, 2, 9, 2, 9, 9]]", True, (), id="a list as text"),
        pytest.param(
            '{"size": [20, 20], "counts": [42, 7, 13, 7, 13, 7, 13, 7, 13, 7, 13, 7, 13, 7, 231]}',
            True,
            (),
            id="runs as text",
        ),
        pytest.param("eNq9", False, ("1 mask that cannot be read was left out,",), id="a secret"),
    ],
)
def test_a_mask_that_is_text_is_read_or_told(written, has_mask, told, tmp_path):
    thing = {
        "id": 1,
        "image_id": 0,
        "category_id": 0,
        "bbox": [2, 2, 7, 7],
        "segmentation": written,
    }
    images = [{"id": 0, "file_name": "a.png", "width": 20, "height": 20}]
    content = {"images": images, "annotations": [thing], "categories": [{"id": 0, "name": "cat"}]}
    notices = Notices()
    found = things("coco", text(tmp_path / "a.json", json.dumps(content)), notices)
    assert [mask for *_, mask in found["a.png"]] == [has_mask]
    assert [one.split(" its box")[0] for one in notices.sentences] == list(told)


def test_poses_of_yolo_are_read_as_their_boxes(tmp_path):
    picture(tmp_path / "images" / "a.png")
    text(tmp_path / "data.yaml", "kpt_shape: [2, 2]\nnames: [tiger]\n")
    text(tmp_path / "labels" / "a.txt", "0 0.5 0.5 0.2 0.2 0.1 0.1 0.9 0.9\n")
    notices = Notices()
    assert things("yolo", tmp_path, notices) == {"a.png": [("tiger", (80, 40, 120, 60), False)]}
    assert notices.sentences == (
        "1 thing has key points, which were left out, its box kept (line 1 of a.txt).",
    )
    text(tmp_path / "data.yaml", "broken: [")
    text(tmp_path / "classes.txt", "tiger")
    text(tmp_path / "labels" / "a.txt", "0 0.5 0.5 0.2 0.2 0.1 0.1 2\n")
    with pytest.raises(ExportError, match="has 7 numbers, and an outline needs two for each"):
        things("yolo", tmp_path)


def test_key_points_of_coco_are_told(tmp_path):
    images = [{"id": 0, "file_name": "a.png", "width": 20, "height": 20}]
    rows = [
        {"id": n, "image_id": 0, "category_id": 0, "bbox": [2, 2, 7, 7], "keypoints": points}
        for n, points in enumerate(([3, 3, 2, 8, 8, 2], [0, 0, 0, 0, 0, 0], []), 1)
    ]
    content = {"images": images, "annotations": rows, "categories": [{"id": 0, "name": "cat"}]}
    notices = Notices()
    found = things("coco", text(tmp_path / "a.json", json.dumps(content)), notices)
    assert found == {"a.png": [("cat", (2, 2, 9, 9), False)] * 3}
    assert notices.sentences == (
        "1 thing has key points, which were left out, its box kept (annotation 1 of a.png).",
    )


def test_names_of_yolo_are_what_is_written(tmp_path):
    picture(tmp_path / "images" / "a.png")
    names = ["yes", "no", "on", "null", "1.0", "010", "2024-01-01", "Norway: NO"]
    listed = "".join(
        f"  {n}: {name!r}\n" if ":" in name else f"  {n}: {name}\n" for n, name in enumerate(names)
    )
    text(tmp_path / "data.yaml", f"\ufeffnames:\n{listed}".replace("\n", "\r\n"))
    lines = "".join(f"{n} 0.5 0.5 0.2 0.2\n" for n in range(len(names)))
    text(tmp_path / "labels" / "a.txt", lines)
    assert [label for label, *_ in things("yolo", tmp_path)["a.png"]] == names


@pytest.mark.parametrize("name", ["coco", "yolo", "labelme", "voc", "csv", "label-studio"])
def test_no_picture_of_a_call_takes_the_place_of_another(name, tmp_path):
    thing = Instance("cat", (2.0, 2.0, 9.0, 9.0), (2, 2, 9, 9))
    names = ["a b.png", "a_b.png", "A B.jpg", "a&b.jpg", "a_b-2.png"]
    EXPORTERS[name]([Annotated(one, (20, 20), [thing]) for one in names], tmp_path)
    assert sorted(things(name, tmp_path)) == sorted(names)


def test_a_picture_that_comes_twice_keeps_its_files(tmp_path):
    twice = [Annotated("a.png", (20, 20), []), Annotated("a.png", (30, 30), [])]
    assert {path.name for path in EXPORTERS["voc"](twice, tmp_path)} == {"a.xml"}


def test_a_picture_may_be_as_large_as_one_that_is_looked_at():
    assert (picture_files.MAX_SIDE, picture_files.MAX_PIXELS) == (MAX_SIDE, MAX_PIXELS)


def test_no_name_is_found_outside_the_folder(tmp_path):
    secret = picture(tmp_path / "secret.png")
    (tmp_path / "data").mkdir()
    finder = picture_files.PictureFinder([tmp_path / "data"])
    for name in ("../secret.png", str(secret), "x/../../secret.png", "..\\secret.png", "", "\0"):
        assert finder.find(name) is None, name


def test_a_name_that_two_files_could_be_is_none(tmp_path):
    for place in ("a", "b"):
        picture(tmp_path / place / "1.png")
    finder = picture_files.PictureFinder([tmp_path])
    assert finder.find("1.png") is None
    assert finder.find("C:\\data\\b\\1.PNG") == tmp_path / "b" / "1.png"


def test_masks_are_drawn_when_they_are_looked_at(tmp_path, monkeypatch):
    """A data set of many large masks needs the memory of one."""
    shutil.copytree(CASES / "coco", tmp_path / "data")
    from postprocess.datasets import coco_file

    drawn = []
    draw = coco_file.mask_from_coco
    monkeypatch.setattr(coco_file, "mask_from_coco", lambda *given: drawn.append(1) or draw(*given))
    pictures = READERS["coco"](tmp_path / "data" / "base.json")
    assert not drawn
    assert (
        sum(one.mask is not None for each in pictures for one in each.instances) == len(drawn) == 14
    )
