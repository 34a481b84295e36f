"""Columns: a table of texts in each language of the page.

A table's rows have English and Japanese, those of tasks and options every language; the other texts
of the other languages have a file each beside this one.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

Table = dict[str, dict[str, str]]  # key -> language -> text

FOLDER = Path(__file__).parent / "languages"
LANGUAGES = ("en", "ja", "fr", "de", "es", "pt", "ko", "zh")  # as Gradio calls their locales


def in_language(name: str, table: Table, language: str) -> dict[str, str]:
    """One column of the table of that name; English where a translation is missing."""
    own = read_language(language).get(name, {})
    return {key: own.get(key) or row.get(language, row["en"]) for key, row in table.items()}


@cache
def read_language(language: str) -> dict[str, dict[str, str]]:
    """The texts of a language's file by table and key; none where it has no file."""
    path = FOLDER / f"{language}.json"
    if not path.is_file():
        return {}
    texts: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8"))
    return texts
