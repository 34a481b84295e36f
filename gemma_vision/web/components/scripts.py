"""Scripts: the modules of a component's script as one text, which Gradio runs as one function.

For node, the linter and the type checker each file is a module that names what it uses and what it
gives. On the page the files of a component share a scope: there nothing is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import (?:[^;"]* from )?"\./([\w/]+\.js)";\n', re.MULTILINE)
COMMENT = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n|^ *//[^\n]*\n", re.MULTILINE | re.DOTALL)
EXPORT = re.compile(r"^export (?=async |class |const |function |let )", re.MULTILINE)


@cache
def join_scripts(*names: str) -> str:
    """The files of those names beside this one behind all that they import, each file once."""
    return "\n".join(body(name) for name in in_order(names))


@cache
def join_more(*names: str, before: tuple[str, ...]) -> str:
    """The same without the files that are in a script already, which runs `before` them."""
    there = set(in_order(before))
    return "\n".join(body(name) for name in in_order(names) if name not in there)


def in_order(names: Iterable[str]) -> list[str]:
    """Files in the order in which a browser would run them as modules: what is imported first."""
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys(in_order(imports(name)))
        found[name] = None
    return list(found)


def imports(name: str) -> list[str]:
    """The files that a file imports, named from here as it is itself."""
    found = IMPORT.findall((HERE / name).read_text("utf-8"))
    return [(PurePosixPath(name).parent / one).as_posix() for one in found]


def body(name: str) -> str:
    """What a file does, without the words that make it a module and what is for its readers."""
    text = IMPORT.sub("", (HERE / name).read_text("utf-8"))
    return COMMENT.sub("", EXPORT.sub("", text))
