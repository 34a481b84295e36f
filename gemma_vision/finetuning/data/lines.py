"""Lines: PaliGemma's own `{"image", "prefix", "suffix"}`, boxes and words, learned as they stand.

A line that asks for names says where things are, and that the names without a thing are not there:
it becomes things. Everything else (captions, questions, text, phrases that mean one thing of one
picture) is learned word for word, and the picture is then neither mirrored nor cropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gemma_vision.evaluate import Dataset, Scene, Thing
from gemma_vision.requests.interpretation.names import split_names
from gemma_vision.requests.languages import TONGUES
from gemma_vision.requests.variants import VERBS, Verb
from postprocess.datasets.files import ExportError
from postprocess.datasets.notices import Notices
from postprocess.datasets.paligemma import find_picture, lines_of, mentions_of
from postprocess.datasets.picture_files import upright_size, walk_files
from postprocess.instances import CodesToMask, locate
from postprocess.mask_formats import run_lengths
from postprocess.tokens import Mention, folded

POLICY = "bigvision"  # positions are 1023rds, as PaliGemma was taught them
LOCATING = ("detect", "segment")
MIN_PICTURES = 2  # that ask for a phrase of several words before it counts as a name
ARTICLES = ("a", "an", "the")

Line = dict[str, Any]


@dataclass
class Picture:
    """What the lines say of one picture."""

    folder: Path
    name: str
    mentions: dict[tuple[str, tuple[int, ...]], Mention] = field(default_factory=dict)
    asked: dict[str, None] = field(default_factory=dict)
    lines: list[tuple[str, str]] = field(default_factory=list)

    def add(self, mentions: Iterable[Mention]) -> None:
        """Things of one more line; of a thing that is there already the codes are kept."""
        for mention in mentions:
            key = (folded(mention.label), mention.box)
            if key not in self.mentions or mention.codes:
                self.mentions[key] = mention


def read_lines(path: Path, notices: Notices, decoder: CodesToMask | None) -> Dataset:
    """A .jsonl file, or all of a folder. decoder: draws masks; without it they stay codes."""
    files = [path]
    if path.is_dir():
        files = [file for file in walk_files(path) if file.suffix.casefold() == ".jsonl"]
    known = [(file, line) for file in files for line in lines_of(file, notices)]
    if not known:
        raise ExportError(
            f"There are no lines in {path}: looked for .jsonl files with image, prefix and suffix."
        )
    told = list(dict.fromkeys(file.name for file, _ in known))
    if len(told) > 1:
        notices.add_sentence(
            f"The lines of {', '.join(told)} are taken together; name one of the files, and "
            "another one by --val, to keep them apart."
        )
    phrases = find_phrases(line for _, line in known)
    pictures: dict[tuple[Path, str], Picture] = {}
    for file, line in known:
        key = (file.parent, str(line["image"]))
        read_line(line, file, pictures.setdefault(key, Picture(*key)), phrases, decoder, notices)
    names = {name: None for one in pictures.values() for name in one.asked}
    scenes = [
        scene
        for number, one in enumerate(pictures.values(), 1)
        if (scene := to_scene(one, number, names, decoder, notices)) is not None
    ]
    categories = {name: number for number, name in enumerate(names, 1)}
    return Dataset(path if path.is_dir() else path.parent, tuple(scenes), categories, 0, path)


def asked_names(line: Line) -> list[str]:
    """The names that a line's prefix asks for; none where it asks for something else."""
    verb, _, rest = str(line["prefix"]).strip().partition(" ")
    return list(split_names(rest)) if verb.casefold() in LOCATING else []


def find_phrases(lines: Iterable[Line]) -> frozenset[str]:
    """What is asked for and is no name: several words, for one thing of a single picture."""
    seen: dict[str, set[str]] = {}
    for line in lines:
        for name in asked_names(line):
            seen.setdefault(name, set()).add(str(line["image"]))
    return frozenset(name for name, images in seen.items() if is_phrase(name, len(images)))


