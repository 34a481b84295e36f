"""The app on a Space: the front matter, its variables, and a GPU that is lent."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import yaml
from fake_engine import FakeEngine, fake_pipeline
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from PIL import Image

from gemma_vision.extras import MissingPackageError
from gemma_vision.requests.request import Request
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.web.forms.space_buttons import LOGIN, build_space_buttons
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.server.guards.access import secrets
from gemma_vision.web.server.guards.chain import check_variables
from gemma_vision.web.zero_gpu import LentEngine, needs_whole_gpu, seconds

ROOT = Path(__file__).parent.parent
ZERO_GPU_PYTHONS = ("3.12.12", "3.10.13")  # as its documentation lists them

# Stands in for the package of ZeroGPU: it has to come before torch, and what goes into and out of
# the worker is pickled.
SPACES = """
import sys
late = {"torch", "gradio", "gemma_vision"} & set(sys.modules)
assert not late, f"{late} came before the package"
print("spaces is here", flush=True)

def GPU(task=None, duration=60):
    return task if task else lambda function: function
"""


def lend(duration: Any) -> Any:
    """As spaces.GPU: arguments and results travel by pickle."""

    def wrap(task: Any) -> Any:
        def handler(*arguments: Any) -> Iterator[Any]:
            assert 0 < duration(*arguments) <= 120
            inner = task(*pickle.loads(pickle.dumps(arguments)))
            try:
                for value in inner:
                    yield pickle.loads(pickle.dumps(value))
            finally:
                inner.close()

        return handler

    return wrap


def lent(engine: FakeEngine) -> LentEngine:
    return LentEngine(engine, lend)


def test_an_answer_over_a_lent_gpu_is_the_same(picture: Image.Image) -> None:
    pipeline, wish = fake_pipeline(), Request(picture, "detect", "cat ; dog")
    alone = pipeline.run(wish).to_dict() | {"timing": None}
    pipeline.engine = lent(pipeline.engine)  # type: ignore[arg-type]
    assert pipeline.run(wish).to_dict() | {"timing": None} == alone
    assert pipeline.engine.name == "fake" and pipeline.engine.ready()


def test_closing_gives_the_gpu_back(picture: Image.Image) -> None:
    engine = FakeEngine()
    steps = lent(engine).stream([Prompt((picture,), "detect cat")])
    assert isinstance(next(steps), list)
    steps.close()  # type: ignore[attr-defined]
    assert engine.cancelled == 1


@pytest.mark.parametrize("limit, asked", [(16, 15.96), (256, 30.36), (100_000, 120.0)])
def test_the_gpu_is_asked_for_as_long_as_the_answer_may_take(limit: int, asked: float) -> None:
    prompts = [Prompt((), "a", max_tokens=16), Prompt((), "b", max_tokens=limit)]
    assert seconds(prompts) == pytest.approx(asked)


@pytest.mark.parametrize(
    "parameters, dtype, is_large",
    [
        pytest.param(3 * 10**9, "bfloat16", False, id="3B"),
        pytest.param(12 * 10**9, "bfloat16", False, id="12B"),
        pytest.param(28 * 10**9, "bfloat16", True, id="28B"),
        pytest.param(28 * 10**9, "int4", False, id="28B packed"),
        pytest.param(None, None, False, id="unknown"),
    ],
)
def test_a_large_checkpoint_asks_for_the_whole_gpu(
    parameters: int | None, dtype: str | None, is_large: bool
) -> None:
    assert needs_whole_gpu({"parameters": parameters, "dtype": dtype}) == is_large
    asked: list[dict[str, Any]] = []
    lend = lambda **options: asked.append(options) or (lambda task: task)  # noqa: E731
    LentEngine(FakeEngine(), lend, is_large=is_large)
    assert asked[0].get("size") == ("xlarge" if is_large else None)


def page_of_buttons() -> gr.Blocks:
    """Outside a running loop Gradio opens several of its own and never closes them."""

    async def inside() -> gr.Blocks:
        with gr.Blocks(analytics_enabled=False) as page:
            build_space_buttons()
        return page

    return asyncio.run(inside())


@pytest.mark.parametrize(
    "variables, buttons",
    [
        pytest.param({}, [], id="elsewhere"),
        pytest.param({"GEMMA_VISION_HUB_LOGIN": "1"}, [], id="a log-in is for Spaces"),
        pytest.param({"SPACE_ID": "a/b"}, ["DuplicateButton"], id="a Space"),
        pytest.param(
            {"SPACE_ID": "a/b", "GEMMA_VISION_LOGIN": "ann:a-long-password"},
            ["DuplicateButton"],
            id="a Space behind a password",
        ),
    ],
)
def test_a_space_has_its_own_buttons(
    variables: dict[str, str], buttons: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPACE_ID", "GEMMA_VISION_LOGIN", "GEMMA_VISION_HUB_LOGIN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    kinds = [type(part).__name__ for part in page_of_buttons().blocks.values()]
    assert [kind for kind in kinds if kind.endswith("Button")] == buttons


def test_a_log_in_that_cannot_be_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "a/b")
    monkeypatch.setenv(LOGIN, "1")
    monkeypatch.setitem(sys.modules, "authlib", None)
    with pytest.raises(MissingPackageError, match=r"\[oauth\]"):
        page_of_buttons()


def test_a_log_in_with_the_hub_lets_the_app_start_and_locks_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As docs/spaces.md has it: its variable is none that the guards read."""
    page = (ROOT / "docs" / "spaces.md").read_text("utf-8")
    variable, value = re.findall(r"`(GEMMA_VISION_\w*LOGIN)=(1)`", page)[0]
    monkeypatch.setenv("SPACE_ID", "a/b")
    monkeypatch.setenv(variable, value)
    check_variables()
    assert secrets() == () and variable == LOGIN


