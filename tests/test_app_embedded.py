"""`python app.py` as a person starts it, over the checkpoint that comes inside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from served import ROOT, free_port

from ui.example_strip import load_examples

START_SECONDS = 120


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The app in a process of its own: what it printed, and its address."""
    home = tmp_path_factory.mktemp("app")
    port = free_port()
    environment = os.environ | {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(home / "uploads"),
        "HF_HUB_OFFLINE": "1",
    }
    environment.pop("MODEL_ID", None)
    log = home / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    try:
        end = time.monotonic() + START_SECONDS
        while "is up at" not in log.read_text():
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield log.read_text(), f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def client(started: tuple[str, str]) -> Client:
    return Client(started[1], verbose=False)


def test_it_says_in_one_line_where_it_is(started: tuple[str, str]) -> None:
    printed, url = started
    (line,) = printed.strip().splitlines()
    assert line == f"Gemma Vision is up at {url} with tiny; Ctrl+C stops it."


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
    for example in load_examples():
        assert Path(example["path"]).is_file(), example["image"]
