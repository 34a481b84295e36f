"""Model card: the README.md of a fine-tuned checkpoint. What it learned, lost, and how well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gemma_vision.finetuning.results.scoring import NEW, OLD, Scores

FIGURES = (
    *("recall50", "recall75", "ap50", "mean_box_iou", "miou", "mask_in_box"),
    *("mask_in_box_mean_shape", "absent_empty", "lines_right"),
)
TITLES = {NEW: "Pictures put aside", OLD: "The drawings that it knew before"}

CARD = """---
{front}
---

# {name}

`{base}` adapted to {things}.

Learned from {learned} with {num_things}; {held} put aside and only asked about. {how}

{lost}{tables}
An object that is missed counts 0; everything greedy, computed in {dtype}, which other number types
answer a little otherwise than. The figures are of these pictures: pictures from elsewhere may do
worse.

## Name by name

{names}
{worst}## Use

```bash
gemma-vision {verb} photo.jpg {example} --model FOLDER
```

## Made with

```bash
{command}
```

{duration}, {steps} steps, on {device}, {date}, gemma-vision {version}. {kept}
Data `{fingerprint}`, settings `{settings}`.
{rehearsed}{licence}"""


@dataclass(frozen=True)
class CardFacts:
    """What the card tells.

    licence: "" where it is not known. rehearsed: a sentence for each thing that was kept in mind.
    worst: names of pictures of the worst cases, beside the card. fingerprint, settings: equal for
    equal data and options.
    """

    name: str
    base: str
    names: Sequence[str]
    num_learned: int
    num_things: int
    num_held: int
    is_adapter: bool
    command: str
    duration: str
    steps: int
    best_step: int
    device: str
    dtype: str
    date: str
    version: str
    fingerprint: str
    settings: str
    licence: str = ""
    hub_base: str = ""
    rehearsed: Sequence[str] = ()
    forgotten: Sequence[str] = ()
    unchecked: Sequence[str] = ()
    worst: Sequence[str] = ()
    lines: Mapping[str, int] = field(default_factory=dict)


def write_card(facts: CardFacts, before: Scores, after: Scores) -> str:
    """The card as Markdown, with front matter that the Hub reads."""
    how = (
        "Small matrices beside the large ones learned (LoRA); this folder loads over its base."
        if facts.is_adapter
        else "The model's own matrices learned."
    )
    verb, example = example_of(facts)
    return CARD.format(
        front="\n".join(front_matter(facts)),
        name=facts.name,
        base=facts.base,
        things=things_of(facts),
        learned=counted(facts.num_learned, "picture"),
        num_things=counted(facts.num_things, "thing"),
        held=f"{counted(facts.num_held, 'picture')} {'were' if facts.num_held > 1 else 'was'}",
        how=how,
        lost=lost_of(facts) + masks_of(after),
        tables="\n".join(table(title, before[title], after[title]) for title in after),
        names=name_table(before, after),
        worst=worst_of(facts),
        verb=verb,
        example=example,
        command=facts.command,
        duration=facts.duration,
        steps=facts.steps,
        kept=best_state_of(facts),
        device=facts.device,
        date=facts.date,
        version=facts.version,
        dtype=facts.dtype,
        fingerprint=facts.fingerprint,
        settings=facts.settings,
        rehearsed="".join(f"{one}\n" for one in facts.rehearsed),
        licence=f"\nLicence: {facts.licence}.\n" if facts.licence else "",
    )


def things_of(facts: CardFacts) -> str:
    """ "find a, b and c", "answer 12 lines of caption", or both."""
    parts = [f"find {listed(facts.names)}"] if facts.names else []
    if facts.lines:
        kinds = [f"{number} of {kind}" for kind, number in facts.lines.items()]
        parts.append(f"answer lines as they were written ({', '.join(kinds)})")
    return listed(parts)


def example_of(facts: CardFacts) -> tuple[str, str]:
    """A command to try, and its words."""
    if facts.names:
        return "detect", f'"{" ; ".join(facts.names[:2])}"'
    return "free", f'"{next(iter(facts.lines), "caption en")}"'


def lost_of(facts: CardFacts) -> str:
    """What was forgotten, before anything else."""
    parts = []
    if facts.forgotten:
        parts.append(
            f"**Forgotten: {listed(facts.forgotten)}.** Known before, and hardly found any more; "
            "the figures are below."
        )
    if facts.unchecked:
        parts.append(
            f"**Not asked about: {listed(facts.unchecked)}.** The base was taught these names, and "
            "their pictures were not there to be rehearsed or asked about; they may be lost."
        )
    return "".join(f"{part}\n\n" for part in parts)


def masks_of(after: Scores) -> str:
    """That masks are not yet as good as a fixed shape for each name would be, where it is so."""
    scores = after.get(NEW, {})
    own, fixed = scores.get("mask_in_box"), scores.get("mask_in_box_mean_shape")
    if own is None or fixed is None or own >= fixed:
        return ""
    return (
        f"**Masks are not yet of use**: inside the true box their IoU is {own:.3f}, that of the "
        f"mean shape of each name would be {fixed:.3f}. Boxes come first; learn longer.\n\n"
    )


def best_state_of(facts: CardFacts) -> str:
    """Which state the folder holds."""
    if facts.best_step in (0, facts.steps):
        return "The last state is kept."
    return f"The state of step {facts.best_step} is kept, the best on the pictures put aside."


def worst_of(facts: CardFacts) -> str:
    """The worst cases as pictures, truth and answer."""
    if not facts.worst:
        return ""
    rows = [f"![{name}](worst/{name})" for name in facts.worst]
    return "## Worst cases\n\nThe truth on the left, the answer on the right.\n\n" + (
        "\n".join(f"{a} {b}\n" for a, b in zip(rows[1::2], rows[::2], strict=False)) + "\n"
    )


def front_matter(facts: CardFacts) -> Iterator[str]:
    """What the Hub reads of a card; only its own models have a name there."""
    if facts.hub_base:
        yield f"base_model: {facts.hub_base}"
        yield f"base_model_relation: {'adapter' if facts.is_adapter else 'finetune'}"
    if facts.licence:
        yield f"license: {facts.licence.lower()}"
    if facts.is_adapter:
        yield "library_name: peft"
    yield "pipeline_tag: image-text-to-text"
    yield "tags: [gemma-vision, object-detection]"


def table(title: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """One data set's figures, before and after."""
    sizes = f"{counted(after['n_images'], 'picture')}, {counted(after['n_objects'], 'thing')}"
    said = TITLES.get(title, f"{title}, learned before")
    rows = [f"| {said} ({sizes}) | before | after |", "|---|---|---|"]
    rows += [
        f"| {name} | {figure(before.get(name))} | {figure(after[name])} |"
        for name in FIGURES
        if name in after
    ]
    return "\n".join(rows) + "\n"


def name_table(before: Scores, after: Scores) -> str:
    """Each name's own figures."""
    rows = ["| name | things | recall50 before | after | mask IoU after |", "|---|---|---|---|---|"]
    for title, scores in after.items():
        for name, row in scores["names"].items():
            was = before.get(title, {}).get("names", {}).get(name, {})
            rows.append(
                f"| {name} | {row['things']} | {figure(was.get('recall50'))} | "
                f"{figure(row['recall50'])} | {figure(row['miou'])} |"
            )
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
