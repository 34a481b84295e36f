"""What the viewer is sent: small, in pixels, in the colours of the drawn pictures."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_engine import FakeDecoder, fake_pipeline
from PIL import Image
from served import TWO_MASKS

from gemma_vision.checkpoints.lazy_mask_decoder import lazy_decoder
from gemma_vision.web.jobs.outlines import MAX_POINTS, path_data, thin
from gemma_vision.web.jobs.partials import partial_value
from gemma_vision.web.jobs.viewer_value import MAX_PREVIEW, ViewerState, preview_file
from postprocess.overlay import draw
from postprocess.tokens import Partial

SIZE = (1023, 1023)  # so that a bin is a pixel under the policy "bigvision"


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def rings_of(path: str) -> list[np.ndarray]:
    """The data of an SVG path as arrays of points."""
    parts = [part.removeprefix("M").split() for part in path.split("Z")[:-1]]
    return [np.array(part, dtype=float).reshape(-1, 2) for part in parts]


def ten_masks() -> str:
    segs = "".join(f"<seg{code:03d}>" for code in range(16))
    places = [(40 + 90 * n, 40 + 60 * n) for n in range(10)]
    boxes = [f"<loc{y:04d}><loc{x:04d}><loc{y + 90:04d}><loc{x + 300:04d}>" for y, x in places]
    return " ; ".join(f"{box} {segs} thing {n}" for n, box in enumerate(boxes))


def test_a_value_with_ten_masks_is_small(picture: Image.Image) -> None:
    large = picture.resize((1024, 768))
    answer = fake_pipeline(ten_masks()).segment(large, "thing")
    value = ViewerState(image=large, task="segment", limit=256).view(answer.to_dict(), "done")
    assert len(value["instances"]) == 10
    assert all(instance["path"] for instance in value["instances"])
    assert len(json.dumps(value)) < 30_000


def test_colours_are_those_of_the_drawn_picture(picture: Image.Image) -> None:
    answer = fake_pipeline(TWO_MASKS).segment(picture, "cat ; dog")
    value = ViewerState(image=picture, task="segment").view(answer.to_dict(), "done")
    drawn = draw(picture, answer.instances, masks=False, labels=False)
    assert [instance["label"] for instance in value["instances"]] == ["cat", "dog"]
    for instance in value["instances"]:
        color = tuple(bytes.fromhex(instance["color"][1:]))
        x0, y0, x1, _ = map(round, instance["box"])
        edge = [drawn.getpixel(((x0 + x1) // 2, y)) for y in range(y0 - 3, y0 + 4)]
        assert color in edge


def test_a_label_keeps_its_colour_while_others_arrive(picture: Image.Image) -> None:
    seen: dict[str, str] = {}
    pipeline = fake_pipeline(ten_masks())
    viewer = ViewerState(image=picture, task="segment")
    from gemma_vision.requests.request import Request

    for answer in pipeline.stream(Request(picture, "segment", "thing")):
        for instance in viewer.view(answer.to_dict(), "running")["instances"]:
            assert seen.setdefault(instance["label"], instance["color"]) == instance["color"]
    assert len(set(seen.values())) == 10


def test_a_preview_that_is_being_read_is_not_written_anew() -> None:
    """Another visitor with the same picture may be in the midst of its bytes."""
    image = Image.new("RGB", (40, 30), "teal")
    path = preview_file(image)
    path.write_bytes(b"as it was")
    os.utime(path, (0, 0))
    assert preview_file(image) == path
    assert path.read_bytes() == b"as it was"
    assert path.stat().st_mtime > 0
    assert [one.name for one in path.parent.iterdir()] == ["preview.jpg"]


def test_the_shown_file_is_small_and_says_nothing_of_the_camera(uploads: Path) -> None:
    large = Image.new("RGB", (4000, 1000), "teal")
    large.getexif()[0x8825] = "somewhere"
    path = preview_file(large)
    assert path.is_relative_to(uploads)
    with Image.open(path) as shown:
        assert shown.format == "JPEG" and shown.size == (MAX_PREVIEW, 400)
        assert not shown.getexif()


def test_a_small_picture_is_not_enlarged() -> None:
    with Image.open(preview_file(Image.new("RGB", (30, 20)))) as shown:
        assert shown.size == (30, 20)


def test_room_counts_what_still_fits() -> None:
    assert ViewerState(task="segment", limit=256).room(210) == 2
    assert ViewerState(task="detect", limit=256).room(256) == 0
    assert ViewerState(task="caption", limit=256).room(0) is None


@pytest.mark.parametrize(
    "positions, edges",
    [
        pytest.param((100,), (100, None, None, None), id="the upper edge"),
        pytest.param((100, 50), (100, 50, None, None), id="a corner"),
        pytest.param((100, 50, 400), (100, 50, 400, None), id="the left side"),
        pytest.param((100, 50, 400, 300), (100, 50, 400, 300), id="the box"),
    ],
)
def test_a_box_is_shown_from_its_first_edge_on(
    positions: tuple[int, ...], edges: tuple[float | None, ...]
) -> None:
    shown = partial_value(Partial("cat", positions, ()), SIZE, "bigvision")
    assert shown is not None and shown["path"] is None
    assert tuple(shown[name] for name in ("y0", "x0", "y1", "x1")) == edges


def test_nothing_is_shown_before_the_first_edge() -> None:
    assert partial_value(None, SIZE, "space") is None
    assert partial_value(Partial("cat", (), ()), SIZE, "space") is None


def test_a_mask_is_shown_from_its_first_code_on() -> None:
    partial = Partial("", (100, 50, 400, 300), (1, 2))
    shown = partial_value(partial, SIZE, "bigvision", lazy_decoder(FakeDecoder()))
    assert shown is not None and shown["codes"] == 2
    points = np.concatenate(rings_of(shown["path"]))
    assert points.min(axis=0) == pytest.approx([50, 100], abs=130)
    assert points.max(axis=0) == pytest.approx([300, 400], abs=130)


def test_a_partial_mask_of_a_large_picture_is_drawn_small_and_shown_large() -> None:
    partial = Partial("", (0, 0, 1023, 1023), (127,))
    shown = partial_value(partial, (6400, 4800), "bigvision", lazy_decoder(FakeDecoder()))
    assert shown is not None
    (ring,) = rings_of(shown["path"])
    assert max(x for x, _ in ring) > 6000 and max(y for _, y in ring) > 4500
    assert len(ring) <= MAX_POINTS


def test_nothing_is_fetched_for_a_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "gemma_vision.checkpoints.lazy_mask_decoder.open_decoder",
        lambda name: asked.append(name) or FakeDecoder(),
    )
    partial = Partial("", (100, 50, 400, 300), (1, 2))
    partial_value(partial, SIZE, "space", lazy_decoder("published"))
    assert asked == []
    partial_value(partial, SIZE, "space", lazy_decoder("published"), is_open=True)
    assert asked == ["published"]


def test_without_the_decoders_file_a_partial_is_a_box() -> None:
    partial = Partial("", (100, 50, 400, 300), (1, 2))
    shown = partial_value(partial, SIZE, "bigvision", lazy_decoder("/no/such/decoder.npz"))
    assert shown is not None and shown["path"] is None and shown["x1"] == 300


def circle(count: int) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([400 + 300 * np.cos(angles), 400 + 300 * np.sin(angles)], axis=1)


def test_a_ragged_outline_is_held_in_bounds() -> None:
    rng = np.random.default_rng(0)
    ragged = circle(20_000) + rng.normal(0, 8, (20_000, 2))
    (ring,) = thin([ragged.tolist()], (1600, 1200))
    assert 20 < len(ring) <= MAX_POINTS


@pytest.mark.parametrize(
    "polygons, path",
    [
        pytest.param([], "", id="nothing"),
        pytest.param([[[1.0, 2.5], [3.0, 2.5]]], "M1 2.5 3 2.5Z", id="a ring"),
        pytest.param([[[0.04, 16383.96]], [[2, 3]]], "M0 16384ZM2 3Z", id="two, rounded"),
    ],
)
def test_outlines_travel_as_the_data_of_a_path(polygons: Any, path: str) -> None:
    assert path_data(polygons) == path


def test_a_value_has_few_parts_for_all_its_masks(picture: Image.Image) -> None:
    """Gradio looks at each part of a value, and the page makes each of them watched, every time."""
    answer = fake_pipeline(ten_masks()).segment(picture, "thing")
    value = ViewerState(image=picture, task="segment", limit=256).view(answer.to_dict(), "done")

    def count(part: Any) -> int:
        inside = part.values() if isinstance(part, dict) else part
        return sum(map(count, inside)) if isinstance(part, (dict, list)) else 1

    assert count(value) < 150


def test_outlines_leave_pixel_centres_for_picture_coordinates() -> None:
    (ring,) = thin([[[0, 0], [9, 0], [9, 9], [0, 9]]], (10, 10))
    assert ring == [[0.5, 0.5], [9.5, 0.5], [9.5, 9.5], [0.5, 9.5]]
