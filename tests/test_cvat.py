"""CVAT's own SDK and command line over our function: boxes, masks and scores at their labels."""

from __future__ import annotations

import logging
import sys

import numpy as np
import pytest
from cvat_server import TASK, cvat_server
from fake_engine import CAT_WITH_MASK, fake_pipeline
from PIL import Image

import gemma_vision
from gemma_vision.extras import MissingPackageError
from gemma_vision.labelling.cvat import CvatFunction, create, shapes_of
from gemma_vision.labelling.label_names import label_names
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from postprocess.instances import Instance

SCENES = ("scene-1.jpg", "scene-2.jpg")


@pytest.fixture(scope="module")
def scenes():
    folder = gemma_vision.__path__[0]
    return [Image.open(f"{folder}/web/examples/{name}").convert("RGB") for name in SCENES]


def annotate(server, tmp_path, monkeypatch, *parameters, options=()):
    """`cvat-cli task auto-annotate` as a person calls it, with a cache of its own."""
    from cvat_cli.__main__ import main

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CVAT_ACCESS_TOKEN", "a-token-of-cvat")
    told = ["--server-host", server.address]
    given = [part for one in parameters for part in ("-p", one)]
    words = ["task", "auto-annotate", str(TASK), "--function-module", "gemma_vision.labelling.cvat"]
    try:
        return main([*told, *words, *given, *options])
    finally:
        logging.getLogger("cvat_cli.__main__").handlers.clear()  # it adds one at each call


@pytest.mark.parametrize("task, kind", [("detect", "rectangle"), ("segment", "mask")])
def test_the_command_line_annotates_a_task(task, kind, scenes, tmp_path, monkeypatch):
    from cvat_sdk.masks import decode_mask

    with cvat_server(scenes, [("Dog", "any"), ("cat", kind)]) as server:
        code = annotate(server, tmp_path, monkeypatch, "names=str:cat ; Dog", f"task=str:{task}")
    assert code in (None, 0)
    (uploaded,) = server.uploaded
    assert all("a-token-of-cvat" in token for token in server.tokens if token)
    pipeline = gemma_vision.load()
    expected = [
        (frame, {"cat": 102, "dog": 101}[one.label], one)
        for frame, image in enumerate(scenes)
        for one in getattr(pipeline, task)(image, "cat ; dog").instances
    ]
    assert len(expected) > 1
    for shape, (frame, label, one) in zip(uploaded["shapes"], expected, strict=True):
        assert (shape["frame"], shape["label_id"], shape["type"]) == (frame, label, kind)
        assert shape["score"] == pytest.approx(one.score) and shape["source"] == "auto"
        if kind == "rectangle":
            assert shape["points"] == pytest.approx(one.box)
        else:
            size = dict(zip(("image_width", "image_height"), scenes[frame].size, strict=True))
            assert np.array_equal(decode_mask(shape["points"], **size), one.mask)


def test_polygons_are_those_of_the_masks(scenes, tmp_path, monkeypatch):
    import cv2

    kind = "polygon"
    with cvat_server(scenes, [("cat", kind), ("dog", kind)]) as server:
        annotate(
            server,
            tmp_path,
            monkeypatch,
            "names=str:cat ; dog",
            "task=str:segment",
            options=("--conv-mask-to-poly",),
        )
    (uploaded,) = server.uploaded
    pipeline = gemma_vision.load()
    for frame, image in enumerate(scenes):
        drawn = np.zeros((image.height, image.width), np.uint8)
        for shape in uploaded["shapes"]:
            if shape["frame"] == frame:
                assert shape["type"] == "polygon"
                points = np.rint(np.reshape(shape["points"], (-1, 1, 2))).astype(np.int32)
                cv2.fillPoly(drawn, [points], 1)
        found = pipeline.segment(image, "cat ; dog").instances
        assert bool(found) == drawn.any()
        if not found:
            continue
        wanted = np.any([one.mask for one in found], axis=0)
        overlap = (drawn.astype(bool) & wanted).sum() / (drawn.astype(bool) | wanted).sum()
        assert overlap > 0.95


