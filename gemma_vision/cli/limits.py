"""Limits: numbers of the command line in their ranges, named as they were typed."""

from __future__ import annotations

import argparse

from gemma_vision.cli.option_arguments import flag_of
from gemma_vision.images.opening import MAX_PIXELS, MAX_SIDE
from gemma_vision.requests.validation import TaskError, check_range
from postprocess.command_parser import UsageError


def check_number(options: argparse.Namespace, name: str, low: float, high: float) -> None:
    """UsageError unless the option is left out or low <= value <= high; ints are whole numbers."""
    value = getattr(options, name, None)
    if value is None:
        return
    try:
        check_range(flag_of(name), value, low, high, whole=isinstance(low, int))
    except TaskError as error:
        raise UsageError(str(error)) from None


def check_side(width: int, height: int) -> None:
    """Refuse a --size that no picture has; in pixels."""
    if width < 1 or height < 1:
        raise UsageError(f"--size is {width}x{height}, which has no pixels; write 640x480.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise UsageError(
            f"--size is {width}x{height}; the limit is {MAX_SIDE} a side and "
            f"{MAX_PIXELS // 1_000_000} million pixels. Write the size of a smaller picture."
        )
