"""Files for other programs: what they hold, that they read back, that they say no more."""

import contextlib
import csv
import io
import json
import sys
import types
import xml.etree.ElementTree as ET
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO

from postprocess.datasets.annotated import apart
from postprocess.datasets.brush import pack_brush, unpack_brush
from postprocess.datasets.yolo import read_yolo
from postprocess.exports import (
    EXPORTERS,
    READERS,
    Annotated,
    ExportError,
    folder_of,
    to_supervision,
)
from postprocess.exports.paligemma import to_paligemma
from postprocess.exports.pixels import cut_out, indexed
from postprocess.exports.yolo import join_rings, to_yolo
from postprocess.instances import UNNAMED, Instance, locate
from postprocess.metrics import mask_iou
from postprocess.palette import label_color
from postprocess.tokens import MentionError, parse

SIZE = (160, 120)


def ellipse(x, y, a, b, size=SIZE):
    rows, columns = np.mgrid[: size[1], : size[0]]
    return ((columns - x) / a) ** 2 + ((rows - y) / b) ** 2 <= 1


def thing(label, mask=None, box=None, **rest):
    if mask is not None:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        pixels = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        return Instance(label, box or tuple(map(float, pixels)), pixels, mask, **rest)
    x0, y0, x1, y1 = box
    return Instance(label, box, (int(x0), int(y0), int(x1), int(y1)), **rest)


CAT = thing("cat", ellipse(40, 60, 30, 40), score=0.875)
TWO_PARTS = thing("black cat", ellipse(110, 30, 20, 10) | ellipse(120, 90, 30, 20))
BOX = thing("dog & <b>", box=(10.25, 20.5, 70.75, 100.125), score=0.5)
NAMELESS = thing("", box=(1.0, 2.0, 30.0, 40.0))
EVERYTHING = [CAT, TWO_PARTS, BOX, NAMELESS]


def noise(size=SIZE):
    width, height = size
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def annotated(instances=EVERYTHING, name="photo.jpg", image=True):
    return Annotated(name, SIZE, instances, noise() if image else None)


def export(kind, folder, *pictures):
    return EXPORTERS[kind](pictures or [annotated()], folder)


@pytest.mark.parametrize("kind", EXPORTERS)
def test_an_export_says_which_files_it_wrote(kind, tmp_path):
    written = export(kind, tmp_path / "new" / "folder")
    on_disk = [path for path in (tmp_path / "new" / "folder").rglob("*") if path.is_file()]
    assert written and sorted(written) == sorted(on_disk)


@pytest.mark.parametrize("kind", EXPORTERS)
def test_a_picture_with_nothing_in_it_is_exported(kind, tmp_path):
    export(kind, tmp_path, annotated([]))


