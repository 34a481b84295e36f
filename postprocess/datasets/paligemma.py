"""PaliGemma's lines for fine-tuning read: `{"image", "prefix", "suffix"}`, one a line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from postprocess.datasets.annotated import Annotated
from postprocess.datasets.files import ExportError, read_text
from postprocess.datasets.naming import own_or_longer_names
from postprocess.datasets.notices import Notices
from postprocess.datasets.picture_files import PictureFinder, upright_size, walk_files
from postprocess.instances import locate
from postprocess.tokens import Mention, Parser, folded

_POLICY = "bigvision"  # as this package writes the lines
# notices of records that do not say all they ought to, or more than they can
_CUT = {
    "incomplete_box",
    "surplus_locs",
    "incomplete_mask",
    "surplus_codes",
    "stray_codes",
    "out_of_range",
    "inverted_box",
}
_VERBS = ("detect ", "segment ")

Line = dict[str, Any]


def read_paligemma(path: Path, notices: Notices | None = None) -> list[Annotated]:
    """The pictures of a .jsonl file, or of all in a folder, which have to be there for their sizes.

    The boxes of every suffix are read; one that a `segment` line repeats counts once. Masks are
    codes of some decoder and are left out, which leaves a notice.
    """
    path = Path(path)
    if not path.exists():
        raise ExportError(f"There is no file {path}. Name a .jsonl file, or a folder of them.")
    files = [path]
    if path.is_dir():
        files = [file for file in walk_files(path) if file.suffix.casefold() == ".jsonl"]
    notices = notices or Notices()
    found: dict[tuple[Path, str], list[Mention]] = {}
    for file in files:
        for line in lines_of(file, notices):
            mentions = found.setdefault((file.parent, line["image"]), [])
            fresh = mentions_of(line, notices)
            if not fresh and line["suffix"].strip():
                notices.add("words", f"{line['prefix'].strip()} of {line['image']}")
            add_new(mentions, fresh, notices, str(line["image"]))
    if not found:
        raise ExportError(
            f"There are no lines in {path}: looked for .jsonl files with image, prefix and suffix."
        )
    root, pictures = path if path.is_dir() else path.parent, []
    names = own_or_longer_names([((*folder.relative_to(root).parts, n), 1) for folder, n in found])
    for ((folder, name), mentions), called in zip(found.items(), names, strict=True):
        try:
            pictures.append(replace(to_picture(folder, name, mentions), file_name=called))
        except ExportError as error:
            notices.fault(error)
    return pictures


def lines_of(file: Path, notices: Notices) -> Iterator[Line]:
    """The lines of a file, each with its `number`; ExportError for one that is none."""
    for number, text in enumerate(read_text(file).split("\n"), 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            if not all(isinstance(line[key], str) for key in ("image", "prefix", "suffix")):
                raise TypeError("image, prefix and suffix are text")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            fault = ExportError(
                f"{file}: line {number} is not one of image, prefix and suffix ({error})."
            )
            notices.fault(fault)
            continue
        yield {**line, "number": number}


def mentions_of(line: Line, notices: Notices) -> list[Mention]:
    """The things of a suffix; those without a label have the only name of the prefix.

    Records that are not whole leave a notice.
    """
    parser = Parser()
    mentions = [*parser.feed(str(line["suffix"])), *parser.close()]
    for notice in parser.notices:
        if notice.code in _CUT:
            notices.add("cut_record", f"in line {line['number']} about {line['image']}")
    prefix = str(line["prefix"]).strip()
    verb = next((verb for verb in _VERBS if prefix.casefold().startswith(verb)), "")
    asked = prefix[len(verb) :].strip() if verb and ";" not in prefix else ""
    return [
        mention if mention.label else Mention(asked, mention.box, mention.codes, mention.units)
        for mention in mentions
    ]


def add_new(mentions: list[Mention], fresh: list[Mention], notices: Notices, where: str) -> None:
    """Add those that no earlier line had."""
    known = {(folded(one.label), one.box) for one in mentions}
    for mention in fresh:
        if mention.codes:
            notices.add("codes", f"{mention.label!r} in {where}")
        if (folded(mention.label), mention.box) not in known:
            mentions.append(mention)


def to_picture(folder: Path, name: str, mentions: list[Mention]) -> Annotated:
    """A picture and its things in pixels; ExportError where it is not there."""
    size = upright_size(find_picture(folder, name))
    found = locate(mentions, size, policy=_POLICY)
    return Annotated(name, size, [one for one in found if one.box[2] > one.box[0]])


def find_picture(folder: Path, name: str) -> Path:
    """Where the picture of a line is; ExportError where it is not there."""
    path = PictureFinder([folder, folder / "images"]).find(name)
    if path is None:
        raise ExportError(
            f"The picture {name} is not in {folder}, and its lines give shares of it. Put it there."
        )
    return path
