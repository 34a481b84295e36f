"""What the two packages promise is there, and nothing heavy comes with it."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACT = {
    "gemma_vision": "load Pipeline Request Task Answer Turn Prompt Chunk Engine read models",
    "postprocess": "parse write locate draw MaskDecoder EXPORTERS Parser Mention Instance Notice",
}


@pytest.mark.parametrize("package", CONTRACT)
def test_every_promised_name_can_be_imported(package):
    module = importlib.import_module(package)
    assert set(CONTRACT[package].split()) <= set(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("package", CONTRACT)
def test_star_and_dir_give_the_promised_names(package):
    module = importlib.import_module(package)
    space: dict = {}
    exec(f"from {package} import *", space)
    assert set(module.__all__) <= space.keys()
    assert set(module.__all__) <= set(dir(module))
    assert module.__all__ == sorted(module.__all__, key=lambda name: (not name.isupper(), name))


@pytest.mark.parametrize("package", CONTRACT)
def test_unknown_names_are_an_attribute_error(package):
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(importlib.import_module(package), "nothing")  # noqa: B009


def test_the_version_is_that_of_the_installed_package_wherever_it_is_told(capsys):
    version = importlib.metadata.version("gemma-vision")
    assert importlib.import_module("gemma_vision").__version__ == version
    with pytest.raises(SystemExit):
        importlib.import_module("gemma_vision.cli").main(["--version"])
    assert capsys.readouterr().out.strip() == f"gemma-vision {version}"


@pytest.mark.parametrize("package", CONTRACT)
def test_every_public_name_says_what_it_is(package):
    module = importlib.import_module(package)
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name


@pytest.mark.parametrize("package", CONTRACT)
def test_importing_a_package_is_cheap(package):
    heavy = "{'torch', 'transformers', 'gradio', 'cv2', 'numpy', 'huggingface_hub'}"
    code = f"import sys, {package}; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_reading_an_answer_needs_no_torch():
    code = (
        "import sys; from postprocess import parse, locate, draw; "
        "locate(parse('<loc0001><loc0002><loc0512><loc0700> cat'), (640, 480)); "
        "print(sorted({'torch', 'transformers', 'gradio'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("package", CONTRACT)
def test_the_packages_are_typed(package):
    assert (ROOT / package / "py.typed").is_file()