@pytest.mark.parametrize("kind", EXPORTERS)
def test_no_name_leads_out_of_the_folder(kind, tmp_path):
    folder = tmp_path / "inside"
    evil = [thing("../../etc/passwd", CAT.mask), thing("a/b\\c:d|e\x00f\u202e", TWO_PARTS.mask)]
    written = export(kind, folder, annotated(evil, "../../../photo.jpg"), annotated(evil, "..jpg"))
    for path in written:
        assert path.resolve().is_relative_to(folder.resolve())
        assert not path.name.startswith(".") and len(path.name) < 200
    assert [path for path in tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize("name", ["", ".", "..", "/", ".jpg", "\u202e"])
def test_a_picture_without_a_name_is_a_picture(name):
    assert annotated([], name).stem in ("picture", "jpg")


# What each format keeps: of a masked thing its mask and its box, or the box of its outline.
EXACT = {"coco", "csv", "label-studio"}
WITH_SCORES = {"coco", "csv", "labelme", "label-studio"}
WITH_MASKS = {"coco", "csv", "labelme", "label-studio", "yolo-polygons"}


READ_BACK = ["coco", "csv", "label-studio", "labelme", "voc", "yolo", "yolo-polygons"]


@pytest.mark.parametrize("kind", READ_BACK)
def test_what_is_written_reads_back(kind, tmp_path):
    export(kind, tmp_path)
    (back,) = READERS[kind.removesuffix("-polygons")](tmp_path)
    assert (back.file_name, back.size) == ("photo.jpg", SIZE)
    assert [one.label for one in back.instances] == ["cat", "black cat", "dog & <b>", "thing"]
    for before, after in zip(EVERYTHING, back.instances, strict=True):
        tolerance = 1e-6 if kind in EXACT or kind == "yolo" else 1.001
        assert after.box == pytest.approx(before.box, abs=tolerance)
        if kind in WITH_SCORES:
            assert after.score == before.score
        if kind in WITH_MASKS and before.mask is not None:
            least = 1.0 if kind in EXACT else 0.98
            assert mask_iou(before.mask, after.mask) >= least
            x0, y0, x1, y1 = after.pixels
            outside = after.mask.copy()
            outside[y0:y1, x0:x1] = False
            assert not outside.any()


@pytest.mark.parametrize("kind", ["coco", "csv", "label-studio", "labelme", "voc", "yolo"])
@pytest.mark.parametrize(
    "name",
    [
        "what?.jpg",
        "a?d=b.jpg",
        "50%20 off.jpg",
        "a#b&c+d.jpg",
        "größe 写.jpg",
        "a:b.jpg",
        "a b/1.jpg",
    ],
)
def test_a_picture_is_called_as_it_was(kind, name, tmp_path):
    export(kind, tmp_path, annotated([BOX], name))
    export(kind, tmp_path, annotated([BOX], name))  # once more, in its own place
    assert [one.file_name for one in READERS[kind](tmp_path)] == [name]


@pytest.mark.parametrize(
    "name", ["what?.jpg", "50%20 off.jpg", "a#b&c+d.jpg", "a\\b.jpg", "c/1.jpg"]
)
@pytest.mark.parametrize(
    "prefix", ["", "/data/local-files/?d=some/folder/", "https://studio.example/data/upload/3/"]
)
def test_label_studio_has_pictures_by_their_addresses(name, prefix, tmp_path):
    """People put in front of them where the pictures are, and annotate."""
    tasks, _ = export("label-studio", tmp_path, annotated([BOX], name))
    (task,) = json.loads(tasks.read_text())
    task["data"]["image"] = f"{prefix}{task['data']['image']}"
    tasks.write_text(json.dumps([task]))
    assert [one.file_name for one in READERS["label-studio"](tmp_path)] == [name]
    if "d=" in prefix:  # as the server reads it
        asked = parse_qs(urlsplit(task["data"]["image"]).query)
        assert asked["d"] == [f"some/folder/{name}"]


@pytest.mark.parametrize("name", ["../../a.jpg", "/etc/a.jpg", "..\\a.jpg", "C:/a.jpg", "", 3])
def test_a_name_of_label_studio_that_leads_elsewhere_is_none(name, tmp_path):
    task = {"data": {"image": f"/data/upload/1/{name}", "file_name": name, "width": 9, "height": 9}}
    tasks = [task | {"annotations": [{"result": []}]}]
    (tmp_path / "label_studio.json").write_text(json.dumps(tasks))
    (read,) = READERS["label-studio"](tmp_path)
    assert read.file_name in ("a.jpg", "3", "1")


@pytest.mark.parametrize("kind", ["coco", "csv", "yolo", "paligemma", "label-studio"])
def test_one_call_for_many_pictures_and_a_call_for_each_come_to_the_same(kind, tmp_path):
    pictures = [annotated([CAT, BOX], "a.jpg"), annotated([TWO_PARTS], "b.jpg")]
    together = export(kind, tmp_path / "together", *pictures)
    for picture in pictures:
        export(kind, tmp_path / "apart", picture)
    export(kind, tmp_path / "apart", pictures[1])  # a picture once more replaces itself
    for path in together:
        twin = tmp_path / "apart" / path.relative_to(tmp_path / "together")
        assert path.read_bytes() == twin.read_bytes()


def test_coco_is_a_file_that_pycocotools_reads(tmp_path):
    (path,) = export("coco", tmp_path, annotated([CAT, BOX], "a.jpg"), annotated([CAT], "b.jpg"))
    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO(str(path))
    assert [image["file_name"] for image in data.loadImgs(data.getImgIds())] == ["a.jpg", "b.jpg"]
    assert {row["name"] for row in data.loadCats(data.getCatIds())} == {"cat", "dog & <b>"}
    first = data.loadAnns(data.getAnnIds())[0]
    assert np.array_equal(data.annToMask(first).astype(bool), CAT.mask)
    assert first["area"] == CAT.mask.sum() and first["score"] == 0.875
    x, y, width, height = first["bbox"]
    assert (x, y, x + width, y + height) == CAT.box


def test_coco_polygons_and_uncompressed_runs_of_others_are_read(tmp_path):
    data = {
        "images": [{"id": 7, "file_name": "x.png", "width": 20, "height": 10}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [2, 2, 5, 5],
             "segmentation": [[2, 2, 6, 2, 6, 6, 2, 6]]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 10],
             "segmentation": {"size": [10, 20], "counts": [0, 10, 190]}},
            {"id": 3, "image_id": 7, "category_id": 3, "bbox": [0, 0, 20, 10], "iscrowd": 1},
        ],
    }  # fmt: skip
    (tmp_path / "annotations.json").write_text(json.dumps(data))
    (picture,) = READERS["coco"](tmp_path)
    square, column = picture.instances
    assert square.mask.sum() == 16 and square.mask[2:6, 2:6].all()
    assert column.mask.sum() == 10 and column.mask[:, 0].all()


