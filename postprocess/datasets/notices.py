"""Notices: what a reader left out or took another way than it was written, counted by kind."""

from collections import Counter
from dataclasses import dataclass, field

from postprocess.datasets.files import ExportError

# kind -> what is said of one and of several
_SENTENCES = {
    "no_area": (
        "{n} box without an area was left out",
        "{n} boxes without an area were left out",
    ),
    "outside": (
        "{n} box outside its picture was left out",
        "{n} boxes outside their pictures were left out",
    ),
    "no_box": (
        "{n} annotation with neither a box nor a mask was left out",
        "{n} annotations with neither a box nor a mask were left out",
    ),
    "clipped": (
        "{n} box reached beyond its picture and was cut off at the edge",
        "{n} boxes reached beyond their pictures and were cut off at the edge",
    ),
    "moved": (
        "{n} point lay beyond its picture and was moved to the edge",
        "{n} points lay beyond their pictures and were moved to the edge",
    ),
    "no_picture": (
        "{n} annotation of a picture that is not listed was left out",
        "{n} annotations of pictures that are not listed were left out",
    ),
    "listed_again": (
        "{n} picture is listed twice and was taken as one, with all its things",
        "{n} pictures are listed twice and were taken as one each, with all their things",
    ),
    "crowd": (
        "{n} thing is marked as a crowd (iscrowd) and counts neither as there nor as missing; "
        "where it is one thing, set iscrowd to 0",
        "{n} things are marked as crowds (iscrowd) and count neither as there nor as missing; "
        "where they are single things, set iscrowd to 0",
    ),
    "copy": (
        "{n} annotation that is listed twice was left out",
        "{n} annotations that are listed twice were left out",
    ),
    "bad_mask": (
        "{n} mask that cannot be read was left out, its box kept",
        "{n} masks that cannot be read were left out, their boxes kept",
    ),
    "bad_ring": (
        "{n} ring of fewer than three corners was left out",
        "{n} rings of fewer than three corners were left out",
    ),
    "codes": (
        "{n} mask was left out, for its codes need a mask decoder",
        "{n} masks were left out, for their codes need a mask decoder",
    ),
    "point": (
        "{n} point was left out, for only boxes and masks are of use here",
        "{n} points were left out, for only boxes and masks are of use here",
    ),
    "shape": (
        "{n} shape that is neither a box nor an area was left out",
        "{n} shapes that are neither boxes nor areas were left out",
    ),
    "same_name": (
        "{n} category has the name of another and counts as the same",
        "{n} categories have the names of others and count as the same",
    ),
    "labels": (
        "{n} thing has several labels, of which the first was taken",
        "{n} things have several labels, of which the first were taken",
    ),
    "turned": (
        "{n} turned box was taken as the upright one around it",
        "{n} turned boxes were taken as the upright ones around them",
    ),
    "words": (
        "{n} line of words was left out, for only things are read",
        "{n} lines of words were left out, for only things are read",
    ),
    "unlabelled": (
        "{n} picture without a file of labels was left out; give it an empty one to keep it",
        "{n} pictures without files of labels were left out; give them empty ones to keep them",
    ),
    "unannotated": (
        "{n} task that nobody annotated was left out; submit an empty annotation to keep it",
        "{n} tasks that nobody annotated were left out; submit empty annotations to keep them",
    ),
    "annotators": (
        "{n} task has several annotations, of which the last was taken",
        "{n} tasks have several annotations, of which the last were taken",
    ),
    "predicted": (
        "{n} task has no annotation, and what a model predicted of it was taken",
        "{n} tasks have no annotations, and what a model predicted of them was taken",
    ),
    "cut_record": (
        "{n} record of an answer is cut off or out of range, and was left out or mended",
        "{n} records of answers are cut off or out of range, and were left out or mended",
    ),
    "other_picture": (
        "{n} file names a picture that is not there; the one that is called as the file was taken",
        "{n} files name pictures that are not there; those that are called as the files were taken",
    ),
    "size": (
        "{n} picture is of another size, seen upright, than its annotations say",
        "{n} pictures are of other sizes, seen upright, than their annotations say",
    ),
    "empty": (
        "{n} picture without things is not in what was written, which has no place for it",
        "{n} pictures without things are not in what was written, which has no place for them",
    ),
    "unnamed": (
        "{n} thing without a name was left out, for it cannot be asked for",
        "{n} things without names were left out, for they cannot be asked for",
    ),
    "pose": (
        "{n} thing has key points, which were left out, its box kept",
        "{n} things have key points, which were left out, their boxes kept",
    ),
    "renamed": (
        "{n} picture has the name of another and was numbered",
        "{n} pictures have the names of others and were numbered",
    ),
}


@dataclass
class Notices:
    """Collects what is told beside a data set, so that nothing is left out in silence."""

    _counts: Counter[str] = field(default_factory=Counter)
    _first: dict[str, str] = field(default_factory=dict)
    _said: list[str] = field(default_factory=list)

    def add(self, kind: str, where: str = "") -> None:
        """Count one thing of a kind; `where` says which one, and is told of the first."""
        assert kind in _SENTENCES, kind
        self._counts[kind] += 1
        self._first.setdefault(kind, where)

    def add_sentence(self, sentence: str) -> None:
        """Something about the data set as a whole."""
        if sentence not in self._said:
            self._said.append(sentence)

    def fault(self, error: ExportError) -> None:
        """Something that cannot be meant: it ends the reading here. `Faults` goes on instead."""
        raise error

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each kind, the data set as a whole first."""
        return (*self._said, *map(self._sentence, self._counts))

    def _sentence(self, kind: str) -> str:
        count, where = self._counts[kind], self._first[kind]
        text = _SENTENCES[kind][count > 1].format(n=count)
        if not where:
            return f"{text}."
        return f"{text} ({'the first: ' if count > 1 else ''}{where})."


@dataclass
class Once(Notices):
    """Hands notices on until it is over: what is read a second time is not told again."""

    target: Notices = field(default_factory=Notices)
    is_over: bool = False

    def add(self, kind: str, where: str = "") -> None:
        """Count one thing of a kind, unless it is over."""
        if not self.is_over:
            self.target.add(kind, where)

    def fault(self, error: ExportError) -> None:
        """Something that cannot be meant."""
        self.target.fault(error)


@dataclass
class Faults(Notices):
    """Notices that keep what cannot be meant, so that a data set's faults are told all at once.

    What a fault is about is left out of what is read.
    """

    found: list[str] = field(default_factory=list)

    def fault(self, error: ExportError) -> None:
        """Note a fault and go on with the next row."""
        if str(error) not in self.found:
            self.found.append(str(error))
