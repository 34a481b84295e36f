"""Parse: the verb that reads an answer written elsewhere. Loads no model."""

from __future__ import annotations

import argparse
import re
import sys

from PIL import Image

from gemma_vision.cli.arguments import UsageError
from gemma_vision.cli.saving import Saver
from gemma_vision.cli.writing import print_json
from gemma_vision.images import open_image
from gemma_vision.paste import paste
from postprocess.hygiene import Hygiene

SIZE = re.compile(r"(\d{1,6})\s*[xX*,\u00d7]\s*(\d{1,6})")


def run(options: argparse.Namespace) -> int:
    """Print the answer's JSON, save what was asked for, and give 0."""
    image = picture_of(options)
    saver = Saver(options.save, options.kinds, otherwise="overlay" if image else "coco")
    size = image.size if image else read_size(options.size)
    text = sys.stdin.read() if options.text == "-" else options.text
    pasted = paste(
        text,
        size,
        mask_decoder=options.mask_decoder,
        policy=options.policy,
        hygiene=hygiene_of(options),
    )
    saver.save(options.picture or "answer", size, pasted.instances, image)
    print_json(pasted.to_dict())
    return 0


def picture_of(options: argparse.Namespace) -> Image.Image | None:
    """The picture, or None where only a size was given."""
    if options.picture and options.size:
        raise UsageError("Give the picture or --size, not both.")
    if not options.picture and not options.size:
        raise UsageError("Give the picture, or its size with --size 640x480.")
    return open_image(options.picture) if options.picture else None


def hygiene_of(options: argparse.Namespace) -> Hygiene:
    """The rules that were asked for."""
    return Hygiene(
        repeats=options.drop_repeats,
        overlap=options.max_overlap,
        full_frame=options.drop_full_frame,
    )


def read_size(text: str) -> tuple[int, int]:
    """(width, height) in pixels.   "640x480"  ->  (640, 480)"""
    found = SIZE.fullmatch(text.strip())
    if not found:
        raise UsageError(f'"{text}" is no size; write width x height, for example 640x480.')
    return int(found[1]), int(found[2])