# A mask of another size than its picture.
ODD_MASK = {
    "images": [{"id": 1, "file_name": "x.png", "width": 20, "height": 10}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 5, 5],
         "segmentation": {"size": [5, 5], "counts": [0, 25]}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("coco", "annotations.json", "{"),
        ("coco", "annotations.json", "[]"),
        (
            "coco",
            "annotations.json",
            '{"images": [{"id": 1}], "categories": [], "annotations": []}',
        ),
        ("coco", "annotations.json", json.dumps(ODD_MASK)),
        ("labelme", "x.json", '{"shapes": [], "imageWidth": "wide"}'),
        ("voc", "x.xml", "<annotation>"),
        ("voc", "x.xml", "<annotation></annotation>"),
        ("voc", "x.xml", '<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>'),
        ("csv", "instances.csv", "file_name,width\na.jpg,wide\n"),
        ("csv", "instances.csv", "\udcff"),
    ],
)
def test_a_file_that_is_not_of_the_format_is_refused(kind, name, content, tmp_path):
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ExportError, match=name):
        READERS[kind](tmp_path / name)


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_is_not_there_is_refused(kind, tmp_path):
    with pytest.raises(ExportError, match="There is no file"):
        READERS[kind](tmp_path / "absent")


def test_an_index_of_masks_counts_the_instances():
    large, small = thing("sea", ellipse(80, 60, 70, 50)), thing("cat", ellipse(80, 60, 20, 20))
    image = indexed(annotated([small, BOX, large]))
    numbers = np.asarray(image)
    assert image.mode == "P" and set(np.unique(numbers)) == {0, 1, 3}
    assert np.array_equal(numbers == 1, small.mask)
    assert np.array_equal(numbers > 0, large.mask)
    assert image.convert("RGB").getpixel((80, 60)) == label_color("cat")


