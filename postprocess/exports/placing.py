"""Placing: files of a form that has one for each picture, put where nobody else's are lost."""

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from postprocess.datasets.annotated import Annotated
from postprocess.datasets.files import ExportError


def place(
    write: Callable[[Iterable[Annotated], Path], list[Path]],
    pictures: Iterable[Annotated],
    folder: Path,
) -> list[Path]:
    """What `write` makes, in a folder; all of it or nothing.

    Raises ExportError where a file of that name is there already and says something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".") as apart:
        drafts = write(pictures, Path(apart))
        places = [folder / draft.relative_to(apart) for draft in drafts]
        pairs = list(zip(drafts, places, strict=True))
        if lost := [path for draft, path in pairs if is_other(draft, path)]:
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            message = f"{lost[0]}{more} would be lost, which says something else"
            raise ExportError(f"{message}; move that away, or name another folder with --out.")
        for draft, path in pairs:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.replace(path)
    return places


def is_other(draft: Path, path: Path) -> bool:
    """Whether something else than the draft is at its place."""
    return path.exists() and not (path.is_file() and path.read_bytes() == draft.read_bytes())
