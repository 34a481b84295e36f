"""`python app.py` as a person starts it, over the checkpoint that comes inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from served import Served, embedded

from gemma_vision.web.components.example_strip import load_examples
from postprocess.metrics import box_iou


@pytest.fixture(scope="module")
def started() -> Served:
    return embedded()


@pytest.fixture(scope="module")
def client(started: Served) -> Client:
    return Client(started.url, verbose=False)


def test_it_says_in_one_line_where_it_is(started: Served) -> None:
    (line,) = started.log.read_text().strip().splitlines()
    assert line == f"Gemma Vision is up at {started.url} with tiny; Ctrl+C stops it."


def test_the_bundled_examples_are_answered(client: Client) -> None:
    """Each with its own task and words; what is seen is the checkpoint's affair."""
    wordless = ("caption", "ocr")
    examples = load_examples()
    assert len(examples) >= 4
    for example in examples:
        words = () if example["task"] in wordless else (example["text"],)
        picture = handle_file(example["path"])
        answer = client.predict(picture, *words, api_name=f"/{example['task']}")
        assert answer["model"] == "tiny" and answer["policy"] == "bigvision"
        assert answer["finish"] in ("stop", "length", "repeat")
        assert answer["timing"]["tokens"] > 0


def test_it_tells_what_it_is(client: Client) -> None:
    row = client.predict(api_name="/models")["models"][0]
    assert (row["id"], row["here"]) == ("tiny", True)
    assert row["parameters"] > 100_000 and {"detect", "segment"} <= set(row["tasks"])


def test_its_own_masks_are_read_when_pasted(client: Client) -> None:
    segs = "".join(f"<seg{code:03d}>" for code in range(16))
    text = f"<loc0000><loc0000><loc1023><loc1023> {segs} cat"
    (cat,) = client.predict(text, 200, 100, "embedded", api_name="/parse")["instances"]
    assert cat["mask"]["size"] == [100, 200]


def test_the_examples_are_beside_their_list() -> None:
    for example in (*load_examples(), *load_examples("video")):
        assert Path(example["path"]).is_file()


def test_the_answer_to_be_pasted_is_its_own(client: Client) -> None:
    (example,) = (row for row in load_examples() if "answer" in row)
    found = client.predict(handle_file(example["path"]), example["text"], api_name="/segment")
    pasted = client.predict(example["answer"], 640, 480, "embedded", api_name="/parse")
    assert len(pasted["instances"]) == 2 == len(found["instances"])
    for one, other in zip(pasted["instances"], found["instances"], strict=True):
        assert (one["label"], one["mask"] is None) == (other["label"], False)
        assert box_iou(one["box"], other["box"]) > 0.8
