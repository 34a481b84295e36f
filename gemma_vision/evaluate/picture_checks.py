"""Picture checks: every picture opened before the first is asked about, so that none ends a run."""

from __future__ import annotations

from collections.abc import Iterable

from gemma_vision.evaluate.dataset import DatasetError, Scene, check_picture_size
from gemma_vision.images.opening import ImageError, open_image

MOST_NAMED = 3  # pictures that a sentence names; the others are counted


def picture_fault(scene: Scene) -> str | None:
    """What is wrong with a picture's file: it is none, or of another size than was said."""
    try:
        check_picture_size(scene, open_image(scene.path).size)
    except (ImageError, DatasetError) as error:
        return str(error)
    return None


def check_pictures(scenes: Iterable[Scene]) -> None:
    """Refuse pictures that could not be asked about: DatasetError, before any was."""
    faults = list(filter(None, map(picture_fault, scenes)))
    if faults:
        more = len(faults) - MOST_NAMED
        rest = [f"And {more} more of the kind."] if more > 0 else []
        remedy = "Mend the files, or take them out of the annotations; nothing was asked yet."
        raise DatasetError(" ".join([*faults[:MOST_NAMED], *rest, remedy]))
