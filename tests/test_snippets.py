"""A request as code: each snippet is run as it is pasted, and asks for what the form asked for."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from served import Served
from served import served as start

from gemma_vision.requests.options import options_of
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import FORM_TASKS, PARSE, TASKS
from gemma_vision.web.api.snippets import LOCAL, WRITERS, Call, write_snippets
from gemma_vision.web.jobs.image_answer import changed_options

ROOT = Path(__file__).parent.parent
CLIENT = ROOT / "node_modules"
HARD = 'the cat\'s "hat" $HOME `id` \\ 猫 & <b>'
MAX_TOKENS = 77  # seen in what the engine was asked


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture
def place(tmp_path: Path, picture_file: Path) -> Path:
    """A folder with the picture that the snippets speak of."""
    shutil.copy(picture_file, tmp_path / "photo.jpg")
    return tmp_path


def run(line: list[str], name: str, code: str, place: Path) -> str:
    path = place / name
    path.write_text(code, "utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [*line, str(path)],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def program(language: str, place: Path) -> tuple[list[str], str]:
    """What runs a snippet, and what its file is called; skipped where it is not there."""
    if language == "javascript":
        if not shutil.which("node") or not (CLIENT / "@gradio" / "client").is_dir():
            pytest.skip("no node, or no @gradio/client")
        (place / "node_modules").symlink_to(CLIENT.resolve())
        return ["node"], "snippet.mjs"
    if language == "curl":
        if not shutil.which("curl") or not shutil.which("bash"):
            pytest.skip("no bash or no curl")
        return ["bash"], "snippet.sh"
    if language == "mcp" and importlib.util.find_spec("mcp") is None:
        pytest.skip("the optional package mcp is not installed")
    return [sys.executable], "snippet.py"


@pytest.mark.parametrize("language", ["client", "javascript", "curl", "mcp"])
@pytest.mark.parametrize(
    "task, text, options",
    [
        pytest.param("segment", "cat ; dog", {"max_overlap": 0.5, "drop_repeats": True}, id="two"),
        pytest.param("ask", HARD, {"temperature": 0.25, "seed": 3}, id="odd letters"),
        pytest.param("caption", "", {"region": (0.0, 0.25, 0.5, 1.0)}, id="a region"),
    ],
)
def test_a_snippet_asks_the_running_app_the_same(
    served: Served, place: Path, language: str, task: str, text: str, options: dict[str, Any]
) -> None:
    line, name = program(language, place)
    if "region" in options:
        served = start("paligemma")
    call = Call(task, text, options | {"max_tokens": MAX_TOKENS}, address=served.url)
    printed = run(line, name, write_snippets(call)[language], place)
    prompt, max_tokens, temperature, seed = served.engine()["prompts"][-1]
    assert max_tokens == MAX_TOKENS and temperature == options.get("temperature", 0)
    assert seed == options.get("seed", 0) and (not text or text.split(" ;")[0] in prompt)
    assert ("dog" if task == "segment" else "two animals") in printed


PASTED = '<loc0102><loc0102><loc0512><loc0460> it\'s a "cat"\n'


@pytest.mark.parametrize("language", ["python", "client", "javascript", "curl", "mcp", "command"])
def test_a_pasted_answer_is_code_that_reads_it_again(
    served: Served, place: Path, language: str
) -> None:
    options = {"width": 640, "height": 480, "mask_decoder": "none"}
    code = write_snippets(Call(PARSE, PASTED, options, address=served.url))[language]
    line, name = program(language, place) if language != "command" else (["bash"], "snippet.sh")
    if language == "command":
        code = f'gemma-vision() {{ "{sys.executable}" -m gemma_vision "$@"; }}\n{code}'
    assert "64" in code and "cat" in run(line, name, code, place)


def test_the_librarys_snippet_runs(place: Path) -> None:
    call = Call("detect", "cat ; dog", {"max_tokens": 16, "drop_unasked": False})
    run([sys.executable], "snippet.py", write_snippets(call)["python"], place)


def test_the_command_runs(place: Path) -> None:
    call = Call("detect", "cat ; dog", {"max_tokens": 16, "min_score": 0.25, "drop_unasked": False})
    command = write_snippets(call)["command"]
    script = f'gemma-vision() {{ "{sys.executable}" -m gemma_vision "$@"; }}\n{command}'
    answer = json.loads(run(["bash"], "snippet.sh", script, place))
    assert answer["task"] == "detect" and answer["image"]


def test_code_for_mcp_is_offered_where_its_package_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "mcp" in write_snippets(Call("detect", "cat"))
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert list(write_snippets(Call("detect", "cat"))) == [
        name for name in WRITERS if name != "mcp"
    ]


def test_what_is_as_always_is_left_out() -> None:
    for code in write_snippets(Call("detect", "cat")).values():
        assert "max_tokens" not in code and "max-tokens" not in code


def test_only_what_differs_from_the_defaults_is_told() -> None:
    image = Image.new("RGB", (8, 8))
    assert changed_options(Request(image, "detect", "cat")) == {}
    changed = changed_options(Request(image, "detect", "cat", max_tokens=64, drop_repeats=True))
    assert changed == {"max_tokens": 64, "drop_repeats": True}


@pytest.mark.parametrize("task", FORM_TASKS)
def test_every_task_with_every_option_is_code(task: str) -> None:
    values = {bool: True, int: 7, float: 0.5, tuple: (0.0, 0.0, 0.5, 1.0), str: "en"}
    options = {
        one.name: one.choices[0] if one.choices else values[one.type] for one in options_of(task)
    }
    call = Call(task, HARD if TASKS[task].words else "", options)
    written = write_snippets(call)
    assert list(written) == list(WRITERS)
    for language in ("python", "client", "mcp"):
        ast.parse(written[language])
    for name in options:
        flag = f"--{name.replace('_', '-')}"
        assert all(name in code or flag in code for code in written.values()), name


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "http://a/$(id)",
        "http://a b/",
        "file:///etc/passwd",
        "",
        "http://a/'",
    ],
)
def test_an_address_that_is_none_is_not_written_down(address: str) -> None:
    for code in write_snippets(Call("caption", address=address)).values():
        assert address not in code or not address
    assert LOCAL.rstrip("/") in write_snippets(Call("caption", address=address))["curl"]


@pytest.mark.parametrize(
    "address", ["http://[::1]:7860/", "https://me-app.hf.space", "http://h/a/b/"]
)
def test_an_address_may_be_anywhere(address: str) -> None:
    written = write_snippets(Call("ocr", address=address))["client"]
    assert f'Client("{address.rstrip("/")}/"' in written
