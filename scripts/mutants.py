"""Mutants: single changes of the code, each of which a test has to notice.

`python scripts/mutants.py [WORD ...]` makes every change of `mutants.toml` whose name holds one of
the words, in a copy of the repository, and runs the tests that stand beside it. Printed are those
that no test noticed, and those whose place in the code is no longer there; either ends with 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_suffix(".toml")
LINKED = (".venv", "node_modules")
SECONDS = 600  # for the tests of one change; one that hangs is noticed too
NOTICED, FAILED, NOTHING_RUN = "noticed", 1, 5


@dataclass(frozen=True)
class Mutant:
    """One change: the text `before` in `file` becomes `after`; `tests` are to notice it."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


def read_table(path: Path = TABLE) -> list[Mutant]:
    """Every change of the table."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["change"]
    return [Mutant(**row | {"tests": tuple(row["tests"])}) for row in rows]


def copy_repository(folder: Path) -> None:
    """The tracked files as they lie here, and what is installed as links."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
            shutil.copymode(ROOT / name, folder / name)
    for name in LINKED:
        if (ROOT / name).exists():
            (folder / name).symlink_to((ROOT / name).resolve())


def try_mutant(mutant: Mutant, folder: Path) -> str:
    """Make the change, run its tests, take it back -> "noticed", or what is wrong."""
    path = folder / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.before) != 1:
        return f"its place is there {text.count(mutant.before)} times"
    path.write_text(text.replace(mutant.before, mutant.after), encoding="utf-8")
    try:
        return run_tests(mutant.tests, folder)
    finally:
        path.write_text(text, encoding="utf-8")


def run_tests(tests: Sequence[str], folder: Path) -> str:
    """Whether one of these fails on the copy."""
    given = os.environ.get("GEMMA_VISION_REFERENCE", "../shared/reference")
    own = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    own |= {"GEMMA_VISION_REFERENCE": str((ROOT / given).resolve())}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(
            command, cwd=folder, env=os.environ | own, capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return NOTICED
    if ended.returncode == FAILED:
        return NOTICED
    last = ended.stdout.decode(errors="replace").strip().splitlines()[-1:]
    return f"no test noticed it ({' '.join(last)})" if ended.returncode == 0 else " ".join(last)


def main(words: Sequence[str]) -> int:
    """Try them all, or those named; 1 where one was not noticed."""
    mutants = [one for one in read_table() if not words or any(w in one.name for w in words)]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="gemma-vision-mutants-") as name:
        folder = Path(name)
        copy_repository(folder)
        for mutant in mutants:
            began = time.monotonic()
            outcome = try_mutant(mutant, folder)
            survivors += outcome != NOTICED
            print(f"{time.monotonic() - began:6.1f} s  {mutant.name}: {outcome}", flush=True)
    print(f"{len(mutants) - survivors} of {len(mutants)} changes were noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
