"""English: the forms of a name, one, several, with an article."""

from __future__ import annotations

from collections.abc import Iterator

IRREGULAR = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "goose": "geese",
    "foot": "feet",
    "tooth": "teeth",
    "ox": "oxen",
    "fish": "fish",
    "sheep": "sheep",
    "cactus": "cacti",
    "knife": "knives",
    "tomato": "tomatoes",
    "potato": "potatoes",
}
PLURAL_ALREADY = ("skis", "scissors", "grapes", "cherries", "glasses")


def plural(name: str) -> str:
    """The form that means several.   bus  ->  buses"""
    if name in PLURAL_ALREADY:
        return name
    if name in IRREGULAR:
        return IRREGULAR[name]
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"


def with_article(name: str) -> str:
    """apple  ->  an apple"""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def plurals(name: str) -> Iterator[str]:
    """Forms of a name that mean several, right and nearly right.   cactus  ->  cactuses, cacti"""
    head, last = name[: name.rfind(" ") + 1], name[name.rfind(" ") + 1 :]
    if last.lower() in IRREGULAR:
        yield head + IRREGULAR[last.lower()]
    yield from (f"{name}s", f"{name}es")
    for end, other in (("y", "ies"), ("f", "ves"), ("fe", "ves"), ("us", "i"), ("man", "men")):
        if last.endswith(end):
            yield name.removesuffix(end) + other


def singulars(name: str) -> Iterator[str]:
    """Forms of a name that mean one, where the name means several.   cats  ->  cat"""
    for end, other in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", "")):
        if name.endswith(end) and not name.endswith("ss") and len(name) > len(end) + 2:
            yield name.removesuffix(end) + other