def test_a_run_knows_who_asked() -> None:
    from contextvars import ContextVar

    visitor: ContextVar[str] = ContextVar("visitor", default="nobody")
    visitor.set("somebody")
    run = StreamRun(lambda: (name() for name in [visitor.get]), None)
    assert list(run.follow())[-1] == "somebody"


@pytest.mark.parametrize("is_there", [True, False], ids=["ZeroGPU", "elsewhere"])
def test_spaces_is_imported_first_and_only_there(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "spaces.py").write_text(SPACES)
    environment = {k: v for k, v in os.environ.items() if k != "SPACES_ZERO_GPU"}
    if is_there:  # elsewhere the package is not installed
        environment |= {"SPACES_ZERO_GPU": "true", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import app; from gemma_vision.web.app import IS_ZERO_GPU; print(IS_ZERO_GPU)",
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == (["spaces is here"] if is_there else []) + [
        str(is_there)
    ]


def test_the_front_matter_is_what_a_space_reads() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    card = yaml.safe_load(text.split("---")[1])
    assert card["sdk"] == "gradio" and (ROOT / card["app_file"]).is_file()
    assert f"gradio=={card['sdk_version']}" in (ROOT / "requirements.txt").read_text()
    assert len(card["short_description"]) <= 60


def test_the_front_matter_names_a_python_that_zerogpu_has_and_the_package_takes() -> None:
    """ZeroGPU builds a Space that names another version with 3.10."""
    text = (ROOT / "README.md").read_text("utf-8")
    named = Version(yaml.safe_load(text.split("---")[1])["python_version"])
    assert named.release[:2] in {Version(one).release[:2] for one in ZERO_GPU_PYTHONS}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert named in SpecifierSet(project["requires-python"])
    assert all(one in (ROOT / "docs" / "spaces.md").read_text("utf-8") for one in ZERO_GPU_PYTHONS)


def test_steps_that_leave_the_worker_can_be_pickled(picture: Image.Image) -> None:
    steps: Sequence[list[Chunk | None]] = list(FakeEngine().stream([Prompt((picture,), "x")]))
    assert pickle.loads(pickle.dumps(steps)) == steps
    assert json.dumps([chunk.text for (chunk,) in steps if chunk])
