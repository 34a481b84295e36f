"""The README: every verb, every endpoint and every page of the documentation is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gemma_vision.cli.arguments import COMMANDS

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
