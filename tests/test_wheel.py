"""The wheel, installed elsewhere: the program, the page, its examples and its scripts are in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from served import free_port

ROOT = Path(__file__).parent.parent
SOURCES = ("gemma_vision", "postprocess", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
START_SECONDS = 120
CODE = {".py", ".js", ".css", ".html", ".json", ".jpg", ".mp4", ".typed"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, sources / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", folder, sources)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`gemma-vision` in a fresh environment that borrows all other packages from this one."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text("\n".join(p for p in sys.path if "site-packages" in p))
    pip("--python", folder / "bin" / "python", "install", "--no-deps", "--ignore-installed", wheel)
    return folder / "bin" / "gemma-vision"


def pip(*words: object) -> None:
    """Run pip without the network."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)]
    environment = os.environ | {"PIP_NO_INDEX": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run(program: Path, *words: str) -> str:
    """What the installed program prints in a folder that has nothing of ours."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [program, *words],
        cwd=program.parent.parent,
        env=environment | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("package", ["gemma_vision", "postprocess"])
def test_every_file_of_the_packages_is_in_the_wheel(package: str, wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / package).rglob("*")
        if path.suffix in CODE and "__pycache__" not in path.parts
    }
    assert len(files) > 20 and files <= packed, sorted(files - packed)


def test_the_program_says_its_version(program: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert run(program, "--version").strip() == f"gemma-vision {project['version']}"


def test_the_program_finds_things(program: Path) -> None:
    picture = ROOT / "gemma_vision/web/examples/scene-1.jpg"
    answer = json.loads(run(program, "detect", str(picture), "cat ; dog"))
    assert {one["label"] for one in answer["instances"]} == {"cat", "dog"}


@pytest.fixture(scope="module")
def address(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The installed app, until the tests are done with it."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    log = home / "log"
    own = {"GRADIO_TEMP_DIR": str(home / "uploads"), "HF_HUB_OFFLINE": "1"}
    with log.open("w") as file:
        app = subprocess.Popen(
            [program, "app", "--port", str(port)],
            cwd=home,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | own,
            stdout=file,
            stderr=file,
        )
    latest = time.monotonic() + START_SECONDS
    while "is up at" not in log.read_text():
        assert app.poll() is None and time.monotonic() < latest, log.read_text()
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/"
    app.kill()
    app.wait()


def test_the_page_comes_with_its_examples_and_scripts(address: str) -> None:
    with urlopen(address, timeout=60) as answer:
        page = answer.read().decode()
    config = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", page)[1])
    parts = {one["props"].get("elem_id"): one["props"] for one in config["components"]}
    cards = parts["examples"]["props"]["cards"]
    assert len(cards) == 6 and all(card["src"].startswith("data:image/") for card in cards)
    for name in ("header", "viewer", "examples"):
        assert parts[name]["js_on_load"] and parts[name]["css_template"], name
    assert ".gv" in page
