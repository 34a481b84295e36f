"""The endpoints for programs, through the Python client and plain HTTP."""

from __future__ import annotations

import json
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from served import EVIL, Served
from served import served as start

from gemma_vision.requests.tasks import FORM_TASKS

SNAPSHOT = Path(__file__).parent / "data" / "info_snapshot.json"
KEYS = {"model", "task", "prompt", "text", "plain", "image", "policy", "finish", "warnings"} | {
    "instances",
    "timing",
}


NULLS = [
    ("detect", ["cat"]),
    ("segment", ["cat"]),
    ("caption", []),
    ("ask", ["how many?"]),
    ("ocr", []),
    ("free", ["detect cat"]),
    ("parse", ["<loc0001>", 10, 10]),
]


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture(scope="module")
def client(served: Served) -> Client:
    return Client(served.url, verbose=False)


@pytest.fixture
def image(picture_file: Path) -> Any:
    return handle_file(str(picture_file))


def wait_until(claim: Any, seconds: float = 10.0) -> bool:
    """Whether the claim came true within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if claim():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    "name, words, prompt",
    [
        pytest.param("detect", ["cat ; dog"], "detect cat ; dog", id="detect"),
        pytest.param("segment", ["cat ; dog"], "segment cat ; dog", id="segment"),
        pytest.param("caption", ["ja"], "caption ja", id="caption"),
        pytest.param("ask", ["how many?"], "answer en how many?", id="ask"),
        pytest.param("ocr", [], "ocr", id="ocr"),
        pytest.param("free", ["detect cat"], "detect cat", id="free"),
    ],
)
def test_every_verb_answers_with_the_whole_json(
    client: Client, image: Any, name: str, words: list[str], prompt: str
) -> None:
    answer = client.predict(image, *words, api_name=f"/{name}")
    assert set(answer) == KEYS
    assert (answer["task"], answer["prompt"], answer["finish"]) == (name, prompt, "stop")
    assert answer["image"] == {"width": 640, "height": 480}
    assert json.loads(json.dumps(answer)) == answer


def test_detect_gives_boxes_in_pixels_with_scores(client: Client, image: Any) -> None:
    cat, dog = client.predict(image, "cat ; dog", api_name="/detect")["instances"]
    assert [cat["label"], dog["label"]] == ["cat", "dog"]
    x0, y0, x1, y1 = cat["box"]
    assert (x0, y0) == pytest.approx((102 / 1023 * 640, 102 / 1023 * 480), abs=0.01)
    assert (x1, y1) == pytest.approx((460 / 1023 * 640, 512 / 1023 * 480), abs=0.01)
    assert cat["score"] == pytest.approx(0.9) and cat["mask"] is None and cat["polygons"] is None


def test_segment_gives_masks(client: Client, image: Any) -> None:
    instances = client.predict(image, "cat ; dog", api_name="/segment")["instances"]
    assert [instance["label"] for instance in instances] == ["cat", "dog"]
    for instance in instances:
        assert instance["mask"]["size"] == [480, 640]
        assert len(instance["polygons"][0]) > 8


def test_options_reach_the_model(served: Served, client: Client, image: Any) -> None:
    options = {"max_tokens": 5, "temperature": 0.5, "seed": 7}
    answer = client.predict(image, "cat", **options, api_name="/detect")
    assert served.engine()["prompts"][-1] == ["detect cat", 5, 0.5, 7]
    assert answer["finish"] == "length"


def test_a_stream_grows_to_the_same_answer(client: Client, image: Any) -> None:
    seen = list(client.submit(image, "long cat", max_tokens=120, api_name="/detect"))
    texts = [answer["text"] for answer in seen]
    counts = [len(answer["instances"]) for answer in seen]
    assert len(set(texts)) > 3
    assert all(late.startswith(early) for early, late in pairwise(texts))
    assert counts == sorted(counts) and counts[-1] > counts[0]
    assert any(answer["partial"] for answer in seen[:-1]) and "partial" not in seen[-1]
    assert (
        seen[-1]["text"]
        == client.predict(image, "long cat", max_tokens=120, api_name="/detect")["text"]
    )


@pytest.mark.parametrize("name, words", [("segment", ["cat ; dog"]), ("caption", ["en"])])
def test_what_grows_has_a_partial_from_the_first_word_on(
    client: Client, image: Any, name: str, words: list[str]
) -> None:
    *growing, whole = client.submit(image, *words, api_name=f"/{name}")
    assert growing and all(answer["finish"] is None for answer in growing)
    assert all("partial" in answer for answer in growing)
    assert "partial" not in whole


def test_cancelling_stops_the_model(served: Served, client: Client, image: Any) -> None:
    before = served.engine()["cancelled"]
    job = client.submit(image, "long cat", max_tokens=900, api_name="/detect")
    assert wait_until(lambda: job.outputs())
    job.cancel()
    assert wait_until(lambda: served.engine()["cancelled"] > before)
    steps = served.engine()["steps"]
    time.sleep(0.1)
    assert served.engine()["steps"] == steps


def test_wishes_at_once_are_all_answered(served: Served, client: Client, image: Any) -> None:
    jobs = [client.submit(image, "cat", api_name=f"/{name}") for name in ("detect", "segment")]
    assert [job.result(timeout=30)["finish"] for job in jobs] == ["stop", "stop"]


def test_words_that_look_like_code_come_back_as_they_are(client: Client, image: Any) -> None:
    (instance,) = client.predict(image, "evil", api_name="/detect")["instances"]
    assert instance["label"] == EVIL


def test_parse_reads_a_pasted_answer(client: Client) -> None:
    text = "<loc0102><loc0102><loc0512><loc0460> cat ; <loc0001>"
    answer = client.predict(text, 1024, 512, "none", api_name="/parse")
    assert set(answer) == KEYS
    (cat,) = answer["instances"]
    assert cat["box"] == pytest.approx([102, 51, 460, 256])
    assert [warning["code"] for warning in answer["warnings"]] == ["incomplete_box"]


def test_parse_never_takes_masks_from_a_file_of_the_server(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "decoder.npz"
    file.write_bytes(b"")
    for name in (str(file), "/etc/passwd", "../x", "", ["none"]):
        with pytest.raises(AppError, match=r"^E_MASK_DECODER: "):
            client.predict("<loc0001>", 10, 10, name, api_name="/parse")


@pytest.mark.parametrize("name, given", NULLS)
def test_null_in_an_option_is_its_default(
    client: Client, image: Any, name: str, given: list[Any]
) -> None:
    """Clients in JavaScript fill up what is left out with null."""
    info = public_info(client.src)[f"/{name}"]["parameters"]
    nulls = [None] * (len(info) - len(given) - (name != "parse"))
    taken = given if name == "parse" else [image, *given]
    answer = client.predict(*taken, *nulls, api_name=f"/{name}")
    assert answer["finish"] == "stop"


def test_parse_without_the_published_decoder_gives_boxes_and_a_notice(client: Client) -> None:
    segs = "".join(f"<seg{code:03d}>" for code in range(16))
    text = f"<loc0102><loc0102><loc0512><loc0460> {segs} cat"
    answer = client.predict(text, 1024, 512, "published", api_name="/parse")
    (cat,) = answer["instances"]
    assert cat["mask"] is None
    assert [warning["code"] for warning in answer["warnings"]] == ["no_mask_decoder"]


@pytest.mark.parametrize("size", [(0, 10), (10, -1), (10, 10**9), (1.5, 10), ("a", 10)])
def test_parse_refuses_a_size_that_no_picture_has(client: Client, size: tuple[Any, Any]) -> None:
    with pytest.raises(AppError, match=r"^E_(SIZE|IMAGE)"):
        client.predict("<loc0001>", *size, "none", api_name="/parse")


def test_models_begin_with_the_loaded_one(client: Client) -> None:
    rows = client.predict(api_name="/models")["models"]
    assert rows[0]["id"] == "fake" and rows[0]["here"] is True
    keys = {"id", "family", "tasks", "side", "parameters", "licence", "here"}
    assert all(set(row) == keys for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_queue_has_no_way_around(served: Served) -> None:
    answer = httpx.post(f"{served.url}gradio_api/run/detect", json={"data": [None, "cat", 5, 0, 0]})
    assert answer.status_code >= 400
    assert "does not accept" in answer.text


def test_all_endpoints_of_the_model_share_one_place(served: Served) -> None:
    config = httpx.get(f"{served.url}config").json()
    rows = {row["api_name"]: row for row in config["dependencies"]}
    names = ("detect", "segment", "point", "caption", "ask", "ocr", "free")
    assert all(rows[name]["queue"] for name in names)


def public_info(url: str) -> dict[str, Any]:
    """What clients are told: names, order, types and defaults of every endpoint."""
    info = httpx.get(f"{url}gradio_api/info").json()
    kept = ("parameter_name", "parameter_has_default", "parameter_default", "type")
    return {
        name: {
            "parameters": [{key: row.get(key) for key in kept} for row in row_set["parameters"]],
            "returns": [row["type"] for row in row_set["returns"]],
        }
        for name, row_set in sorted(info["named_endpoints"].items())
    }


def test_the_endpoints_are_what_they_were(served: Served) -> None:
    """GEMMA_VISION_UPDATE=1 writes the snapshot anew; look at the difference before committing."""
    info = public_info(served.url)
    if os.environ.get("GEMMA_VISION_UPDATE"):
        SNAPSHOT.write_text(json.dumps(info, indent=1, sort_keys=True) + "\n")
    assert info == json.loads(SNAPSHOT.read_text())
    assert set(info) == {f"/{name}" for name in (*FORM_TASKS, "parse", "models", "model")}