def is_phrase(name: str, num_pictures: int) -> bool:
    """ "the mug on the left" -> True;   "traffic cone" -> False"""
    words = name.split()
    if words[:1] and words[0].casefold() in ARTICLES:
        return True
    return len(words) > 2 and num_pictures < MIN_PICTURES


def read_line(
    line: Line,
    file: Path,
    picture: Picture,
    phrases: frozenset[str],
    decoder: CodesToMask | None,
    notices: Notices,
) -> None:
    """Put what a line says where it belongs."""
    prefix, suffix = str(line["prefix"]).strip(), str(line["suffix"]).strip()
    names, mentions = asked_names(line), mentions_of(line, notices)
    where = f"Line {line['number']} of {file.name}"
    if names and not mentions and suffix:
        notices.fault(
            ExportError(f"{where} asks for {names[0]!r} and its suffix has no box. Correct it.")
        )
        return
    has_codes = any(mention.codes for mention in mentions)
    if not names or phrases & set(names) or (has_codes and decoder is None):
        picture.lines.append((prefix, suffix))
        return
    asked = {folded(name): name for name in names}
    odd = [one.label for one in mentions if folded(one.label) not in asked]
    if odd:
        notices.fault(
            ExportError(f"{where} asks for {', '.join(names)} and answers with {odd[0]!r}.")
        )
        return
    picture.asked |= dict.fromkeys(names)
    picture.add(renamed(one, asked[folded(one.label)]) for one in mentions)


def renamed(mention: Mention, label: str) -> Mention:
    """The mention with its name as it was asked for."""
    return Mention(label, mention.box, mention.codes, mention.units)


def to_scene(
    picture: Picture,
    number: int,
    names: Mapping[str, None],
    decoder: CodesToMask | None,
    notices: Notices,
) -> Scene | None:
    """A picture with its things; None where it is not there, which is a fault."""
    try:
        path = find_picture(picture.folder, picture.name)
        size = upright_size(path)
    except ExportError as error:
        notices.fault(error)
        return None
    things = to_things(list(picture.mentions.values()), size, decoder)
    unsure = frozenset(name for name in names if name not in picture.asked)
    return Scene(number, path, size, tuple(things), unsure, tuple(picture.lines))


def to_things(
    mentions: Sequence[Mention], size: tuple[int, int], decoder: CodesToMask | None
) -> list[Thing]:
    """Mentions in pixels, masks as run-lengths."""
    things = []
    for one in locate(mentions, size, decoder, policy=POLICY):
        if one.box[2] > one.box[0] and one.box[3] > one.box[1]:
            has_mask = one.mask is not None and one.mask.any()
            runs = run_lengths(one.mask) if has_mask and one.mask is not None else None
            things.append(Thing(0, one.name, one.box, runs))
    return things


def counted_lines(scenes: Iterable[Scene]) -> Counter[str]:
    """How many lines there are of each kind, by the first word of what they ask."""
    return Counter(prefix.split(" ")[0] for scene in scenes for prefix, _ in scene.lines)


def kinds_asked(scenes: Iterable[Scene]) -> tuple[list[str], list[str]]:
    """The tasks and styles of captions that lines ask for, and the languages, by their codes.

    "ocr", "cap de"  ->  ["ocr", "cap"], ["de"]
    """
    kinds: dict[str, None] = {}
    languages: dict[str, None] = {}
    for words in (prefix.split() for scene in scenes for prefix, _ in scene.lines):
        for verb in VERBS:
            if not is_asked(verb, words):
                continue
            kinds[verb.style or verb.asked] = None
            if "{language}" in verb.wording:
                languages[words[1]] = None
    return list(kinds), list(languages)


def is_asked(verb: Verb, words: Sequence[str]) -> bool:
    """Whether these words are a prompt of that kind."""
    if not words or words[0] != verb.name:
        return False
    if "{language}" in verb.wording:
        return len(words) > 1 and words[1] in TONGUES
    return "{region}" not in verb.wording or (len(words) > 1 and words[1].startswith("<loc"))
