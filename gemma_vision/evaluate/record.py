"""Results file: results kept in a file as they come, so that an evaluation can be gone on with.

A line of JSON each. The first says what was evaluated; a last line that was cut off by an
interruption is dropped.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.errors import describe_file_error
from gemma_vision.evaluate.dataset import DatasetError
from postprocess.datasets.files import write_text

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline

PROTOCOL = 3  # goes up when the questions or their comparison change
JSON = dict[str, Any]


class ResultsFile:
    """Results of one subject; `rows` has those known, by number. Without a path it forgets."""

    def __init__(self, path: Path | None, subject: JSON) -> None:
        self.path = path
        self.rows: dict[int, JSON] = {}
        if path is None:
            return
        lines = whole_lines(path)
        if lines and lines[0] != subject:
            raise DatasetError(
                f"{path} holds results of another checkpoint, data set or protocol; "
                "name another file, or delete this one."
            )
        self.rows = {int(line["number"]): line["result"] for line in lines[1:]}
        write_lines(path, [subject, *(line(number, row) for number, row in self.rows.items())])

    def add(self, number: int, row: JSON) -> None:
        """Keep one result; it is in the file when this returns.

        DatasetError where it cannot be written; those that were before it stay.
        """
        if self.path:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps(line(number, row))}\n")
            except OSError as error:
                error.filename = str(self.path)  # the system names none where a disk is full
                kept = f"Results in it: {len(self.rows)}; the same command goes on from them."
                raise DatasetError(f"{describe_file_error(error)} {kept}") from error
        self.rows[number] = row


def line(number: int, row: JSON) -> JSON:
    """A result as a line of the file."""
    return {"number": number, "result": row}


def subject_of(pipeline: Pipeline, *files: Path, **options: Any) -> JSON:
    """What results are about: those of equal subjects may be joined."""
    return {
        "model": pipeline.name,
        "policy": pipeline.policy,
        "tasks": [str(task) for task in pipeline.tasks],
        "files": [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
        "protocol": PROTOCOL,
        **options,
    }


def write_lines(path: Path, rows: list[JSON]) -> None:
    """Write the file anew, whole or not at all."""
    write_text(path, "".join(f"{json.dumps(row)}\n" for row in rows))


def whole_lines(path: Path) -> list[JSON]:
    """The lines of a record, without a last one that was cut off; none where there is no file."""
    if not path.exists():
        return []
    rows = []
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, text in enumerate(lines, 1):
        try:
            rows += [json.loads(text)] if text else []
        except json.JSONDecodeError as error:
            if number < len(lines):  # a whole line ends with a newline, so a cut one is the last
                raise DatasetError(f"{path} is no record: line {number} is damaged.") from error
    return rows
