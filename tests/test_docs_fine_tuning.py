"""The page about fine-tuning: its commands run, from an installed wheel in another folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from test_wheel import program, wheel  # noqa: F401  fixtures
from tiny_models import make_model, save
from tuning import write_data

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "fine_tuning.md").read_text("utf-8")
RUN_SECONDS = 1800
SHORT = ["--steps", "2", "--old-scenes", "2", "--scorings", "1", "--batch", "2", "--threads", "1"]
SHORT += ["--device", "cpu"]
LONG = ("--minutes", "--steps", "--epochs")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[list[str]]:
    """Every line that is typed, in the order of the page."""
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line and line[0] != "#"]


def shortened(words: list[str], model: Path, data: Path) -> list[str]:
    """A command as it stands on the page, its minutes made two steps, its Hub model one of here."""
    words = [str(model) if word.startswith("google/") else word for word in words]
    if words[:2] != ["gemma-vision", "finetune"] or "--check" in words:
        return words
    for option in LONG:
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    if str(model) in words or "large-model" in words:  # it has no mask decoder of its own
        words += ["--mask-decoder", "none"]
    return words + SHORT


def test_every_command_of_the_page_is_one_of_ours() -> None:
    assert len(commands()) >= 10
    assert {words[0] for words in commands()} == {"gemma-vision", "python"}
    verbs = {words[1] for words in commands()}
    assert {"finetune", "detect", "merge", "app"} <= verbs


@pytest.mark.slow
def test_the_commands_run_in_their_order_from_a_wheel(
    program: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    model = save(make_model(), tmp_path / "paligemma")
    for name in ("cups", "lamps", "pictures"):
        folder = write_data(tmp_path / name, count=10, masks=True)
        path = folder / "annotations.json"
        path.write_text(path.read_text().replace("cone", name[:-1]).replace("mug", f"{name[:1]}x"))
    shutil.copyfile(ROOT / "gemma_vision/web/examples/scene-1.jpg", tmp_path / "photo.jpg")
    (tmp_path / "tuning.yaml").write_text(blocks("yaml")[0])
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    env |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    for words in commands():
        if words[1] == "app" or words[0] == "python":  # its own test starts it; a checkout's alone
            continue
        words = shortened(words, model, tmp_path)
        words = [str(program), *words[1:]]
        if "*.jpg" in words:
            at = words.index("*.jpg")
            words[at : at + 1] = ["photo.jpg"]
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr)
    notes = json.loads((tmp_path / "both-model" / "gemma_vision.json").read_text())
    assert [lesson["names"] for lesson in notes["taught"]] == [["cup", "cx"], ["lamp", "lx"]]
    assert (tmp_path / "merged" / "model.safetensors").is_file()


@pytest.mark.slow
def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_data(tmp_path / "cups", count=10, masks=True)
    shutil.copyfile(tmp_path / "cups" / "00.png", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    exec(code.replace("minutes=8", "steps=2, old_scenes=2, batch=2"), {})
