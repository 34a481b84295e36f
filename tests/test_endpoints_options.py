"""Options of the endpoints: crops, styles and parts of captions, what is left out of answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from served import served

from gemma_vision.images.pan_and_scan import crop_boxes

ROOT = Path(__file__).parent.parent
LONG = (800, 300)
BOX = "<loc0102><loc0102><loc0512><loc0460>"
NEAR = "<loc0102><loc0102><loc0512><loc0470>"
FRAME = "<loc0000><loc0000><loc1023><loc1023>"


@pytest.fixture(scope="module")
def gemma3() -> Client:
    return Client(served("gemma3").url, verbose=False)


@pytest.fixture(scope="module")
def paligemma() -> Client:
    return Client(served("paligemma").url, verbose=False)


@pytest.fixture
def long_picture(tmp_path: Path) -> Any:
    path = tmp_path / "long.png"
    Image.new("RGB", LONG, "#77aadd").save(path)
    return handle_file(str(path))


@pytest.mark.parametrize(
    "name, words",
    [("caption", []), ("ask", ["what is it?"]), ("ocr", []), ("free", ["what is it?"])],
)
def test_crops_are_told_from_the_first_word_to_the_last(
    gemma3: Client, long_picture: Any, name: str, words: list[str]
) -> None:
    job = gemma3.submit(long_picture, *words, pan_and_scan=True, api_name=f"/{name}")
    answers = list(job)
    expected = [[list(box) for box in crop_boxes(LONG)]]
    assert len(expected[0]) == 3
    assert [answer["crops"] for answer in answers] == [expected] * len(answers)
    assert answers[-1]["finish"] == "stop"


def test_without_the_flag_there_are_no_crops(gemma3: Client, long_picture: Any) -> None:
    assert "crops" not in gemma3.predict(long_picture, api_name="/caption")


def test_a_picture_that_is_nearly_square_has_none(gemma3: Client, tmp_path: Path) -> None:
    path = tmp_path / "square.png"
    Image.new("RGB", (600, 600)).save(path)
    options = {"pan_and_scan": True, "api_name": "/ocr"}
    assert gemma3.predict(handle_file(str(path)), **options)["crops"] == [[]]


def test_a_checkpoint_that_looks_at_whole_pictures_says_so(
    paligemma: Client, long_picture: Any
) -> None:
    with pytest.raises(AppError, match=r"^E_PAN_AND_SCAN: .*whole pictures only"):
        paligemma.predict(long_picture, pan_and_scan=True, api_name="/caption")


@pytest.mark.parametrize(
    "options, prompt",
    [
        pytest.param({}, "caption en", id="plain"),
        pytest.param({"style": "cap"}, "cap en", id="a few words"),
        pytest.param({"style": "describe", "language": "it"}, "describe it", id="sentences"),
        pytest.param(
            {"region": [0, 0.25, 1, 0.5]}, "caption <loc0256><loc0000><loc0512><loc1023>", id="part"
        ),
    ],
)
def test_a_caption_has_a_style_and_a_part(
    paligemma: Client, long_picture: Any, options: dict[str, Any], prompt: str
) -> None:
    answer = paligemma.predict(long_picture, **options, api_name="/caption")
    assert answer["prompt"] == prompt


@pytest.mark.parametrize(
    "options, code",
    [
        pytest.param({"style": "long"}, "E_STYLE", id="style"),
        pytest.param({"region": [0, 0, 1]}, "E_REGION", id="three edges"),
        pytest.param({"region": [0.5, 0, 0.5, 1]}, "E_REGION", id="no area"),
        pytest.param({"region": "left"}, "E_REGION", id="words"),
    ],
)
def test_what_is_no_style_and_no_part_is_refused(
    paligemma: Client, long_picture: Any, options: dict[str, Any], code: str
) -> None:
    with pytest.raises(AppError, match=f"^{code}: "):
        paligemma.predict(long_picture, **options, api_name="/caption")


@pytest.mark.parametrize("name", ["detect", "segment", "free"])
def test_what_is_unsure_is_left_out_on_request(
    paligemma: Client, long_picture: Any, name: str
) -> None:
    words = "detect cat" if name == "free" else "cat"
    whole = paligemma.predict(long_picture, words, api_name=f"/{name}")
    assert len(whole["instances"]) == 2
    left = paligemma.predict(long_picture, words, min_score=0.95, api_name=f"/{name}")
    assert left["instances"] == []
    assert [one["code"] for one in left["warnings"]] == ["removed_score"] * 2


@pytest.mark.parametrize(
    "options, kept, codes",
    [
        pytest.param({}, 4, [], id="everything"),
        pytest.param({"drop_repeats": True}, 3, ["removed_repeat"], id="copies"),
        pytest.param(
            {"max_overlap": 0.8}, 2, ["removed_overlap", "removed_overlap"], id="overlaps"
        ),
        pytest.param({"drop_full_frame": True}, 3, ["removed_full_frame"], id="frames"),
    ],
)
def test_a_pasted_answer_is_tidied_on_request(
    paligemma: Client, options: dict[str, Any], kept: int, codes: list[str]
) -> None:
    text = f"{BOX} cat ; {BOX} cat ; {NEAR} cat ; {FRAME} cat"
    answer = paligemma.predict(text, 640, 480, **options, api_name="/parse")
    assert len(answer["instances"]) == kept
    told = [one["code"] for one in answer["warnings"] if one["code"].startswith("removed")]
    assert told == codes


@pytest.mark.parametrize("value", [1.5, -0.1, "x"])
def test_an_overlap_that_means_nothing_is_refused(paligemma: Client, value: Any) -> None:
    with pytest.raises(AppError, match=r"^E_MAX_OVERLAP: "):
        paligemma.predict(BOX, 640, 480, max_overlap=value, api_name="/parse")


def test_the_page_for_programs_tells_every_option_and_its_default() -> None:
    info = json.loads((ROOT / "tests" / "data" / "info_snapshot.json").read_text())
    verbs = ("detect", "segment", "point", "caption", "ask", "ocr", "free", "parse")
    told = {name: dict(options_told(name)) for name in verbs}
    for name in verbs:
        rows = info[f"/{name}"]["parameters"]
        options = {row["parameter_name"]: row["parameter_default"] for row in rows[1:]}
        named = ("text", "question", "prompt", "width", "height", "mask_decoder")
        assert told[name] == {key: options[key] for key in options if key not in named}, name


def options_told(verb: str) -> list[tuple[str, object]]:
    """The options of a verb in the table of docs/api.md, with their defaults."""
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    lines = page.split("<!-- table: options -->")[1].split("<!-- end -->")[0].strip().splitlines()
    told = []
    for line in lines[2:]:
        name, of, _, default, _ = (cell.strip() for cell in line.strip("|").split("|"))
        if f"`{verb}`" in of or (of == "every task" and verb != "parse"):
            told.append((name.strip("`"), json.loads(default.strip("`"))))
    return told