def test_a_threshold_leaves_out_what_is_less_sure(scenes, tmp_path, monkeypatch):
    found = gemma_vision.load().detect(scenes[0], "cat ; dog").instances
    middle = sum(one.score for one in found) / len(found)
    with cvat_server(scenes[:1], [("cat", "any"), ("dog", "any")]) as server:
        annotate(
            server,
            tmp_path,
            monkeypatch,
            "names=str:cat ; dog",
            options=("--conf-threshold", str(middle)),
        )
    (uploaded,) = server.uploaded
    scores = [shape["score"] for shape in uploaded["shapes"]]
    assert scores == pytest.approx([one.score for one in found if one.score >= middle])
    assert 0 < len(scores) < len(found)


def test_labels_that_the_task_has_not_are_cvats_to_refuse(scenes, tmp_path, monkeypatch):
    from cvat_sdk.auto_annotation import BadFunctionError

    with cvat_server(scenes[:1], [("cat", "any")]) as server:
        with pytest.raises(BadFunctionError, match="'dog' is not in dataset"):
            annotate(server, tmp_path, monkeypatch, "names=str:cat ; dog")
        assert not server.uploaded
        options = ("--allow-unmatched-labels",)
        assert not annotate(server, tmp_path, monkeypatch, "names=str:cat ; dog", options=options)
    assert {shape["label_id"] for shape in server.uploaded[0]["shapes"]} == {101}


def test_a_mask_in_parts_is_a_group_of_polygons_and_an_empty_one_nothing():
    mask = np.zeros((40, 60), bool)
    thing = Instance("cat", (0.0, 0.0, 60.0, 40.0), (0, 0, 60, 40), mask)
    assert list(shapes_of(thing, Task.segment, 0, 3, has_polygons=False)) == []
    mask[2:12, 2:12] = mask[20:35, 30:50] = True
    shapes = list(shapes_of(thing, Task.segment, 0, 3, has_polygons=True))
    assert [one.group for one in shapes] == [3, 3]
    assert not hasattr(shapes[0], "score")


def test_the_names_of_a_checkpoint_are_its_labels_where_none_are_given():
    function = create()
    labels = [label.name for label in function.spec.labels]
    assert labels == gemma_vision.load().card["names"] and "cat" in labels


@pytest.mark.parametrize(
    "names, task, said",
    [
        pytest.param("cat ; screwdriver", "detect", "does not know screwdriver", id="name"),
        pytest.param("cat", "caption", "tiny can detect", id="task"),
        pytest.param("cat", "point", "tiny can detect, segment", id="no points"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(names, task, said):
    with pytest.raises(TaskError, match=said):
        create(names, task=task)


def test_an_open_vocabulary_has_no_labels_of_its_own():
    with pytest.raises(TaskError, match="Name the labels"):
        CvatFunction(fake_pipeline(CAT_WITH_MASK), "")


def test_without_the_sdk_it_is_said_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cvat_sdk", None)
    with pytest.raises(MissingPackageError, match=r"gemma-vision\[cvat\]"):
        create("cat")


def test_points_are_points():
    thing = Instance("cat", (7.0, 5.0, 7.0, 5.0), (7, 5, 7, 5), score=0.5, point=(7.0, 5.0))
    (shape,) = shapes_of(thing, Task.point, 4, 1, has_polygons=True)
    assert (shape.type.value, shape.points, shape.label_id) == ("points", [7.0, 5.0], 4)


def test_a_name_that_two_labels_ask_for_is_the_firsts():
    names = label_names({"Pet": ("cat, dog",), "Cat": ("cat",), "Odd": ("  ",)})
    assert names.names == ("cat", "dog") and names.unknown == ("Odd",)
    assert (names.label_of("CAT"), names.label_of("dog"), names.label_of("x")) == (
        "Pet",
        "Pet",
        None,
    )
    assert names.only(["Pet"]).names == ("cat", "dog") == names.only([]).names
    assert names.only(["Nobody"]).names == () and names.only(["Cat"]).label_of("cat") is None
