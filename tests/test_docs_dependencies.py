"""docs/dependencies.md has one line for each dependency that a file names, and none for others.

And the files agree: the exact versions lie in the ranges, the table of extras is pyproject's.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gemma_vision.extras import EXTRAS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RANGES = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
OPTIONAL = {
    extra: [Requirement(line) for line in lines]
    for extra, lines in PROJECT["project"]["optional-dependencies"].items()
}
FOR_USERS = {extra: lines for extra, lines in OPTIONAL.items() if extra != "dev"}
PINS = {
    one.name: one
    for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for one in [Requirement(line)]
}
PAGE = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
MODULES = {
    "pillow-heif": "pillow_heif",
    "cvat-sdk": "cvat_sdk",
}  # where a package is imported by another name


def section(title: str) -> str:
    """What stands under a title of the page."""
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[str]:
    """The packages of a section's table."""
    found = re.findall(r"^\| *([^| ]+) *\|", section(title), re.MULTILINE)
    return [name for name in found if not name.startswith("---") and name != "package"]


def exact(pin: Requirement) -> str:
    """The version of a line that allows no other."""
    (one,) = pin.specifier
    assert one.operator == "==", f"{pin} is not exact"
    return one.version


def test_every_dependency_of_the_program_has_its_line() -> None:
    assert sorted(rows("To run")) == sorted(one.name for one in RANGES)


def test_every_extra_has_its_line() -> None:
    stated = {
        (name, extra)
        for name, extras in re.findall(
            r"^\| (\S+) \| (`[^|]+`) \|", section("Extras"), re.MULTILINE
        )
        for extra in re.findall(r"`(\w+)`", extras)
    }
    assert stated == {(one.name, extra) for extra, lines in FOR_USERS.items() for one in lines}
    assert len(rows("Extras")) == len({name for name, _ in stated})


def test_every_tool_has_its_line() -> None:
    npm = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    build = [Requirement(one).name for one in PROJECT["build-system"]["requires"]]
    python = {one.name for one in OPTIONAL["dev"]} - set(rows("Extras"))
    assert sorted(rows("To develop")) == sorted([*python, *build, *npm])


def test_the_program_asks_for_ranges_and_spaces_get_exact_versions() -> None:
    wanted = [*RANGES, *OPTIONAL["app"], *OPTIONAL["finetune"], *OPTIONAL["spread"]]
    assert sorted(PINS) == sorted({one.name for one in wanted})
    for one in wanted:
        assert not any(part.operator == "==" for part in one.specifier), one
        assert one.specifier.contains(exact(PINS[one.name])), one


@pytest.mark.parametrize("extra", ["tune", "mcp", "ray", "cvat"])
def test_what_tests_install_lies_in_the_ranges(extra: str) -> None:
    tools = {one.name: one for one in OPTIONAL["dev"]} | PINS
    for one in OPTIONAL[extra]:
        assert one.specifier.contains(exact(tools[one.name])), one


def test_the_table_of_refusals_is_that_of_the_extras() -> None:
    brought = {
        extra: {MODULES.get(one.name, one.name) for one in lines}
        for extra, lines in FOR_USERS.items()
        if extra != "bench"
    }
    assert {extra: set(one.modules) for extra, one in EXTRAS.items()} == brought


LOCK = (ROOT / "requirements.lock").read_text("utf-8")
LOCKED = dict(re.findall(r"^([a-z0-9][\w.-]*)==([^ ;\\]+)", LOCK, re.MULTILINE))


def test_the_lock_has_the_exact_versions_and_a_hash_for_each() -> None:
    assert {name: LOCKED.get(name) for name in PINS} == {n: exact(p) for n, p in PINS.items()}
    blocks = re.split(r"\n(?=[a-z])", LOCK)
    assert len(blocks) == len(LOCKED) and all("--hash=sha256:" in block for block in blocks)


def test_every_locked_package_has_its_licence() -> None:
    page = (ROOT / "docs" / "licences.md").read_text("utf-8")
    assert not [name for name in LOCKED if not re.search(rf"[|,:] {re.escape(name)}[ ,.]", page)]
    assert "see its own page" not in page
