"""Loose JSON: what models write when they mean JSON -> Python values. Nothing raises.

Single quotes, trailing commas, comments, bare words, Python's literals and tuples, quotes inside
strings, and texts that are cut.
"""

import json
import re
from typing import Any

_MAX_DEPTH = 50
_MAX_DIGITS = 18  # a longer number is a text
_LITERALS = {"true": True, "false": False, "null": None, "none": None}
_CLOSES = r"(?=\s{0,20}(?:[,:}\])]|//|/\*|\Z))"  # what follows a quote that ends a string
_TOKEN = re.compile(
    r"(?P<comment>//[^\r\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<open>[{\[(])|(?P<close>[}\])])|(?P<between>[,:])"
    rf'|"(?P<double>(?:[^"\\]|\\.|"(?!{_CLOSES}))*)(?:"|\Z)'
    rf"|'(?P<single>(?:[^'\\]|\\.|'(?!{_CLOSES}))*)(?:'|\Z)"
    r"|(?P<word>[^\s{}\[\](),:\"']+)",
    re.DOTALL,
)
_IS_ESCAPED = re.compile(r"[{\[(\s]*\\+[\"']")
_ESCAPE = re.compile(r"\\(?:n|r|t|(.))", re.DOTALL)


def read_loosely(text: str) -> Any:
    """The value that a text means, as far as it goes; None for none.

    A number at the very end of a cut text is left out: it may go on.
    """
    if _IS_ESCAPED.match(text):
        text = _ESCAPE.sub(lambda match: match[1] or " ", text)
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return _read_tokens(text)


class _Open:
    """A list or a dict that is being filled; a dict takes keys and values in turns."""

    def __init__(self, value: list[Any] | dict[str, Any]) -> None:
        self.value = value
        self.key: str | None = None

    def put(self, item: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(item)
        elif self.key is None:
            self.key = str(item)
        else:
            self.value[self.key] = item
            self.key = None


def _read_tokens(text: str) -> Any:
    root: list[Any] = []
    stack = [_Open(root)]
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            if len(stack) > _MAX_DEPTH:
                return None
            child: list[Any] | dict[str, Any] = {} if match[0] == "{" else []
            stack[-1].put(child)
            stack.append(_Open(child))
        elif kind == "close":
            del stack[max(1, len(stack) - 1) :]
        elif kind == "word" and match.end() == len(text) and len(stack) > 1:
            break  # cut: it may go on
        elif kind in ("double", "single", "word"):
            stack[-1].put(_value(kind, match[kind]))
    return root[0] if root else None


def _value(kind: str, text: str) -> Any:
    if kind != "word":
        return _unescaped(text)
    if text.lower() in _LITERALS:
        return _LITERALS[text.lower()]
    if len(text) > _MAX_DIGITS:
        return text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _unescaped(text: str) -> str:
    """A string's escapes read as JSON does, where they are sound."""
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return _ESCAPE.sub(lambda match: match[1] or " ", text)
