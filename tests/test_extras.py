"""Packages that only some uses need: refused in a sentence where they are missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gemma_vision.cli import main
from gemma_vision.extras import EXTRAS, MissingPackageError, require

ROOT = Path(__file__).parent.parent


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch):
    """Hides packages, and what of ours has imported them."""

    def hide(*modules: str) -> None:
        for name in modules:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_is_refused_with_the_command_that_brings_it(extra: str, without) -> None:
    without(*EXTRAS[extra].modules)
    with pytest.raises(MissingPackageError) as caught:
        require(extra)
    assert f'Run `pip install "gemma-vision[{extra}]"`.' in str(caught.value)
    assert all(name in str(caught.value) for name in EXTRAS[extra].modules)
    assert isinstance(caught.value, ImportError)


def test_what_is_installed_is_not_refused() -> None:
    require("app")


@pytest.mark.parametrize(
    "words, hidden, wanted",
    [
        pytest.param(["app"], "gradio", "The web app needs gradio", id="app"),
        pytest.param(
            ["finetune", "x", "--name", "x", "--out", "x"],
            "transformers",
            'pip install "gemma-vision[finetune]"',
            id="finetune",
        ),
        pytest.param(
            ["finetune", "x", "--name", "x", "--out", "x", "--lora"],
            "peft",
            'LoRA needs peft, which is not installed. Run `pip install "gemma-vision[tune]"`.',
            id="lora",
        ),
    ],
)
def test_a_command_without_its_package_ends_with_one_sentence(
    words: list[str], hidden: str, wanted: str, without, capsys: pytest.CaptureFixture[str]
) -> None:
    without(hidden)
    assert main(words) == 2
    complaint = capsys.readouterr().err
    assert wanted in complaint and complaint.count("\n") == 1


@pytest.mark.parametrize(
    "program, hidden, wanted",
    [
        pytest.param("import app", "gradio", "[app]", id="app.py"),
        pytest.param("import gemma_vision.video", "av", "[video]", id="video"),
        pytest.param(
            "import sys; from gemma_vision.cli import main; "
            "sys.exit(main(['video', 'in.mp4', 'cat', 'out.mp4']))",
            "av",
            "[video]",
            id="video command",
        ),
    ],
)
def test_a_module_that_needs_a_package_says_so_when_it_is_imported(
    program: str, hidden: str, wanted: str
) -> None:
    hide = f"import sys; sys.modules[{hidden!r}] = None; "
    done = subprocess.run(
        [sys.executable, "-c", hide + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode and wanted in done.stderr.splitlines()[-1]


def test_an_answer_needs_no_package_of_an_extra() -> None:
    hidden = sorted({name for one in EXTRAS.values() for name in one.modules})
    program = (
        f"import sys; sys.modules |= dict.fromkeys({hidden}); import gemma_vision; "
        "answer = gemma_vision.load().detect('gemma_vision/web/examples/scene-1.jpg', 'cat'); "
        "print(len(answer.instances))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and int(done.stdout) >= 1, done.stderr
