"""How the app is started, and what it is started with."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from fake_engine import fake_pipeline
from tiny_models import make_model, save

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.tasks import FORM_TASKS, Task
from gemma_vision.web import app
from gemma_vision.web.jobs.model_turns import MODEL_RUNS
from gemma_vision.web.server.uploads import EXAMPLES

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def page() -> Iterator[gr.Blocks]:
    yield build(fake_pipeline())


def build(pipeline: Pipeline) -> gr.Blocks:
    """The page. Outside a running loop Gradio opens several of its own and never closes them."""

    async def inside() -> gr.Blocks:
        return app.build_app(pipeline)

    return asyncio.run(inside())


def run(*arguments: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """A Python of its own in the project's folder."""
    line = ["-c", code] if code else [str(ROOT / "app.py"), *arguments]
    return subprocess.run(
        [sys.executable, *line], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_importing_the_app_loads_no_model() -> None:
    heavy = "{'torch', 'transformers', 'cv2'}"
    code = f"import gemma_vision.web.app, sys; print({heavy} & set(sys.modules))"
    assert run(code=code).stdout.strip() == "set()"


def test_an_unknown_model_ends_with_one_sentence_and_code_2() -> None:
    ended = run("--model", "/no/such/folder")
    assert ended.returncode == 2
    assert ended.stderr.startswith("Gemma Vision cannot start: ")
    assert "/no/such/folder" in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("given", [["--port", "x"], ["--nonsense"], ["--model-choice", "some"]])
def test_an_option_that_is_none_ends_with_one_sentence(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(given) == 2
    said = capsys.readouterr().err
    assert said.startswith("Gemma Vision cannot start: ") and given[0] in said
    assert said.endswith("see app.py --help.\n") and said.count("\n") == 1


def test_options_have_their_defaults_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODEL_ID", raising=False)
    monkeypatch.delenv("MASKS_MODEL_ID", raising=False)
    assert app.read_options([]).model == "tiny"
    monkeypatch.setenv("MODEL_ID", "somebody/something")
    assert app.read_options([]).model == "somebody/something"
    assert app.read_options(["--model", "tiny"]).model == "tiny"
    monkeypatch.setenv("MASKS_MODEL_ID", "somebody/outlines")
    assert app.read_options([]).masks == "somebody/outlines"
    assert app.read_options(["--masks", "tiny"]).masks == "tiny"


def test_what_makes_no_masks_cannot_outline_in_the_app(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "app.py", "--masks", str(save(make_model("gemma3"), tmp_path))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.returncode == 2 and "makes no masks; take a PaliGemma" in said.stderr


@pytest.mark.parametrize(
    "option, value",
    [
        ("ssr_mode", False),
        ("run_history", False),
        ("show_error", False),
        ("enable_monitoring", False),
        ("share", False),
        ("max_file_size", "100mb"),
        ("allowed_paths", [str(EXAMPLES)]),
    ],
)
def test_nothing_leaves_the_machine_and_errors_show_no_paths(option: str, value: object) -> None:
    assert app.launch_options()[option] == value


def test_whoever_launches_the_page_gets_these_options(
    page: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr(gr.Blocks, "launch", lambda self, **options: given.update(options))
    page.launch(server_port=1234, show_error=True)
    assert given["server_port"] == 1234 and given["show_error"] is True
    assert given["ssr_mode"] is False and given["i18n"] is not None


def test_fonts_come_from_the_visitors_machine() -> None:
    theme = app.launch_options()["theme"]
    assert "http" not in theme.font and "http" not in theme.font_mono
    assert theme._stylesheets == []


def test_analytics_are_off_and_the_queue_is_closed(page: gr.Blocks) -> None:
    assert page.analytics_enabled is False
    assert page.api_open is False
    assert page._queue.max_size == app.MAX_WAITING


def test_every_event_of_the_model_waits_in_one_queue(page: gr.Blocks) -> None:
    names = {"detect", "segment", "point", "caption", "ask", "ocr", "free"}
    fns = [fn for fn in page.fns.values() if fn.fn]
    jobs = {fn.outputs[0].elem_id: fn for fn in fns if fn.fn.__name__ == "start"}
    paste = jobs.pop("paste-viewer")  # which needs no model
    heavy = [fn for fn in fns if fn.api_name in names] + list(jobs.values())
    assert len(heavy) == len(names) + 5
    assert {(fn.concurrency_id, fn.concurrency_limit) for fn in heavy} == {("model", MODEL_RUNS)}
    assert (paste.concurrency_id, paste.concurrency_limit) == ("quick", 4)


def test_no_image_input_opens_a_file_before_it_was_checked(page: gr.Blocks) -> None:
    """Gradio would open whatever path a client names."""
    for fn in page.fns.values():
        if any(isinstance(block, gr.Image) for block in fn.inputs):
            assert fn.preprocess is False


def test_handlers_of_the_page_are_not_offered_to_clients(page: gr.Blocks) -> None:
    offered = {fn.api_name for fn in page.fns.values() if fn.api_visibility == "public"}
    assert offered == {*FORM_TASKS, "parse", "models", "model"}


def test_only_tasks_that_the_checkpoint_can_do_are_offered() -> None:
    page = build(fake_pipeline(tasks=[Task.caption, Task.ask]))
    (task,) = [block for block in page.blocks.values() if getattr(block, "elem_id", None) == "task"]
    assert [value for _, value in task.choices] == ["caption", "ask"]


def test_templates_hold_no_place_for_a_value(page: gr.Blocks) -> None:
    """What stands in ${} or {{}} of a template is run by the browser."""
    parts = [block for block in page.blocks.values() if isinstance(block, gr.HTML)]
    assert len(parts) >= 2
    for part in parts:
        for template in (part.html_template, part.css_template):
            assert not any(mark in template for mark in ("${", "{{", "`", "@children"))


def test_scripts_write_texts_as_texts() -> None:
    for script in (ROOT / "gemma_vision" / "web").rglob("*.js"):
        source = script.read_text()
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in source, f"{script.name} uses {way}"
