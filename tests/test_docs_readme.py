"""The README: every verb, every endpoint and every page of the documentation is in it."""

from __future__ import annotations

import ast
import importlib
import json
import re
from pathlib import Path

import pytest

from gemma_vision.cli.arguments import COMMANDS
from gemma_vision.requests.tasks import FORM_TASKS, PARSE

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
ENDPOINTS = json.loads((ROOT / "tests/data/info_snapshot.json").read_text("utf-8"))


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_a_row(verb: str) -> None:
    assert re.search(rf"^\| `{verb}` \| .+ \| .+ \|$", README, re.MULTILINE)


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "/choose"])
def test_every_endpoint_is_named(endpoint: str) -> None:
    assert f"`{endpoint}`" in README


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_every_page_is_linked(page: str) -> None:
    assert f"](docs/{page})" in README


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)[^)]*\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_what_a_page_imports_of_ours_is_there(page: Path) -> None:
    for block in re.findall(r"```python[^\n]*\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for part in ast.walk(ast.parse(block)):
            if isinstance(part, ast.ImportFrom) and str(part.module).startswith("gemma_vision"):
                home = importlib.import_module(str(part.module))
                assert all(hasattr(home, one.name) for one in part.names), ast.unparse(part)


def test_the_tools_of_mcp_are_named() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    (told,) = re.findall(r"Its tools are (.*?), as far", page)
    assert re.findall(r"`(\w+)`", told) == [*FORM_TASKS, PARSE]


def test_a_number_stands_in_the_table_of_options_as_one() -> None:
    (row,) = re.findall(r"^\| `budget` \| .*", (ROOT / "docs" / "api.md").read_text("utf-8"), re.M)
    assert "| 70, 140, 280, 560, 1120 |" in row
