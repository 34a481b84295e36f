"""Annotations from one format to another: python -m postprocess DATA --from coco --to paligemma.

With `--mask-decoder FILE` the lines for fine-tuning PaliGemma get masks too, and the report says
how much of each mask its sixteen codes keep. No model is needed.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from postprocess.command_parser import CommandParser, folder_path
from postprocess.datasets.annotated import apart, without_points
from postprocess.datasets.notices import Notices
from postprocess.datasets.picture_files import compare_sizes
from postprocess.errors import UserError
from postprocess.exports import (
    DRAWN,
    EXPORTERS,
    PER_PICTURE,
    POINTLESS,
    READERS,
    THINGS_ONLY,
    Annotated,
    ExportError,
)
from postprocess.exports.paligemma import read_mask_ious, to_paligemma
from postprocess.exports.placing import place
from postprocess.mask_decoder import MaskDecoder
from postprocess.streams import (
    OutputError,
    ReaderGoneError,
    open_streams,
    print_line,
    print_message,
)
from postprocess.user_paths import expanded

FAILED = 2
INTERRUPTED = 130  # as shells say it: 128 + SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert; 0, or 2 with one sentence on standard error when it cannot be done."""
    try:
        open_streams()
        return convert(arguments)
    except ReaderGoneError:
        return 0
    except OutputError as error:
        print_message(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def convert(arguments: Sequence[str] | None) -> int:
    """Do what was typed; the exit code."""
    notices = Notices()
    try:
        options = build_parser().parse_args(arguments)
        write = _exporter(options)
        read = READERS[options.source](options.data, notices)
        compare_sizes([(one.file_name, one.size) for one in read], options.data, notices)
        pictures = apart(read, notices)
        if options.target in POINTLESS:
            pictures = [without_points(picture, notices) for picture in pictures]
        tell_losses(pictures, options.target, notices)
        if not any(len(picture.instances) for picture in pictures):
            raise ExportError(f"There are no things in {options.data}, so nothing was written.")
        written = write(pictures, options.out)
    except (UserError, OSError) as error:
        _say(notices)
        print_message(str(error))
        return FAILED
    _say(notices)
    _report(pictures, written)
    return 0


def tell_losses(pictures: Sequence[Annotated], target: str, notices: Notices) -> None:
    """What a form has no place for."""
    for picture in pictures if target in THINGS_ONLY else ():
        if not len(picture.instances):
            notices.add("empty", picture.file_name)
        for thing in picture.instances if target == "paligemma" else ():
            if not thing.label.split():
                notices.add("unnamed", f"in {picture.file_name}")


def _say(notices: Notices) -> None:
    for sentence in notices.sentences:
        print_message(sentence)


def build_parser() -> argparse.ArgumentParser:
    """What can be typed."""
    parser = CommandParser("python -m postprocess", description=__doc__)
    parser.add_argument("data", type=folder_path, help="a file or a folder of the format --from")
    parser.add_argument("--from", dest="source", required=True, choices=READERS)
    forms = [form for form in EXPORTERS if form not in DRAWN]  # which only annotations can say
    parser.add_argument("--to", dest="target", required=True, choices=forms)
    parser.add_argument("--out", type=folder_path, default=Path(), help="the folder to write into")
    parser.add_argument(
        "--mask-decoder", type=expanded, help="an .npz file, for masks in the lines of paligemma"
    )
    return parser


def _exporter(options: argparse.Namespace) -> partial[list[Path]]:
    write = partial(EXPORTERS[options.target])
    if options.mask_decoder is None:
        return partial(place, write) if options.target in PER_PICTURE else write
    if options.target != "paligemma":
        raise ExportError("--mask-decoder goes with --to paligemma. Leave one of them out.")
    return partial(to_paligemma, decoder=MaskDecoder.load(options.mask_decoder))


def _report(pictures: Sequence[Annotated], written: Sequence[Path]) -> None:
    things = sum(len(picture.instances) for picture in pictures)
    print_line(f"{len(pictures)} pictures with {things} things")
    for path in written:
        print_line(f"wrote {path}")
        ious = read_mask_ious(path) if path.suffix == ".jsonl" else []
        if ious:
            mean = sum(ious) / len(ious)
            print_line(
                f"{len(ious)} masks keep an IoU of {mean:.3f} on average, {min(ious):.3f} at worst"
            )


if __name__ == "__main__":
    sys.exit(main())
