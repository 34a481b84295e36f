"""What we write, read by the programs it is for; what they write, read by us.

Each test needs its program, and is skipped where that is not installed.
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from postprocess.datasets import READERS
from postprocess.exports import EXPORTERS, Annotated
from postprocess.instances import Instance
from postprocess.metrics import mask_iou

pytestmark = pytest.mark.filterwarnings("ignore")

SIZE = (160, 120)


def disc(x: int, y: int, radius: int) -> np.ndarray:
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    return np.hypot(columns - x, rows - y) <= radius


CAT = Instance("black cat", (20.0, 30.0, 81.0, 91.0), (20, 30, 81, 91), disc(50, 60, 30), score=0.9)
DOG = Instance(
    "dog", (100.0, 10.0, 150.0, 110.0), (100, 10, 150, 110), disc(125, 60, 24), score=0.5
)
BOX = Instance("dog", (5.0, 6.0, 40.0, 26.0), (5, 6, 40, 26), score=0.25)


def needs(package: str):
    return pytest.importorskip(package, reason=f"{package} is not installed")


def written(kind: str, folder: Path, *, masked: bool = False) -> Path:
    """Two pictures, theirs in `images/`, and files of a kind about them."""
    things = [CAT, DOG] if masked else [CAT, BOX]
    pictures = [Annotated("a.png", SIZE, things), Annotated("b.png", SIZE, [DOG])]
    (folder / "images").mkdir(parents=True)
    for picture in pictures:
        Image.new("RGB", SIZE).save(folder / "images" / picture.file_name)
    EXPORTERS[kind](pictures, folder)
    return folder


def near(found, box, within: float = 1.01) -> bool:
    return np.allclose(np.asarray(found, float), box, atol=within)


def test_pycocotools_reads_our_coco(tmp_path):
    coco = needs("pycocotools.coco")
    with contextlib.redirect_stdout(io.StringIO()):
        data = coco.COCO(str(written("coco", tmp_path) / "annotations.json"))
    first, *_ = data.loadAnns(data.getAnnIds())
    assert len(data.getAnnIds()) == 3 and np.array_equal(data.annToMask(first) > 0, CAT.mask)


@pytest.mark.parametrize("kind", ["coco", "yolo", "yolo-polygons", "voc"])
def test_supervision_reads_ours(kind, tmp_path):
    dataset = needs("supervision").DetectionDataset
    folder = written(kind, tmp_path, masked=kind in ("coco", "yolo-polygons"))
    images = str(folder / "images")
    if kind == "coco":
        read = dataset.from_coco(images, str(folder / "annotations.json"), force_masks=True)
    elif kind == "voc":
        read = dataset.from_pascal_voc(images, str(folder))
    else:
        read = dataset.from_yolo(images, str(folder / "labels"), str(folder / "data.yaml"))
    found = {Path(path).name: detections for path, _, detections in read}
    assert sorted(read.classes) == ["black cat", "dog"]
    assert len(found["a.png"]) == 2 and near(found["b.png"].xyxy[0], DOG.box, 30)
    if kind in ("coco", "yolo-polygons"):
        assert mask_iou(found["a.png"].mask[0].astype(bool), CAT.mask) > 0.95
    else:
        assert near(found["a.png"].xyxy[0], CAT.box)


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_we_read_what_supervision_writes(kind, tmp_path):
    dataset = needs("supervision").DetectionDataset
    folder = written("coco", tmp_path / "ours", masked=True)
    read = dataset.from_coco(str(folder / "images"), str(folder / "annotations.json"))
    out = tmp_path / "theirs"
    places = {"images_directory_path": str(out / "images")}
    if kind == "coco":
        read.as_coco(**places, annotations_path=str(out / "annotations.json"))
    elif kind == "yolo":
        labels = {"annotations_directory_path": str(out / "labels")}
        read.as_yolo(**places, **labels, data_yaml_path=str(out / "data.yaml"))
    else:
        read.as_pascal_voc(**places, annotations_directory_path=str(out / "annotations"))
    back = {one.file_name: one.instances for one in READERS[kind](out)}
    assert {name: [one.label for one in things] for name, things in back.items()} == {
        "a.png": ["black cat", "dog"],
        "b.png": ["dog"],
    }
    assert near(back["a.png"][0].box, CAT.box, 1.5)


@pytest.mark.parametrize("kind", ["coco", "yolo", "labelme", "voc"])
def test_globox_reads_ours(kind, tmp_path):
    sets = needs("globox").AnnotationSet
    folder = written(kind, tmp_path)
    images = folder / "images"
    read = {
        "coco": lambda: sets.from_coco(folder / "annotations.json"),
        "yolo": lambda: sets.from_yolo_v5(
            folder / "labels", image_folder=images, image_extension=".png"
        ),
        "labelme": lambda: sets.from_labelme(folder),
        "voc": lambda: sets.from_pascal_voc(folder),
    }[kind]()
    boxes = [box for one in read for box in one.boxes]
    if kind == "labelme":  # it reads rectangles alone
        assert [box.label for box in boxes] == ["dog"]
        return
    assert len(boxes) == 3
    cat = next(box for box in boxes if near((box.xmin, box.ymin, box.xmax, box.ymax), CAT.box, 1.5))
    assert cat.label == ("0" if kind == "yolo" else "black cat")


def test_labelme_opens_ours(tmp_path):
    labelme = needs("labelme._label_file")
    folder = written("labelme", tmp_path)
    for path in (folder / "images").iterdir():
        path.rename(folder / path.name)  # it looks beside the file
    shapes = labelme.LabelFile(str(folder / "a.json")).shapes
    assert [(one["label"], one["shape_type"]) for one in shapes] == [
        ("black cat", "polygon"),
        ("dog", "rectangle"),
    ]


def test_label_studio_takes_our_predictions(tmp_path):
    interface = needs("label_studio_sdk.label_interface").LabelInterface
    brush = needs("label_studio_sdk.converter.brush")
    folder = written("label-studio", tmp_path)
    config = interface((folder / "label_studio.xml").read_text())
    config.validate()
    tasks = json.loads((folder / "label_studio.json").read_text())
    assert all(config.validate_prediction(one) for task in tasks for one in task["predictions"])
    packed = tasks[0]["predictions"][0]["result"][0]["value"]["rle"]
    flat = np.asarray(brush.decode_rle(packed)).reshape(*SIZE[::-1], 4)
    assert np.array_equal(flat[..., 3] > 0, CAT.mask)


def test_we_read_the_brush_of_label_studio(tmp_path):
    brush = needs("label_studio_sdk.converter.brush")
    packed, *_ = brush.mask2rle(CAT.mask.astype(np.uint8) * 255), None
    sizes = {"original_width": SIZE[0], "original_height": SIZE[1]}
    value = {"format": "rle", "rle": [int(n) for n in packed], "brushlabels": ["cat"]}
    task = {
        "data": {"image": "a.png"},
        "annotations": [{"result": [{"type": "brushlabels", "value": value, **sizes}]}],
    }
    (tmp_path / "export.json").write_text(json.dumps([task]))
    ((thing,),) = (one.instances for one in READERS["label-studio"](tmp_path))
    assert np.array_equal(thing.mask, CAT.mask)


def labels_of(dataset) -> list[str]:
    """The label of every annotation that Datumaro has read."""
    names = dataset.categories()[next(iter(dataset.categories()))]
    return sorted(names[one.label].name for item in dataset for one in item.annotations)


def as_datumaro_lays_out(folder: Path) -> Path:
    """Our COCO file where Datumaro looks for it."""
    (folder / "annotations").mkdir()
    (folder / "annotations.json").rename(folder / "annotations" / "instances_default.json")
    return folder


def test_datumaro_reads_our_yolo(tmp_path):
    read = needs("datumaro").Dataset.import_from(str(written("yolo", tmp_path)), "yolo")
    assert labels_of(read) == ["black cat", "dog", "dog"]


def test_datumaro_reads_our_coco_and_we_what_it_writes(tmp_path):
    dataset = needs("datumaro").Dataset
    folder = as_datumaro_lays_out(written("coco", tmp_path / "ours"))
    read = dataset.import_from(str(folder), "coco_instances")
    assert labels_of(read) == ["black cat"] * 2 + ["dog"] * 3  # masks and boxes each
    read.export(str(tmp_path / "theirs"), "coco", save_media=False)
    assert sum(len(one.instances) for one in READERS["coco"](tmp_path / "theirs")) == 3


@pytest.mark.parametrize("kind", ["yolo", "yolo-polygons"])
def test_ultralytics_trains_on_ours(kind, tmp_path):
    data = needs("ultralytics.data.utils")
    folder = written(kind, tmp_path, masked=True)
    found = data.check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    assert found["names"] == {0: "black cat", 1: "dog"}
    assert Path(found["train"]) == folder / "images"
    pair = (
        str(folder / "images" / "a.png"),
        data.img2label_paths([str(folder / "images" / "a.png")])[0],
    )
    result = data.verify_image_label((*pair, "", False, 2, 0, 0, False))
    assert result[1].shape == (2, 5) and not result[9]
    assert len(result[3]) == 2 * (kind == "yolo-polygons")
