"""What docs/api.md tells programs to do works, word for word, against a running app."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from served import Served
from served import served as start

ROOT = Path(__file__).parent.parent
CLIENT = ROOT / "node_modules"
ADDRESS = "http://127.0.0.1:7860"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "api.md").read_text("utf-8"), re.S)


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture
def place(tmp_path: Path, picture_file: Path) -> Path:
    """A folder with the picture that the examples speak of."""
    shutil.copy(picture_file, tmp_path / "photo.jpg")
    return tmp_path


def snippets(language: str) -> list[str]:
    return [code for name, code in BLOCKS if name == language]


def run(line: list[str], code: str, served: Served, place: Path) -> str:
    """What a program prints that holds the snippet with this app's address."""
    path = place / "snippet.mjs"
    path.write_text(code.replace(ADDRESS, served.url.rstrip("/")))
    done = subprocess.run(
        [*line, str(path)], cwd=place, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_way_in_is_told() -> None:
    counts = {name: len(snippets(name)) for name in ("python", "js", "bash")}
    assert counts == {"python": 3, "js": 1, "bash": 1}


def test_the_python_client_prints_what_was_found(served: Served, place: Path) -> None:
    printed = run([sys.executable], snippets("python")[0], served, place)
    assert [line.split()[0] for line in printed.splitlines()] == ["cat", "dog"]


def test_the_python_client_follows_and_cancels(served: Served, place: Path) -> None:
    before = served.engine()["cancelled"]
    printed = run([sys.executable], snippets("python")[1], served, place)
    assert printed.splitlines()[-1] == "1 things so far"
    assert served.engine()["cancelled"] == before + 1


def test_the_mcp_client_gets_json(served: Served, place: Path) -> None:
    if importlib.util.find_spec("mcp") is None:
        pytest.skip("the optional package mcp is not installed")
    printed = run([sys.executable], snippets("python")[2], served, place)
    assert [line.split()[0] for line in printed.splitlines()] == ["cat", "dog"]


def test_the_javascript_client_prints_what_was_found(served: Served, place: Path) -> None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip("no node or no npm on this machine")
    if not (CLIENT / "@gradio" / "client").is_dir():
        pytest.skip("@gradio/client is not there: `npm ci`, or `make test`")
    (place / "node_modules").symlink_to(CLIENT)
    printed = run([node], snippets("js")[0], served, place)
    assert [line.split()[0] for line in printed.splitlines()] == ["cat", "dog"]


def test_curl_streams_the_answer(served: Served, place: Path) -> None:
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.skip("no bash or no curl on this machine")
    printed = run([bash], snippets("bash")[0], served, place)
    whole = printed.split("event: complete")[1].split("data: ")[1].splitlines()[0]
    (answer,) = json.loads(whole)
    assert [thing["label"] for thing in answer["instances"]] == ["cat", "dog"]
    assert answer["finish"] == "stop" and "event: generating" in printed


def test_the_example_of_the_json_has_the_keys_of_an_answer(served: Served, place: Path) -> None:
    shown = json.loads(snippets("json")[0])
    client = Client(served.url, verbose=False)
    answer = client.predict(handle_file(place / "photo.jpg"), "cat", api_name="/detect")
    assert shown.keys() == answer.keys() and shown["timing"].keys() <= answer["timing"].keys()
    assert shown["instances"][0].keys() == answer["instances"][0].keys()
