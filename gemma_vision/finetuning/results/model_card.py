"""Model card: the README.md of a fine-tuned checkpoint. What it learned, and how well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gemma_vision.finetuning.results.scoring import Scores
from gemma_vision.registry.published import LICENCE

FIGURES = ("recall50", "recall75", "ap50", "mean_box_iou", "miou", "absent_empty")
TITLES = {"new": "Pictures put aside", "old": "What it knew before"}

CARD = """---
{front}
---

# {name}

`{base}` adapted to find {things}.

Learned from {learned} with {num_things}; {held} put aside and only asked about. {how}

{tables}
An object that is missed counts 0; everything greedy. The figures are of these pictures: pictures
from elsewhere may do worse.

## Use

```bash
python -m gemma_vision detect photo.jpg "{example}" --model FOLDER
```

## Made with

```bash
{command}
```

{minutes:g} minutes of learning, {steps} steps, on {device}.
{rehearsed}
Licence: {licence}.
"""


@dataclass(frozen=True)
class CardFacts:
    """What the card tells."""

    name: str
    base: str
    names: Sequence[str]
    num_learned: int
    num_things: int
    num_held: int
    is_adapter: bool
    rehearsed: str  # what of, "" for nothing
    command: str
    minutes: float
    steps: int
    device: str
    licence: str


def write_card(facts: CardFacts, before: Scores, after: Scores) -> str:
    """The card as Markdown, with front matter that the Hub reads."""
    how = (
        "Small matrices beside the large ones learned (LoRA); this folder loads over its base."
        if facts.is_adapter
        else "All of it learned, at small rates."
    )
    rehearsed = f"Old names were kept with {facts.rehearsed}.\n" if facts.rehearsed else ""
    held = f"{counted(facts.num_held, 'picture')} {'were' if facts.num_held > 1 else 'was'}"
    return CARD.format(
        front="\n".join(front_matter(facts)),
        name=facts.name,
        base=facts.base,
        things=listed(facts.names),
        learned=counted(facts.num_learned, "picture"),
        num_things=counted(facts.num_things, "thing"),
        held=held,
        how=how,
        tables="\n".join(table(kind, before[kind], after[kind]) for kind in after),
        example=" ; ".join(facts.names[:2]),
        command=facts.command,
        minutes=facts.minutes,
        steps=facts.steps,
        device=facts.device,
        rehearsed=rehearsed,
        licence="that of the base model" if facts.licence == LICENCE else facts.licence,
    )


def front_matter(facts: CardFacts) -> Iterator[str]:
    """What the Hub reads of a card; only its own models have a name there."""
    if "/" in facts.base:
        yield f"base_model: {facts.base}"
    yield f"license: {facts.licence.lower()}"
    if facts.is_adapter:
        yield "library_name: peft"
    yield "pipeline_tag: image-text-to-text"


def table(kind: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """One data set's figures, before and after."""
    sizes = f"{counted(after['n_images'], 'picture')}, {counted(after['n_objects'], 'thing')}"
    rows = [f"| {TITLES[kind]} ({sizes}) | before | after |", "|---|---|---|"]
    rows += [f"| {name} | {figure(before[name])} | {figure(after[name])} |" for name in FIGURES]
    return "\n".join(rows) + "\n"


def figure(value: float | None) -> str:
    """A figure to three places; a dash where nothing was asked."""
    return "\u2013" if value is None else f"{value:.3f}"


def counted(number: int, word: str) -> str:
    """3, "picture"  ->  "3 pictures" """
    return f"{number} {word}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """("a", "b", "c")  ->  "a, b and c" """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
