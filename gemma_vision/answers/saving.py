"""Saving: an answer as a file, of the kind that its suffix means, or as the files of a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.images.opening import ADDRESS
from gemma_vision.requests.tasks import TASKS
from gemma_vision.requests.validation import TaskError, excerpt
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    from gemma_vision.requests.request import Request
    from postprocess.exports import Annotated
    from postprocess.instances import Instance

ANSWER = "answer"  # the answer's own JSON
OVERLAY = "overlay"
UNNAMED = "answer.png"  # what data sets call a picture that came from no file
# The kinds that are one file, and how it ends. A suffix means the first kind that has it; the other
# kinds of `postprocess.EXPORTERS` are folders.
FILES: Mapping[str, tuple[str, ...]] = {
    OVERLAY: (".png", ".jpg", ".jpeg", ".webp"),
    ANSWER: (".json",),
    "csv": (".csv",),
    "svg": (".svg",),
    "voc": (".xml",),
    "paligemma": (".jsonl",),
    "coco": (".json",),
    "labelme": (".json",),
}
CODE = "E_KIND"


def save_answer(
    path: Path,
    kind: str | None,
    picture: Annotated,
    whole: Mapping[str, Any],
    asked: Iterable[str | None] = (),
) -> list[Path]:
    """Write what `path` and `kind` say and give the files that were written.

    picture: what was found in which picture. whole: the answer's JSON. asked: the files of the
    pictures that it is about. Raises TaskError (E_KIND) for what cannot be written, and names what
    can, and E_TARGET for one of those files and for an address.
    """
    from postprocess.exports import EXPORTERS

    check_no_address(path)
    check_no_source(path, asked)
    suffix = path.suffix.lower()
    kind = kind.strip().lower() if isinstance(kind, str) else kind
    if kind is not None and kind not in (ANSWER, *EXPORTERS):
        known = ", ".join([ANSWER, *EXPORTERS])
        raise TaskError(f"{excerpt(kind)} cannot be written; take one of {known}.", CODE)
    if path.is_dir() or not suffix:
        return save_folder(path, kind, picture)
    kind = kind or kind_of(path)
    check_suffix(path, kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == ANSWER:
        from postprocess.datasets.files import write_json

        return [write_json(path, whole)]
    if kind == OVERLAY:
        return [save_overlay(path, picture)]
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        *_, written = EXPORTERS[kind]([picture], Path(folder))  # words come behind things
        return [written.replace(path)]


def check_no_address(path: Path) -> None:
    """Refuse an address, which as a path names folders that nobody meant."""
    if found := ADDRESS.match(str(path)):
        address = f"{found['scheme']}://{found['rest']}"  # of which a Path has lost a slash
        message = (
            f"{address} is an address; nothing is sent. Name a file or folder of this machine."
        )
        raise TaskError(message, "E_TARGET")


def check_no_source(path: Path, files: Iterable[str | None]) -> None:
    """Refuse to write over a picture that was asked about, by whatever name it goes."""
    if any(file is not None and is_same_file(path, file) for file in files):
        message = f"{path} is the picture itself, which would be lost; name another file."
        raise TaskError(message, "E_TARGET")


def file_of(picture: Any) -> str | None:
    """The file that a picture is or was opened from; None where nobody knows of one."""
    if isinstance(picture, (str, os.PathLike)):
        return str(expanded(picture))
    opened: Any = getattr(picture, "filename", None) or getattr(picture, "name", None)
    is_name = isinstance(opened, (str, os.PathLike))  # that of standard input is "<stdin>"
    return os.fsdecode(opened) if is_name and os.path.isfile(opened) else None


def is_same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two names are of one file that is there, links included."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def find_words(
    request: Request | None, instances: Sequence[Instance], prompt: str | None, plain: str
) -> tuple[str, str] | None:
    """The prompt and what an answer says, as data sets take them; None where it is about things."""
    if request is None or TASKS[request.task].names_things or instances or not plain.strip():
        return None
    return prompt or "", plain


def save_folder(path: Path, kind: str | None, picture: Annotated) -> list[Path]:
    """The files of a kind in a folder, named as its exporter does."""
    from postprocess.exports import EXPORTERS

    if kind is None:
        message = f"{path} has no suffix that says what to write. {what_there_is()}"
        raise TaskError(message, CODE)
    if kind == ANSWER:
        message = f"The answer's JSON is one file; name it, for example {path / 'answer.json'}."
        raise TaskError(message, CODE)
    return EXPORTERS[kind]([picture], path)


def save_overlay(path: Path, picture: Annotated) -> Path:
    """The picture with its things drawn on it, in the format of the suffix."""
    from postprocess.datasets.files import write_image
    from postprocess.overlay import draw

    # each format takes the setting that it knows: PNG the first, the others the second
    drawn = draw(picture.pixels, picture.instances)
    return write_image(path, drawn, compress_level=1, quality=92)


def kind_of(path: Path) -> str:
    """What the suffix of a file means; TaskError where it means nothing."""
    for kind, suffixes in FILES.items():
        if path.suffix.lower() in suffixes:
            return kind
    message = f"{path.name} does not say what to write. {what_there_is()}"
    raise TaskError(message, CODE)


def check_suffix(path: Path, kind: str) -> None:
    """Refuse a file that could not hold a kind, or that would have to be several."""
    suffixes = FILES.get(kind, ())
    if not suffixes:
        message = f"{kind} is several files; name a folder, for example {path.with_suffix('')}."
        raise TaskError(message, CODE)
    if path.suffix.lower() not in suffixes:
        message = f"{kind} is written as {' or '.join(suffixes)}; {path.name} ends otherwise."
        raise TaskError(message, CODE)


def what_there_is() -> str:
    """What a suffix or a kind may be, in two sentences."""
    from postprocess.exports import EXPORTERS

    suffixes = dict.fromkeys(suffix for ends in FILES.values() for suffix in ends)
    kinds = ", ".join([ANSWER, *EXPORTERS])
    return f"Take a file that ends in {', '.join(suffixes)}, or a folder and a kind of {kinds}."
