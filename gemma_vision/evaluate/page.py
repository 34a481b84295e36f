"""Page: tables and drawn cases as one HTML page. Knows nothing of what is evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from PIL import Image

from gemma_vision.errors import describe_file_error
from gemma_vision.evaluate.dataset import DatasetError
from gemma_vision.images.opening import open_image
from postprocess.datasets.files import safe_name, write_image, write_text
from postprocess.errors import UserError
from postprocess.instances import Instance
from postprocess.overlay import draw
from postprocess.user_paths import expanded

WORST = 12  # cases of each kind that a page shows
WIDTH = 480  # pixels of a drawn case, at most

UNWRITTEN = "The scores stand; only the report of --report is not whole."
PAGE_NAME = "index.html"
GENERATOR = '<meta name="generator" content="gemma-vision eval">'
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
{generator}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto }}
body {{ padding: 0 1rem }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
td, th {{ padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #8884 }}
td:first-child, th:first-child {{ text-align: left }}
figure {{ margin: 1.5rem 0; display: grid; grid-template-columns: 1fr 1fr; gap: .5rem }}
figure img {{ width: 100%; height: auto }}
figcaption {{ grid-column: 1 / -1 }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


class ReportError(UserError):
    """A page that could not be written once everything was scored; `scores` has the table."""

    CODE = "E_REPORT"

    def __init__(self, message: str, scores: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.scores = scores or {}


def write_page(title: str, parts: Iterable[str], folder: Path) -> Path:
    """Write `index.html` into a folder, parts one below the other, and give its path."""
    text = PAGE.format(title=escape(title), generator=GENERATOR, body="\n".join(parts))
    return write_text(folder / PAGE_NAME, text)


@contextmanager
def keeping(scores: dict[str, Any]) -> Iterator[None]:
    """ReportError, which has the scores, where their page cannot be written after all."""
    try:
        yield
    except OSError as error:
        raise ReportError(f"{describe_file_error(error)} {UNWRITTEN}", scores) from error


def check_page_folder(report: str | Path | None) -> Path | None:
    """The folder for a page, made where it is not there.

    DatasetError where the page that is there is somebody's own; OSError where nothing can be
    written into it: a page comes last, and what was scored would be lost.
    """
    if not report:
        return None
    folder = expanded(report)
    page = folder / PAGE_NAME
    if page.exists() and not (page.is_file() and GENERATOR.encode() in page.read_bytes()):
        message = f"{page} would be lost, which is no report of an evaluation"
        raise DatasetError(f"{message}; name another folder with --report.")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):
        return folder


def table(heads: Sequence[str], rows: Any) -> str:
    """Rows as an HTML table."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = ["".join(f"<td>{cell(value)}</td>" for value in row) for row in rows]
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def cell(value: Any) -> str:
    """A value as a reader wants it: three places, a dash for none."""
    if value is None:
        return "\u2013"
    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))


def figure(
    picture: Path, truth: Sequence[Instance], found: Sequence[Instance], said: str, stem: Path
) -> str:
    """Truth and answer side by side, saved as two JPEG files named after the stem."""
    name = safe_name(stem.name, "case")  # it holds an id, and an id can be anything
    image = open_image(picture)
    shown = []
    for side, instances in (("truth", truth), ("answer", found)):
        drawn = draw(image, instances, boxes=any(one.mask is None for one in instances))
        drawn.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
        path = stem.parent / f"{name}-{side}.jpg"
        write_image(path, drawn, quality=88)
        shown.append(f'<img src="{path.name}" alt="{side}" loading="lazy">')
    return f"<figure>{''.join(shown)}<figcaption>{escape(said)}</figcaption></figure>"