def test_an_index_of_many_masks_is_wider():
    dot = np.zeros(SIZE[::-1], bool)
    dot[5, 5] = True
    many = [thing("dot", np.roll(dot, shift, axis=1)) for shift in range(300 // 2)] * 2
    numbers = np.asarray(indexed(annotated(many)))
    assert numbers.dtype == np.uint16 and numbers.max() == 300


def test_each_mask_is_a_picture_of_its_own(tmp_path):
    written = {path.name: path for path in export("masks", tmp_path)}
    assert set(written) == {
        "photo.masks.png", "photo.mask.1.cat.png", "photo.mask.2.black_cat.png"
    }  # fmt: skip
    with Image.open(written["photo.mask.1.cat.png"]) as image:
        assert np.array_equal(np.asarray(image).astype(bool), CAT.mask)


def test_a_cut_out_is_clear_outside_the_mask():
    cut = np.asarray(cut_out(noise(), CAT))
    x0, y0, x1, y1 = CAT.pixels
    assert np.array_equal(cut[..., 3] > 0, CAT.mask[y0:y1, x0:x1])
    assert np.array_equal(cut[..., :3], np.asarray(noise())[y0:y1, x0:x1])
    assert np.asarray(cut_out(noise(), BOX))[..., 3].min() == 255


def test_a_cut_out_has_soft_edges_where_probabilities_are_known():
    soft = np.zeros(SIZE[::-1], np.float32)
    soft[50, 40] = 0.5
    instance = Instance("cat", CAT.box, CAT.pixels, CAT.mask, soft)
    alpha = np.asarray(cut_out(noise(), instance))[..., 3]
    assert alpha[50 - CAT.pixels[1], 40 - CAT.pixels[0]] == 128 and (alpha > 0).sum() == 1


@pytest.mark.parametrize("kind", ["overlay", "cutouts"])
def test_an_export_of_pixels_needs_the_picture(kind, tmp_path):
    with pytest.raises(ExportError, match=r"photo\.jpg"):
        export(kind, tmp_path, annotated(image=False))


@pytest.mark.parametrize("kind", EXPORTERS)
def test_nothing_that_a_camera_wrote_goes_along(kind, tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    raw = io.BytesIO()
    noise().save(raw, "JPEG", exif=exif, comment=b"secret place")
    with Image.open(raw) as image:
        for path in export(kind, tmp_path, Annotated("photo.jpg", SIZE, EVERYTHING, image)):
            assert b"secret" not in path.read_bytes()


def test_yolo_counts_in_shares_of_the_sides(tmp_path):
    export("yolo", tmp_path, annotated([thing("cat", box=(16.0, 12.0, 48.0, 60.0))]))
    assert (tmp_path / "labels" / "photo.txt").read_text().split() == [
        "0", "0.20000000", "0.30000000", "0.20000000", "0.40000000"
    ]  # fmt: skip
    assert (tmp_path / "classes.txt").read_text() == "cat\n"
    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert data == {"train": "images", "val": "images", "names": {0: "cat"}}


def test_yolo_of_others_takes_sizes_from_the_pictures(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "labels" / "a.txt").write_text("1 0.5 0.5 0.5 0.5 0.75\n")
    with pytest.raises(ExportError, match=r"a\.jpg"):
        read_yolo(tmp_path)
    lying = Image.Exif()
    lying[0x0112] = 6  # the camera was held upright
    noise().save(tmp_path / "images" / "a.jpg", exif=lying)
    (picture,) = read_yolo(tmp_path)
    assert picture.size == SIZE[::-1] and picture.file_name == "a.jpg"
    (dog,) = picture.instances
    assert (dog.label, dog.box, dog.score) == ("dog", (30, 40, 90, 120), 0.75)


def test_yolo_as_ultralytics_lays_it_out_is_read(tmp_path):
    for part in ("labels/train", "images/train"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("train: images/train\nnames:\n  0: cat\n  1: dog\n")
    (tmp_path / "labels" / "train" / "a.txt").write_text("1 0.25 0.25 0.75 0.25 0.75 0.75\n")
    noise().save(tmp_path / "images" / "train" / "a.png")
    (picture,) = read_yolo(tmp_path)
    (dog,) = picture.instances
    assert (picture.size, dog.label, dog.box) == (SIZE, "dog", (40, 30, 120, 90))
    assert dog.mask[40, 110] and not dog.mask[80, 50]


@pytest.mark.parametrize(
    "line", ["x 0 0 1 1", "7 0.5 0.5 1 1", "-1 0.5 0.5 1 1", "0 0 0 1", "0 0 0 1 1 1 0 1"]
)
def test_a_line_that_is_not_yolo_is_refused(tmp_path, line):
    export("yolo", tmp_path)
    (tmp_path / "labels" / "photo.txt").write_text(f"{line}\n")
    with pytest.raises(ExportError, match=r"photo\.txt"):
        read_yolo(tmp_path)


def test_the_thinnest_of_masks_is_still_a_polygon(tmp_path):
    for wide in (1, 2):
        line = np.zeros(SIZE[::-1], bool)
        line[50, 50 : 50 + wide] = True
        export("yolo-polygons", tmp_path, annotated([thing("dot", line)]))
        assert mask_iou(read_yolo(tmp_path)[0].instances[0].mask, line) == 1


def test_rings_are_joined_by_their_shortest_seam():
    left, right = [(0, 0), (10, 0), (10, 10), (0, 10)], [(12, 10), (20, 10), (20, 0)]
    joined = join_rings([left, right])
    assert len(joined) == len(left) + len(right) + 2
    seam = joined.index((10, 10))
    assert joined[seam + 1] == (12, 10) and joined[seam + 4 : seam + 6] == [(12, 10), (10, 10)]


def test_labelme_groups_the_parts_of_a_mask(tmp_path):
    (path,) = export("labelme", tmp_path)
    data = json.loads(path.read_text())
    groups = [(shape["label"], shape["shape_type"], shape["group_id"]) for shape in data["shapes"]]
    assert groups == [
        ("cat", "polygon", None),
        ("black cat", "polygon", 2),
        ("black cat", "polygon", 2),
        ("dog & <b>", "rectangle", None),
        ("thing", "rectangle", None),
    ]
    assert (data["imageWidth"], data["imageHeight"], data["imageData"]) == (*SIZE, None)


def test_voc_counts_pixels_from_one(tmp_path):
    (path,) = export("voc", tmp_path, annotated([thing("cat", box=(0.0, 0.0, 10.0, 20.0))]))
    corners = ET.parse(path).find("object/bndbox")
    assert [corner.text for corner in corners] == ["1", "1", "10", "20"]


def test_svg_is_xml_that_hides_no_script(tmp_path):
    evil = thing('"><script>alert(1)</script>\x00', CAT.mask)
    (path,) = export("svg", tmp_path, annotated([evil, BOX], 'a"b c.jpg'))
    root = ET.parse(path).getroot()
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert tags == ["svg", "image", "g", "title", "rect", "path", "g", "title", "rect"]
    assert root[0].get("href") == "a%22b%20c.jpg"
    assert root.get("viewBox") == "0 0 160 120"


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@x", "'=1", "'tis", "''", "plain"])
def test_no_cell_of_a_csv_is_a_formula_and_it_is_read_as_it_was(tmp_path, label):
    thing = Instance(label, (1.0, 1.0, 3.0, 3.0), (1, 1, 3, 3), None)
    (path,) = EXPORTERS["csv"]([Annotated("=a.png", (4, 4), [thing])], tmp_path)
    rows = list(csv.reader(path.read_text("utf-8").splitlines()))[1:]
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    (read,) = READERS["csv"](path)
    assert (read.file_name, read.instances[0].label) == ("=a.png", label)


def test_csv_is_a_row_for_each_instance(tmp_path):
    (path,) = export("csv", tmp_path)
    rows = path.read_text().splitlines()
    assert rows[0].startswith("file_name,width,height,label,score,x0") and len(rows) == 5
    assert rows[3].startswith("photo.jpg,160,120,dog & <b>,0.5,10.25,20.5,70.75,100.125,")


def test_words_have_a_table_and_lines_of_their_own(tmp_path):
    asked = [
        Annotated(name, (4, 4), [], words=("caption en", f"a cat\nin {name}"))
        for name in ("a.png", "b.png")
    ]
    for one in asked:
        things, words = EXPORTERS["csv"]([one], tmp_path)
        EXPORTERS["paligemma"]([one], tmp_path)
    EXPORTERS["csv"]([replace(asked[0], words=("ask", "yes"))], tmp_path)
    rows = list(csv.reader(io.StringIO(words.read_text("utf-8"))))[1:]
    assert rows == [["a.png", "ask", "yes"], ["b.png", "caption en", "a cat\nin b.png"]]
    assert READERS["csv"](tmp_path) == [] and things.name == "instances.csv"
    lines = read_lines(tmp_path / "train.jsonl")
    assert [line["suffix"] for line in lines] == ["a cat\nin a.png", "a cat\nin b.png"]
    assert lines[0] == lines[0] | {"image": "a.png", "prefix": "caption en"}


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_fine_tuning_lines_ask_for_all_names_and_answer_left_to_right(tmp_path):
    left, right = (
        thing("cat", box=(0.0, 0.0, 40.0, 60.0)),
        thing("cat", box=(80.0, 0.0, 120.0, 60.0)),
    )
    dog = thing("dog", box=(20.0, 30.0, 100.0, 120.0))
    (path,) = to_paligemma([annotated([right, dog, left, NAMELESS])], tmp_path)
    (line,) = read_lines(path)
    assert (line["image"], line["prefix"]) == ("photo.jpg", "detect cat ; dog")
    back = locate(parse(line["suffix"]), SIZE, policy="bigvision")
    assert [one.label for one in back] == ["cat", "cat", "dog"]
    for before, after in zip([left, right, dog], back, strict=True):
        assert after.box == pytest.approx(before.box, abs=0.1)


class Codebook:
    """Sixteen codes that are a 4 x 4 picture: enough to see how much of a mask is left."""

    def encode(self, masks):
        return (
            (np.asarray(masks).reshape(-1, 4, 16, 4, 16).mean((2, 4)) * 127)
            .astype(int)
            .reshape(-1, 16)
        )

    def decode(self, codes, logits=False):
        coarse = np.asarray(codes).reshape(-1, 4, 4) / 127 * 2 - 1
        return np.kron(coarse, np.ones((16, 16))).astype(np.float32)


def test_fine_tuning_lines_with_masks_say_what_the_codebook_loses(tmp_path):
    block = np.zeros(SIZE[::-1], bool)
    block[20:80, 40:120] = True
    pictures = [annotated([thing("block", block), CAT, BOX])]
    (path,) = to_paligemma(pictures, tmp_path, decoder=Codebook())
    detect, solid, cat = read_lines(path)
    assert (solid["prefix"], cat["prefix"]) == ("segment block", "segment cat")
    assert "mask_iou" not in detect and "<seg" not in detect["suffix"]
    assert solid["mask_iou"][0] > 0.95 and 0.6 < cat["mask_iou"][0] < 0.95
    (mention,) = parse(cat["suffix"])
    assert len(mention.codes) == 16
    masks = locate([mention], SIZE, Codebook(), "bigvision")
    assert mask_iou(masks[0].mask, CAT.mask) == pytest.approx(cat["mask_iou"][0], abs=1e-4)


def test_fine_tuning_lines_refuse_a_name_that_cannot_be_written(tmp_path):
    with pytest.raises(MentionError, match="cat ; dog"):
        to_paligemma([annotated([thing("cat ; dog", box=(0.0, 0.0, 9.0, 9.0))])], tmp_path)


@pytest.fixture
def supervision(monkeypatch):
    """A stand-in for the package that keeps what it is given."""

    class Detections:
        def __init__(self, **fields):
            self.__dict__.update(fields)

        @classmethod
        def empty(cls):
            return cls(xyxy=np.empty((0, 4)))

    package = types.ModuleType("supervision")
    package.Detections = Detections
    monkeypatch.setitem(sys.modules, "supervision", package)


def test_instances_become_detections(supervision):
    masked = thing("dog", ellipse(50, 50, 20, 20), score=0.25)
    found = to_supervision([CAT, masked, CAT])
    assert found.xyxy.shape == (3, 4) and found.mask.shape == (3, *SIZE[::-1])
    assert found.confidence.tolist() == [0.875, 0.25, 0.875]
    assert found.class_id.tolist() == [0, 1, 0]
    assert found.data["class_name"].tolist() == ["cat", "dog", "cat"]
    partly = to_supervision([CAT, BOX, NAMELESS])
    assert partly.mask is None and partly.confidence is None
    assert len(to_supervision([]).xyxy) == 0


def test_without_supervision_its_export_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(ExportError, match="pip install supervision"):
        to_supervision([CAT])


@pytest.mark.parametrize(
    "file_name, label",
    [
        ("a b (1).jpg", "a b (1)"),
        ("d/IMG.2024.png", "d/IMG.2024"),
        ("../out.png", None),
        ("/abs.png", None),
        ("a\\b.png", None),
        ("a:b.png", None),
        ("..", None),
        ("x" * 300 + ".png", None),
    ],
)
def test_yolo_calls_label_files_as_pictures_are_called(tmp_path, file_name, label):
    picture = Annotated(file_name, (100, 50), [Instance("cat", (10, 10, 60, 40), (10, 10, 60, 40))])
    (written, *_) = to_yolo([picture], tmp_path)
    expected = picture.stem if label is None else label
    assert written == tmp_path / "labels" / f"{expected}.txt"
    (again,) = read_yolo(tmp_path)
    assert again.file_name == file_name


def test_yolo_pictures_that_differ_in_their_suffix_both_keep_their_labels(tmp_path):
    things = [Instance("cat", (10, 10, 60, 40), (10, 10, 60, 40))]
    pictures = [
        Annotated("a.png", (100, 50), things, files="a"),
        Annotated("a.jpg", (100, 50), [], files="a-2"),
    ]
    for _ in range(2):  # written again, each finds its own file
        to_yolo(pictures, tmp_path)
    counts = {picture.file_name: len(picture.instances) for picture in read_yolo(tmp_path)}
    assert counts == {"a.png": 1, "a.jpg": 0}


DOT = Instance("cat", (10.5, 20.25, 10.5, 20.25), (10, 20, 10, 20), score=0.5, point=(10.5, 20.25))


@pytest.mark.parametrize("kind", ["coco", "csv", "labelme", "label-studio"])
def test_a_point_reads_back_as_a_point(kind, tmp_path):
    export(kind, tmp_path, annotated([CAT, DOT]))
    cat, dot = READERS[kind](tmp_path)[0].instances
    assert cat.point is None and cat.mask is not None
    assert (dot.label, dot.box, dot.point, dot.mask) == ("cat", DOT.box, DOT.point, None)


def test_a_point_is_a_key_point_of_coco_and_a_circle_of_svg(tmp_path):
    (path,) = export("coco", tmp_path, annotated([DOT]))
    data = json.loads(path.read_text())
    assert data["annotations"][0]["keypoints"] == [10.5, 20.25, 2]
    assert data["categories"][0]["keypoints"] == ["point"]
    (path,) = export("svg", tmp_path, annotated([DOT]))
    assert '<circle cx="10.5" cy="20.25"' in path.read_text()
    (path,) = export("voc", tmp_path, annotated([DOT]))
    assert [axis.text for axis in ET.parse(path).find("object/point")] == ["11.5", "21.25"]


@pytest.mark.parametrize("kind", ["yolo", "yolo-polygons", "paligemma"])
def test_a_form_without_points_says_so_and_writes_nothing(kind, tmp_path):
    with pytest.raises(ExportError, match=r"no points, and photo\.jpg has 1"):
        export(kind, tmp_path / "new", annotated([CAT, DOT]))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", ["coco", "csv", "labelme", "yolo-polygons"])
def test_a_hole_stays_a_hole(kind, tmp_path):
    ring = ellipse(80, 60, 50, 50) & ~ellipse(80, 60, 30, 20)
    export(kind, tmp_path, annotated([thing("ring", ring)]))
    (back,) = READERS[kind.removesuffix("-polygons")](tmp_path)[0].instances
    assert not back.mask[60, 80] and mask_iou(back.mask, ring) >= 0.95


def test_svg_fills_by_the_even_odd_rule(tmp_path):
    ring = ellipse(80, 60, 50, 50) & ~ellipse(80, 60, 30, 20)
    (path,) = export("svg", tmp_path, annotated([thing("ring", ring)]))
    shape = next(one for one in ET.parse(path).getroot().iter() if one.tag.endswith("path"))
    assert shape.get("fill-rule") == "evenodd" and shape.get("d").count("M") == 2


def test_a_picture_can_bring_what_turns_its_masks_into_codes(tmp_path):
    block = np.zeros(SIZE[::-1], bool)
    block[20:80, 40:120] = True
    picture = Annotated("photo.jpg", SIZE, [thing("block", block)], codec=Codebook())
    (path,) = EXPORTERS["paligemma"]([picture], tmp_path)
    assert [line["prefix"] for line in read_lines(path)] == ["detect block", "segment block"]


def test_forms_of_the_same_files_get_a_folder_each_when_both_are_asked_for(tmp_path):
    both = ["yolo", "coco", "yolo-polygons"]
    assert folder_of("yolo", both, tmp_path) == tmp_path / "yolo"
    assert folder_of("yolo-polygons", both, tmp_path) == tmp_path / "yolo-polygons"
    assert folder_of("coco", both, tmp_path) == folder_of("yolo", ["yolo"], tmp_path) == tmp_path


def test_no_two_forms_write_a_file_of_one_name(tmp_path):
    """Whatever a picture is called, all forms at once lose nothing."""
    pictures = apart([annotated(name=f"{name}.jpg") for name in ("annotations", "label_studio")])
    written = [
        path
        for kind in EXPORTERS
        for path in EXPORTERS[kind](pictures, folder_of(kind, EXPORTERS, tmp_path))
    ]
    assert len(written) == len(set(written))


def test_what_is_added_to_keeps_rows_that_no_reader_would_take(tmp_path):
    """A box without an area is a thing that some answer had."""
    thin = thing("cat", box=(10.0, 10.0, 10.0, 30.0))
    for kind in ("coco", "csv"):
        export(kind, tmp_path, annotated([thin], "a.jpg"))
        export(kind, tmp_path, annotated([CAT], "b.jpg"))
    assert len(json.loads((tmp_path / "annotations.json").read_text())["annotations"]) == 2
    assert len((tmp_path / "instances.csv").read_text().splitlines()) == 3


def test_pictures_of_one_name_that_come_together_stay_two(tmp_path):
    for _ in range(2):
        export("coco", tmp_path, annotated([CAT], "a.jpg"), annotated([BOX], "a.jpg"))
    data = json.loads((tmp_path / "annotations.json").read_text())
    assert [row["file_name"] for row in data["images"]] == ["a.jpg", "a.jpg"]


def test_label_studio_gets_predictions_and_the_interface_they_belong_to(tmp_path):
    tasks, interface = export("label-studio", tmp_path)
    (task,) = json.loads(tasks.read_text())
    first, *_, last = task["predictions"][0]["result"]
    assert (first["type"], first["value"]["brushlabels"], first["score"]) == (
        "brushlabels", ["cat"], 0.875
    )  # fmt: skip
    assert (last["type"], last["value"]["rectanglelabels"]) == ("rectanglelabels", [UNNAMED])
    assert last["value"]["x"] == pytest.approx(100 / 160)
    controls = {one.get("name") for one in ET.parse(interface).getroot()}
    assert {result["from_name"] for result in task["predictions"][0]["result"]} < controls


@pytest.mark.parametrize("density", [0.0, 0.02, 0.5, 1.0])
def test_a_mask_survives_the_brush(density):
    mask = np.random.default_rng(0).random((61, 83)) < density
    assert np.array_equal(unpack_brush(pack_brush(mask), (83, 61)), mask)


@pytest.mark.parametrize(
    "rle", [None, "abc", [], [1, 2, 3], [256] * 40, [0, 0, 4, 0, 0], [255] * 200], ids=repr
)
def test_bytes_that_are_no_brush_mask_are_refused(rle):
    with pytest.raises(ValueError):
        unpack_brush(rle, (16, 16))


def test_everything_in_coco_is_counted_from_one(tmp_path):
    """Tools take 0 for nothing: pycocotools does not count a match with annotation 0."""
    pictures = [annotated([CAT, BOX]), Annotated("other.jpg", SIZE, [TWO_PARTS])]
    EXPORTERS["coco"](pictures, tmp_path)
    data = json.loads((tmp_path / "annotations.json").read_text())
    assert [row["id"] for row in data["images"]] == [1, 2]
    assert [row["id"] for row in data["annotations"]] == [1, 2, 3]
    assert [row["id"] for row in data["categories"]] == [1, 2, 3]
    assert [row["image_id"] for row in data["annotations"]] == [1, 1, 2]
    assert [row["category_id"] for row in data["annotations"]] == [1, 2, 3]
