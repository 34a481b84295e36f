"""What data sets call pictures, and that no file about one is written over another's."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import PurePosixPath

import pytest
from PIL import Image

from postprocess.__main__ import main
from postprocess.datasets.annotated import apart
from postprocess.datasets.files import NAME_BYTES, safe_name
from postprocess.datasets.naming import free_names, free_stems, picture_names, safe_stem
from postprocess.exports import EXPORTERS, READERS, Annotated
from postprocess.instances import Instance

SIZE = (32, 24)


def thing(label: str = "cat", box: tuple[int, int, int, int] = (2, 2, 9, 9)) -> Instance:
    return Instance(label, tuple(map(float, box)), box)


@pytest.mark.parametrize(
    "names, stems",
    [
        pytest.param(["a.png", "b.png"], ["a", "b"], id="free already"),
        pytest.param(["a b.jpg", "a_b.png"], ["a_b", "a_b-2"], id="equal once cleaned"),
        pytest.param(["IMG (1).jpg", "IMG_1.jpg"], ["IMG_1", "IMG_1-2"], id="of a camera"),
        pytest.param(["x.jpg", "x.png", "x-2.jpg"], ["x", "x-3", "x-2"], id="a number of its own"),
        pytest.param(["x.jpg", "X.JPG"], ["x", "X-2"], id="equal but for the case"),
        pytest.param(["a/x.png", "b/x.png"], ["a_x", "b_x"], id="folders tell apart"),
        pytest.param(["annotations.jpg"], ["annotations-2"], id="the file of COCO"),
        pytest.param(["caf\u00e9.png", "cafe\u0301.png"], ["caf\u00e9", "caf\u00e9-2"], id="NFD"),
        pytest.param(["?.png", "!.png", ""], ["picture", "picture-2", "picture-3"], id="no name"),
    ],
)
def test_files_about_pictures_are_all_named_differently(names, stems):
    assert free_stems(names) == stems


def test_long_names_that_begin_alike_stay_apart():
    stems = free_stems([f"{'a' * 150}{number}.png" for number in range(12)])
    assert len(set(stems)) == 12 and max(map(len, stems)) < 110


@pytest.mark.parametrize("letter", ["a", "\u65e5", "\U00020000", "\u00e9"])
def test_a_name_is_cut_at_bytes_between_letters(letter):
    name = safe_name(letter * 300, "thing")
    assert NAME_BYTES - 4 < len(name.encode()) <= NAME_BYTES and set(name) == {letter}


def test_a_name_with_marks_keeps_its_letters():
    apart_written = unicodedata.normalize("NFD", "\u304c\u00e9")
    assert safe_stem(f"{apart_written}.png") == "\u304c\u00e9"


@pytest.mark.parametrize(
    "paths, names",
    [
        pytest.param(["/p/x.jpg", "/p/x.png"], ["x.jpg", "x.png"], id="own names"),
        pytest.param(["/p/a b.jpg", "/q/c.png"], ["a b.jpg", "c.png"], id="of any folders"),
        pytest.param(["/p/x.png", "/p/d/x.png"], ["x.png", "d/x.png"], id="one folder down"),
        pytest.param(
            ["/p/a/x.png", "/p/b/x.png", "/p/c/y.png"],
            ["a/x.png", "b/x.png", "c/y.png"],
            id="all from one folder, so that all are found",
        ),
        pytest.param(["/p/X.png", "/q/x.png"], ["p/X.png", "q/x.png"], id="but for the case"),
        pytest.param(["/p/x.png", "/p/x.png"], ["x.png", "x.png"], id="one picture twice"),
        pytest.param(["x.png", "z/x.png"], ["x.png", "z/x.png"], id="without a root"),
        pytest.param([], [], id="none"),
    ],
)
def test_a_data_set_calls_a_picture_what_its_file_is_called(paths, names):
    assert picture_names([PurePosixPath(path) for path in paths]) == names


def test_what_nothing_tells_apart_is_numbered():
    names = ["a.png", "a.png", "A.png", "a-2.png", "d/a.png", "a", "a", "x.d/a", "x.d/a"]
    free = free_names(names)
    assert free == [
        "a.png", "a-3.png", "A-4.png", "a-2.png", "d/a.png", "a", "a-2", "x.d/a", "x.d/a-2"
    ]  # fmt: skip
    assert free_names(names[:4], alike=str) == ["a.png", "a-3.png", "A.png", "a-2.png"]


@pytest.mark.parametrize("kind", ["yolo", "labelme", "voc", "svg", "masks", "overlay"])
def test_no_export_of_pictures_with_alike_names_is_lost(tmp_path, kind):
    image = Image.new("RGB", SIZE)
    names = ["a b.jpg", "a_b.png", "A_B.png"]
    pictures = apart([Annotated(name, SIZE, [thing()], image) for name in names])
    assert [picture.file_name for picture in pictures] == names
    together = {path for picture in pictures for path in EXPORTERS[kind]([picture], tmp_path)}
    (tmp_path / "one").mkdir()
    alone = [path for path in EXPORTERS[kind](pictures[:1], tmp_path / "one")]
    shared = 3 * (kind == "yolo")  # its classes, its data and its sizes
    assert len(together) == 3 * (len(alone) - shared) + shared


@pytest.mark.parametrize("kind", ["yolo", "labelme", "voc"])
def test_converting_keeps_every_picture_and_its_name(tmp_path, kind, capsys):
    names = ["a b.jpg", "a_b.png", "train/x.jpg", "val/x.jpg"]
    EXPORTERS["coco"]([Annotated(name, SIZE, [thing()]) for name in names], tmp_path)
    out = tmp_path / "out"
    assert main([str(tmp_path), "--from", "coco", "--to", kind, "--out", str(out)]) == 0
    back = {picture.file_name: picture for picture in READERS[kind](out)}
    assert sorted(back) == names and all(len(one.instances) == 1 for one in back.values())


@pytest.mark.parametrize(
    "path, name",
    [
        ("x.jpg", "x.jpg"),
        ("train/x.jpg", "train/x.jpg"),
        ("train\\x.jpg", "train/x.jpg"),
        ("../images/x.jpg", "x.jpg"),
        ("C:\\photos\\x.jpg", "x.jpg"),
        ("/photos/x.jpg", "x.jpg"),
    ],
)
def test_labelme_keeps_folders_that_lie_beside_its_file(tmp_path, path, name):
    (file,) = EXPORTERS["labelme"]([Annotated("x.jpg", SIZE, [thing()])], tmp_path)
    file.write_text(file.read_text().replace('"x.jpg"', '"' + path.replace("\\", "\\\\") + '"'))
    (picture,) = READERS["labelme"](tmp_path)
    assert picture.file_name == name


@pytest.mark.parametrize("kind", EXPORTERS)
def test_a_label_in_any_script_of_any_length_is_written(tmp_path, kind):
    long = Instance("\u65e5" * 300, (2.0, 2.0, 9.0, 9.0), (2, 2, 9, 9))
    image = Image.new("RGB", SIZE)
    name = "\u732b" * 80 + ".jpg"
    for path in EXPORTERS[kind]([Annotated(name, SIZE, [long], image)], tmp_path):
        assert path.is_file() and len(path.name.encode()) <= 255


@pytest.mark.parametrize("kind", EXPORTERS)
@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are all text")
def test_a_file_name_that_is_no_text_is_written_and_added_to(tmp_path, kind):
    image = Image.new("RGB", SIZE)
    for name in ("caf\udce9.jpg", "b.jpg", "caf\udce9.jpg"):
        EXPORTERS[kind]([Annotated(name, SIZE, [thing()], image)], tmp_path)
    if kind == "coco":
        assert [one.file_name for one in READERS[kind](tmp_path)] == ["caf\udce9.jpg", "b.jpg"]


@pytest.mark.parametrize(
    "box, corners",
    [
        pytest.param((32, 5, 32, 20), ["32", "6", "32", "20"], id="at the right edge"),
        pytest.param((10, 5, 10, 20), ["11", "6", "11", "20"], id="no width"),
        pytest.param((0, 24, 32, 24), ["1", "24", "32", "24"], id="at the lower edge"),
    ],
)
def test_a_voc_box_without_area_is_the_pixel_where_it_lies(tmp_path, box, corners):
    (path,) = EXPORTERS["voc"]([Annotated("x.jpg", SIZE, [thing(box=box)])], tmp_path)
    text = path.read_text()
    said = [text.split(f"<{c}>")[1].split("<")[0] for c in ("xmin", "ymin", "xmax", "ymax")]
    assert said == corners
