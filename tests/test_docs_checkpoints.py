"""docs/checkpoints.md says of the checkpoints what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gemma_vision.registry.loading import models
from gemma_vision.requests.options import LANGUAGES
from gemma_vision.requests.prompts import FAMILIES
from gemma_vision.requests.request import REGION
from gemma_vision.requests.variants import FINE_TUNES, MIX, PT, VERBS, Verb

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "checkpoints.md").read_text(encoding="utf-8")
FIELD = re.compile(r"\{(\w+)\}")


def table(first: str) -> list[list[str]]:
    """The cells of the table whose header begins with that word."""
    lines = PAGE.split(f"\n| {first} |", 1)[1].splitlines()[2:]
    rows = lines[: next((i for i, line in enumerate(lines) if not line.startswith("|")), None)]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def size(parameters: int) -> str:
    """In bfloat16.   2_923_466_480  ->  5.4 GiB"""
    num_bytes = 2 * parameters
    return f"{num_bytes / 2**30:.1f} GiB" if num_bytes > 2**29 else f"{num_bytes / 2**20:.0f} MiB"


def said(word: str) -> str:
    """As the page writes prompts.   caption {language}  ->  `caption LANGUAGE`"""
    return f"`{FIELD.sub(lambda found: found[1].upper(), word)}`"


def test_the_table_of_checkpoints_is_the_catalogue() -> None:
    expected = [
        [
            f"`{row['id']}`",
            FAMILIES[row["family"]].title,
            str(row["side"] or "any"),  # which keeps its shape
            f"{row['parameters']:,}",
            size(row["parameters"]),
            row["licence"],
            ", ".join(row["tasks"]),
        ]
        for row in models()
    ]
    assert table("id") == expected


def understood(verb: Verb, kind: str) -> str:
    return "reported" if kind in verb.reported else "yes" if kind in verb.variants else "no"


def option(verb: Verb) -> str:
    return "region=..." if verb.style == REGION else f'style="{verb.style}"'


def test_the_table_of_prompts_is_the_codes() -> None:
    expected = [
        [
            said(verb.wording),
            verb.gives,
            understood(verb, PT),
            understood(verb, MIX),
            f"`{verb.asked}`" + (f", `{option(verb)}`" if verb.style else ""),
        ]
        for verb in VERBS
    ]
    assert table("prompt") == expected


def test_the_table_of_fine_tunes_is_the_codes() -> None:
    expected = [
        [
            f"`{kind}`",
            tune.does,
            ", ".join(f"`{task}`: {said(word)}" for task, word in tune.prompts.items()),
            tune.hint,
        ]
        for kind, tune in FINE_TUNES.items()
    ]
    assert table("fine-tune") == expected


def test_every_language_is_named() -> None:
    assert f"{len(LANGUAGES)} languages can be asked for: {' '.join(LANGUAGES)}." in PAGE.replace(
        "\n", " "
    )


@pytest.mark.parametrize("folder", ["checkpoints", "weights", "requests/variants.py"])
def test_every_error_of_loading_is_told(folder: str) -> None:
    path = ROOT / "gemma_vision" / folder
    files = path.rglob("*.py") if path.is_dir() else [path]
    codes = {code for file in files for code in re.findall(r'"(E_[A-Z_]+)"', file.read_text())}
    assert not {code for code in codes if f"`{code}`" not in PAGE}
