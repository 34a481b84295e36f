"""Shared by all tests: the project on the path, no network, reference data, a picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
for folder in (ROOT, ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

os.environ["HF_HUB_OFFLINE"] = "1"  # a test that needs the Hub is no test
if "PYTEST_XDIST_WORKER" in os.environ:  # tests run side by side: each takes one thread
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In CI a test in the browser that waited in vain is run once more, which its line tells."""
    if os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["TimeoutError"]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed in the browser tells what its pages showed."""
    report = yield
    if report.when == "call" and report.failed:
        report.sections += [("page", show()) for show in getattr(item, "shows", ())]
    return report


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference data; tests that need it are skipped where it is not there."""
    folder = Path(os.environ.get("GEMMA_VISION_REFERENCE", "../shared/reference"))
    folder = folder if folder.is_absolute() else ROOT / folder
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set GEMMA_VISION_REFERENCE")
    return folder


@pytest.fixture
def picture() -> Image.Image:
    """A 640 x 480 picture in which no two corners look alike."""
    y, x = np.mgrid[:480, :640]
    pixels = np.stack([x / 640, y / 480, (x + y) / 1120], axis=-1) * 255
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.fixture
def picture_file(picture: Image.Image, tmp_path: Path) -> Path:
    """The same as a PNG file."""
    path = tmp_path / "picture.png"
    picture.save(path)
    return path


@pytest.fixture(scope="session")
def random_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a PaliGemma of random weights: it runs, and says nothing sensible."""
    from tiny_models import make_model, save

    return save(make_model("paligemma"), tmp_path_factory.mktemp("random") / "paligemma")


@pytest.fixture(scope="module")
def short_answers():
    """Random models never end an answer: here they are cut off after a few tokens."""
    from gemma_vision.evaluate import questions
    from gemma_vision.finetuning.learning import validation
    from gemma_vision.finetuning.results import scoring

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "MAX_TOKENS", 6)
        patch.setattr(validation, "MAX_TOKENS", 6)
        patch.setattr(scoring, "MAX_LINE_TOKENS", 6)
        yield
