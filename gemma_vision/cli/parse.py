"""Parse: the verb that reads an answer written elsewhere. Loads no model."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys

from PIL import Image

from gemma_vision.answers.parse_answer import read
from gemma_vision.checkpoints.lazy_mask_decoder import lazy_decoder
from gemma_vision.cli.limits import check_side
from gemma_vision.cli.option_arguments import given_options
from gemma_vision.cli.saving import PictureFacts, Saver
from gemma_vision.cli.writing import print_json, print_message
from gemma_vision.images.opening import open_image
from gemma_vision.requests.tasks import PARSE
from postprocess.command_parser import UsageError

BYTE_ORDER_MARK = "\ufeff"
SIZE = re.compile(r"(\d{1,6})\s*[xX*,\u00d7]\s*(\d{1,6})")


def run(options: argparse.Namespace) -> int:
    """Print the answer's JSON, save what was asked for, and give 0."""
    image, path = picture_of(options), options.picture or "answer"
    kind = "overlay" if image else "coco"
    saver = Saver(options.save, options.kinds, [path], otherwise=kind)
    size = image.size if image else read_size(options.size)
    input_size = read_size(options.input_size) if options.input_size else None
    answer = read(
        read_answer(options.text),
        None if image else size,
        image=image,
        mask_decoder=options.mask_decoder,
        policy=options.policy,
        input_size=input_size,
        **given_options(PARSE, options),
    )
    print_json(answer.to_dict())
    decoder = lazy_decoder(options.mask_decoder)
    saver.save_one(path, PictureFacts(size, answer.instances, image, decoder))
    return 0


def picture_of(options: argparse.Namespace) -> Image.Image | None:
    """The picture, or None where only a size was given."""
    if options.picture and options.size:
        raise UsageError("Give the picture or --size, not both.")
    if not options.picture and not options.size:
        raise UsageError("Give the picture, or its size with --size 640x480.")
    return open_image(options.picture) if options.picture else None


def read_answer(text: str) -> str:
    """The answer, from standard input where it is "-"; UsageError where bytes are no text.

    A mark of the order of bytes, which programs put before UTF-8, is no part of an answer.
    """
    if text == "-" and sys.stdin is None:
        raise UsageError("Standard input is closed; give the answer there, or in place of the -.")
    if os.path.isfile(text):
        print_message(
            f"{text} is a file, and its name was read as the answer; to read what is in it: "
            f"gemma-vision parse - ... < {shlex.quote(text)}"
        )
    try:
        answer = sys.stdin.read().removeprefix(BYTE_ORDER_MARK) if text == "-" else text
        answer.encode()
    except UnicodeError:
        raise UsageError("The answer is no UTF-8 text; save it as UTF-8 and try again.") from None
    return answer


def read_size(text: str) -> tuple[int, int]:
    """(width, height) in pixels.   "640x480"  ->  (640, 480)"""
    found = SIZE.fullmatch(text.strip())
    if not found:
        raise UsageError(f'"{text}" is no size; write width x height, for example 640x480.')
    width, height = int(found[1]), int(found[2])
    check_side(width, height)
    return width, height
