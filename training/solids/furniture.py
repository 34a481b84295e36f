"""Furniture: models of rooms' and streets' things, each seen from many sides and in many lights.

Chosen by eye from libraries of one Debian package; a model is named after its library's file and
its own, as LIBRARY/FOLDER/MODEL. Those under "" have no name.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from training.solids.stage import SolidStage

FILE = Path(__file__).with_suffix(".json")
LIBRARIES = "usr/share/sweethome3d/furniture"
VIEWS, FEWEST, MOST = 60, 5, 20  # of a name, and of one of its models
OF_UNNAMED = 3  # views of a model without a name


def read_models() -> dict[str, list[str]]:
    """Name -> its models, as LIBRARY/FOLDER/MODEL."""
    listed: dict[str, list[str]] = json.loads(FILE.read_text("utf-8"))
    return listed


def unpack(package: Path) -> Path:
    """The models of an unpacked package's libraries, as files -> their folder."""
    place = package / "models"
    if not place.exists():
        draft = package / ".models.new"
        draft.mkdir(exist_ok=True)
        for library in sorted((package / LIBRARIES).glob("*.sh3f")):
            with zipfile.ZipFile(library) as archive:
                archive.extractall(draft)
        draft.rename(place)
    return place


def render_models(
    folder: Path, name: str, stage: SolidStage, *, is_fronted: bool
) -> Iterator[Image.Image]:
    """All views of all models of a name (or of ""), as `SolidStage.view` gives them.

    folder: of `unpack`. Raises FileNotFoundError.
    """
    models = read_models().get(name, [])
    views = min(MOST, max(FEWEST, VIEWS // len(models))) if name and models else OF_UNNAMED
    for model in models:
        library, _, path = model.partition("/")
        stage.show_file(folder / library.lower() / f"{path}.obj")
        rng = np.random.default_rng([*model.encode()])
        for _ in range(views):
            yield stage.view(rng, is_fronted=is_fronted)
