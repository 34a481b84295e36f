"""Unfinished runs: what was done of many pictures, so that the same command goes on there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gemma_vision.cli.saving import place
from gemma_vision.cli.writing import complain
from gemma_vision.errors import describe_file_error

UNFINISHED = ".unfinished.jsonl"
UNNOTED = "Files are written, but a run that is ended now begins anew."
JSON = dict[str, Any]


class UnfinishedRun:
    """What a run over many pictures has done, so that the same command goes on where it was ended.

    folder: where its files go; without one nothing is kept. asked: what tells one command from
    another, as JSON. A line of a hidden file there has a picture's answer, once all of its files
    are written; nothing is left of a run that came to its end.
    """

    def __init__(self, folder: Path | None, asked: Any) -> None:
        self._path = None if folder is None else folder / UNFINISHED
        self._run = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        self._done: dict[str, JSON] = {}
        self._is_told = False
        if self._path is not None and self._path.is_file():
            for line in self._path.read_text("utf-8", "replace").splitlines():
                self._take(line)

    def answer_to(self, path: str) -> JSON | None:
        """The answer to a picture that was done, whose bytes and files are as they were."""
        row = self._done.get(self._name(path)) if self._done else None
        return None if row is None or not all(map(os.path.isfile, row["files"])) else row["answer"]

    def add(self, path: str, answer: JSON, files: Sequence[Path]) -> None:
        """A picture is done. Where that cannot be noted it is told once, and the run goes on."""
        if self._path is None:
            return
        row = {"run": self._run, "picture": self._name(path), "answer": answer}
        row["files"] = [os.path.abspath(file) for file in files]
        try:
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(f"\n{json.dumps(row)}")  # behind half a line, where one was cut off
                lines.flush()
                os.fsync(lines.fileno())
        except OSError as error:
            if not self._is_told:
                complain(f"{describe_file_error(error)} {UNNOTED}")
            self._is_told = True

    def end(self) -> None:
        """All pictures were gone through."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _take(self, line: str) -> None:
        try:
            row = json.loads(line)
        except ValueError:
            return  # cut off, or the empty line before the first
        if isinstance(row, dict) and row.get("run") == self._run:
            self._done[row["picture"]] = row

    def _name(self, path: str) -> str:
        """A picture by where it is and by its bytes."""
        try:
            with open(path, "rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError):
            content = ""
        return f"{content} {place(path)}"
