"""The gallery: what a checkpoint knows is one click away, drawn and named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fake_engine import FakeEngine
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gemma_vision.checkpoints.file_names import CHECKPOINTS, GALLERY, NOTES
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import PALIGEMMA
from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.web.forms.known_names import known
from gemma_vision.web.server.name_sheets import THUMB, sheet_routes, sheets
from training.gallery import COLUMNS, main, write_gallery

TINY = CHECKPOINTS / "tiny"
NAMES = json.loads((TINY / NOTES).read_text("utf-8"))["names"]


def test_every_name_of_the_checkpoint_inside_is_drawn() -> None:
    with Image.open(TINY / GALLERY) as sheet:
        alpha = np.array(sheet.convert("RGBA"))[..., 3]
    assert alpha.shape[1] == COLUMNS * THUMB
    for place in range(len(NAMES)):
        left, top = place % COLUMNS * THUMB, place // COLUMNS * THUMB
        assert (alpha[top : top + THUMB, left : left + THUMB] > 127).mean() > 0.05, NAMES[place]


def test_the_page_gets_the_sheet_and_where_a_drawing_lies() -> None:
    sheet = sheets()["tiny"]
    assert sheet["columns"] == COLUMNS
    with TestClient(Starlette(routes=sheet_routes())) as client:
        sent = client.get(f"/{sheet['src']}")
        assert client.get("/drawings/other.webp").status_code == 404
    assert sent.content == (TINY / GALLERY).read_bytes()
    assert sent.headers["content-type"] == "image/webp"
    assert "immutable" in sent.headers["cache-control"]  # its address changes where it does


def test_names_are_in_the_order_of_the_sheet(tmp_path) -> None:
    (tmp_path / NOTES).write_text(json.dumps({"names": NAMES[:3]}))
    assert main([str(tmp_path)]) == 0
    atlas = load_atlas()
    with Image.open(tmp_path / GALLERY) as sheet:
        pixels = np.array(sheet.convert("RGBA"))
    for place in range(3):
        drawn = pixels[:THUMB, place * THUMB : (place + 1) * THUMB, 3] > 127
        sprite = atlas.images[atlas.variants(place)[0]][::2, ::2, 3] > 127
        assert (drawn & sprite).sum() / (drawn | sprite).sum() > 0.9


def test_a_second_row_begins_after_twelve(tmp_path) -> None:
    images = np.full((13, 128, 128, 4), 255, np.uint8)
    write_gallery(images, np.arange(13), 13, tmp_path)
    with Image.open(tmp_path / GALLERY) as sheet:
        assert sheet.size == (COLUMNS * THUMB, 2 * THUMB)


@pytest.mark.parametrize("names", [["cat", "zebra"], []])
def test_the_value_has_the_names_of_the_checkpoint_that_answers(names: list[str]) -> None:
    card = {"names": names}
    pipeline = Pipeline(FakeEngine(""), PALIGEMMA, name="other/one", card=card)
    assert known(pipeline) == {"id": "other/one", "names": names}
