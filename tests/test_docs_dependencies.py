"""docs/dependencies.md has one line for each dependency that a file names, and none for others."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
PAGE = (ROOT / "docs" / "dependencies.md").read_text("utf-8")


def name_of(requirement: str) -> str:
    """ruff==0.17.6  ->  ruff"""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def rows(title: str) -> list[str]:
    """The packages of a section's table."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| *([^| ]+) *\|", section, re.MULTILINE)
    return [name for name in found if not name.startswith("---") and name != "package"]


def test_every_dependency_of_the_program_has_its_line() -> None:
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    named = [name_of(line) for line in lines if not line.startswith("#")]
    assert sorted(rows("To run")) == sorted(named)


def test_every_extra_has_its_line() -> None:
    named = {name_of(one) for extra, own in EXTRAS.items() if extra != "dev" for one in own}
    assert sorted(rows("Extras")) == sorted(named)


def test_every_tool_has_its_line() -> None:
    npm = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    build = [name_of(one) for one in PROJECT["build-system"]["requires"]]
    python = {name_of(one) for one in EXTRAS["dev"]} - set(rows("Extras"))
    assert sorted(rows("To develop")) == sorted([*python, *build, *npm])
