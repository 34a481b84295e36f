"""Summary: an answer in a line, for consoles and notebooks: labels and numbers, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from postprocess.instances import Instance

MAX_NAMED = 6  # things that are named, the first ones
MAX_LABEL = 30  # characters of a label
STAGES = ("encode", "prefill", "decode")


def summarize(
    instances: Sequence[Instance], plain: str, finish: str | None, timing: Mapping[str, float]
) -> str:
    """Answer: 2 things (cat 0.93, dog 0.88), stop, 0.14 s

    Words outside things are counted and never shown.
    """
    parts = [count_things(instances)] if instances else []
    if words := len(plain.split()):
        parts.append(f"{words} word" + "s" * (words != 1))
    parts = parts or ["nothing found"]
    if measured := [timing[stage] for stage in STAGES if stage in timing]:
        return f"Answer: {', '.join([*parts, finish or 'growing', f'{sum(measured):.2f} s'])}"
    return f"Answer: {', '.join([*parts, finish or 'growing'])}"


def count_things(instances: Sequence[Instance]) -> str:
    """8 things (cat 0.93, dog 0.88, ...)"""
    named = [describe(instance) for instance in instances[:MAX_NAMED]]
    more = ["..."] if len(instances) > MAX_NAMED else []
    things = "1 thing" if len(instances) == 1 else f"{len(instances)} things"
    return f"{things} ({', '.join([*named, *more])})"


def describe(instance: Instance) -> str:
    """A label on one line, cut where it is long, and its score where it has one: cat 0.93"""
    label = " ".join(instance.label.split()) or "?"
    short = label if len(label) <= MAX_LABEL else f"{label[:MAX_LABEL]}..."
    return short if instance.score is None else f"{short} {instance.score:.2f}"
