"""Label names: the labels of somebody's project as the names that a checkpoint is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gemma_vision.requests.interpretation.names import UnknownNameError, read_names


@dataclass(frozen=True)
class LabelNames:
    """What is asked for the labels of a project, and whose each name is.

    names: what the model is asked, each once. unknown: labels that no name of the checkpoint fits.
    """

    names: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    _labels: Mapping[str, str] = field(default_factory=dict, repr=False)

    def label_of(self, name: str) -> str | None:
        """The label of a thing that the model called so; None for what no label stands for."""
        return self._labels.get(name.casefold())

    def only(self, labels: Sequence[str]) -> LabelNames:
        """Those of some labels alone; all where no labels are named."""
        if not labels:
            return self
        names = tuple(name for name in self.names if self.label_of(name) in labels)
        kept = {name: label for name, label in self._labels.items() if label in labels}
        return LabelNames(names, self.unknown, kept)


def label_names(labels: Mapping[str, Sequence[str]], known: Sequence[str] = ()) -> LabelNames:
    """The names for labels, each given with the words that ask for it.

    known: the names that the checkpoint lists. A name that two labels ask for is the first's.
    """
    owners: dict[str, str] = {}
    names: list[str] = []
    unknown: list[str] = []
    for label, words in labels.items():
        found = names_for(words, known)
        if not found:
            unknown.append(label)
        for name in found:
            if name.casefold() not in owners:
                owners[name.casefold()] = label
                names.append(name)
    return LabelNames(tuple(names), tuple(unknown), owners)


def names_for(words: Sequence[str], known: Sequence[str]) -> list[str]:
    """What a checkpoint calls what these words say; none where it knows none of them."""
    found: list[str] = []
    for word in words:
        if not word.strip():
            continue
        try:
            found += read_names(word, known).names
        except UnknownNameError:
            continue
    return found
