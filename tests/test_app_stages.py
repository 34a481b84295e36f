"""The stages of the Inside tab: tensors as pictures, and what a visitor may ask for."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_engine import CAT_WITH_MASK, FakeDecoder, FakeFamily, fake_pipeline
from PIL import Image

from gemma_vision.inside import Stage, masks, trace
from gemma_vision.pipeline import Pipeline
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import Grammar
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.web.components.inside import attention, describe, diverging, runs
from gemma_vision.web.tabs.inside import InsideTab
from postprocess.tokens import parse


def opened(source: str) -> Image.Image:
    """The picture behind a data address."""
    head, data = source.split(",", 1)
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.fixture(scope="module")
def pipeline(random_checkpoint: Path) -> Pipeline:
    return Pipeline(LocalEngine.load(random_checkpoint), FakeFamilyWithoutCrops(), name="random")


class FakeFamilyWithoutCrops(FakeFamily):
    has_pan_and_scan = False


@pytest.fixture(scope="module")
def stages(pipeline: Pipeline) -> dict[str, dict[str, Any]]:
    image = Image.new("RGB", (90, 60), "#77aadd")
    grammar = Grammar(("cat", "dog"))
    prompt = Prompt((image,), "detect cat", max_tokens=12, grammar=grammar)
    return {stage.name: describe(stage) for stage in trace(pipeline.engine, prompt)}


@pytest.mark.parametrize(
    "name, keys, sizes",
    [
        ("pixels", ["pixels", "ruled"], [(56, 56)] * 2),
        ("patches", ["patches"], [(4, 4)]),
        ("features", ["layer"] * 3 + ["features"], [(4, 4)] * 4),
        ("soft", ["soft"], [(4, 4)]),
    ],
)
def test_a_picture_has_one_pixel_for_each_number_shown(
    stages: dict[str, dict[str, Any]], name: str, keys: list[str], sizes: list[tuple[int, int]]
) -> None:
    pictures = stages[name]["pictures"]
    assert [picture["key"] for picture in pictures] == keys
    assert [opened(picture["src"]).size for picture in pictures] == sizes


def test_the_pixels_are_the_picture_again(stages: dict[str, dict[str, Any]]) -> None:
    shown = np.asarray(opened(stages["pixels"]["pictures"][0]["src"])).reshape(-1, 3)
    assert np.abs(shown.mean(0) - (0x77, 0xAA, 0xDD)).max() < 3


def test_the_sequence_is_one_run_of_soft_tokens_and_then_words(
    stages: dict[str, dict[str, Any]],
) -> None:
    merged = stages["merged"]
    assert merged["runs"][:2] == [{"soft": 16}, {"text": "<bos>"}]
    assert "".join(run["text"] for run in merged["runs"][2:]) == "detect cat\n"
    told, mask = merged["facts"]["told"], opened(merged["pictures"][1]["src"])
    assert mask.size == (merged["shape"][0] + told,) * 2


def test_each_edge_of_a_box_brings_its_distribution(stages: dict[str, dict[str, Any]]) -> None:
    tokens, boxes = stages["tokens"]["tokens"], stages["tokens"]["boxes"]
    assert len(boxes) == sum(token["at"] is not None for token in tokens) // 4 >= 1
    edges = boxes[0]["edges"]
    assert list(edges) == ["y0", "x0", "y1", "x1"]
    assert [edge["at"] for edge in edges.values()] == [token["at"] for token in tokens[:4]]
    for edge in edges.values():
        levels = base64.b64decode(edge["levels"])
        assert len(levels) == 256 and max(levels) == 255


def test_codes_stand_beside_their_mask() -> None:
    (stage,) = masks(parse(CAT_WITH_MASK), FakeDecoder())  # type: ignore[arg-type]
    (cat,) = describe(stage)["masks"]
    assert cat["label"] == "cat" and cat["codes"] == list(range(16))
    assert cat["box"] == [102, 102, 512, 460] and opened(cat["src"]).size == (64, 64)


def test_crops_are_told_in_parts_of_the_picture() -> None:
    image = np.zeros((400, 1200, 3), np.uint8)
    stage = Stage("crops", (1, 4), {"image": image}, {"boxes": [(0, 0, 400, 400)]})
    shown = describe(stage)
    assert shown["boxes"] == [pytest.approx([0, 0, 1 / 3, 1])]
    assert max(opened(shown["pictures"][0]["src"]).size) <= 640


def test_runs_join_soft_tokens_only() -> None:
    pieces = [None, None, "<bos>", None, "\u2581a"]
    assert runs(pieces) == [{"soft": 2}, {"text": "<bos>"}, {"soft": 1}, {"text": " a"}]


def test_zero_is_pale_and_signs_have_colours() -> None:
    shown = np.asarray(diverging(np.array([[-1.0, 0.0, 1.0]])).convert("RGB"))[0].astype(int)
    assert shown[0, 2] > shown[0, 0] and shown[2, 0] > shown[2, 2] and shown[1].min() > 220


def test_what_cannot_be_looked_at_is_dark() -> None:
    allowed = np.array([[True, True, False], [True, True, False], [True, True, True]])
    shown = np.asarray(attention(allowed, [None, "a"])).astype(int)
    assert shown[0, 2].max() < 50 and len(np.unique(shown[2], axis=0)) == 3


def test_an_engine_elsewhere_is_not_followed(pipeline: Pipeline) -> None:
    tab = InsideTab(pipeline)
    assert tab.is_useful(pipeline) and not tab.is_useful(fake_pipeline())


def walk(pipeline: Pipeline, picture: Any, task: str = "detect", words: str = "cat") -> list[Any]:
    values = {"upload": picture, "task": task, "words": words, "max_tokens": 96}
    updates = InsideTab(pipeline).runner.start(values, "one")
    return [update["stages"] for update in updates if "stages" in update]


def test_a_walk_grows_and_ends(
    pipeline: Pipeline, picture_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    values = walk(pipeline, {"path": str(picture_file)})
    assert values[-1]["state"] == "done" and len(values[-1]["stages"]) >= 6
    assert {value["state"] for value in values[:-1]} <= {"running"}


@pytest.mark.parametrize(
    "picture, words, said",
    [
        pytest.param({"path": "/etc/passwd"}, "cat", "no uploaded file", id="a file of the server"),
        pytest.param(None, "cat", "There is no picture", id="none"),
    ],
)
def test_a_walk_that_cannot_begin_says_why(
    pipeline: Pipeline, picture: Any, words: str, said: str
) -> None:
    (value,) = walk(pipeline, picture, words=words)
    assert value["state"] == "error" and said in value["notes"][0]
