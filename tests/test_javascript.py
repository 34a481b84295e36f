"""The page's scripts: their pure parts under node, and what Gradio is given of all of them."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import gradio as gr
import pytest
from fake_engine import fake_pipeline

from gemma_vision.web import app
from gemma_vision.web.components.scripts import body, imports
from gemma_vision.web.components.viewer import BORROW, SOURCE

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "gemma_vision" / "web" / "components"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js"))
MAX_LINES = 260  # as for every file


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node on this machine")
    return found


@pytest.fixture(scope="module")
def scripts() -> list[str]:
    """The scripts of all components of the page."""
    pipeline = fake_pipeline()
    pipeline.engine.checkpoint = None  # so that the tab "Inside the model" is there

    async def build() -> gr.Blocks:  # outside a loop Gradio opens some of its own for good
        return app.build_app(pipeline)

    page = asyncio.run(build())
    parts = [block for block in page.blocks.values() if isinstance(block, gr.HTML)]
    return sorted(filter(None, {whole_script(part, parts) for part in parts}))


def whole_script(part: gr.HTML, parts: list[gr.HTML]) -> str:
    """What is run for a component; viewers run the script of one of them, and some more."""
    if part.js_on_load == BORROW:
        (source,) = (one for one in parts if one.elem_id == SOURCE)
        return f"{source.js_on_load}\n{part.props.get('more', '')}"
    return part.js_on_load if "find(element" in (part.js_on_load or "") else ""


def files_of(script: str) -> list[str]:
    """The files that a script was joined from, in their order."""
    places = {name: script.find(body(name)) for name in FILES}
    return sorted((name for name in FILES if places[name] >= 0), key=places.__getitem__)


def test_the_scripts_pure_parts_do_what_they_say(node: str) -> None:
    tests = sorted(map(str, (ROOT / "tests" / "javascript").glob("*.test.js")))
    assert tests
    done = subprocess.run(
        [node, "--test", *tests], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_script_reaches_the_page(scripts: list[str]) -> None:
    assert {name for script in scripts for name in files_of(script)} == set(FILES)


def test_what_a_file_imports_stands_before_it(scripts: list[str]) -> None:
    for script in scripts:
        files = files_of(script)
        for place, name in enumerate(files):
            assert set(imports(name)) <= set(files[:place]), f"{name} in {files}"


def test_a_joined_script_is_one_scope_without_a_name_twice(
    node: str, scripts: list[str], tmp_path: Path
) -> None:
    """A module may not declare a function twice; where Gradio runs it, the last would win."""
    for number, script in enumerate(scripts):
        assert not re.search(r"^(import|export)\b", script, re.MULTILINE), files_of(script)
        path = tmp_path / f"{number}.mjs"
        path.write_text(script, "utf-8")
        done = subprocess.run(
            [node, "--check", str(path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{files_of(script)}: {done.stderr}"


@pytest.mark.parametrize("name", FILES)
def test_a_script_can_be_read_in_one_go(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    assert text.startswith("// "), "say what it is about"
    assert len(text.splitlines()) <= MAX_LINES
