"""Lazy mask decoder: the decoder of a checkpoint's codes, opened when the first codes arrive.

Opening may fetch a file, so that nobody does it before there is something to draw.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy.typing as npt

from gemma_vision.checkpoints.mask_decoder_files import DecoderError, find_decoder, open_decoder
from postprocess.argument_kinds import named
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    from postprocess.instances import CodesToMask, Soft

NONE = "none"
WANTED = 'a MaskDecoder, the path of its file, "published", "embedded" or "none"'


class LazyMaskDecoder:
    """Decodes codes as `MaskDecoder` does; raises DecoderError where its file cannot be had.

    name: "published", "embedded" or the path of a file. opened: a decoder that is open already.
    """

    def __init__(self, name: str = "", opened: CodesToMask | None = None) -> None:
        self.name = name
        self._opened = opened

    @property
    def is_at_hand(self) -> bool:
        """Whether it is open, or its file is named by its path: nothing would be fetched."""
        return self._opened is not None or expanded(self.name).is_file()

    def open(self) -> CodesToMask:
        """The decoder itself, opened once."""
        if self._opened is None:
            self._opened = open_decoder(self.name)
            assert self._opened is not None, "a lazy decoder is never that of no masks"
        return self._opened

    def find(self) -> Path:
        """Where its file is; fetched if need be."""
        return find_decoder(self.name)

    def decode(self, codes: npt.ArrayLike, logits: bool = False) -> Soft:
        """(K, 16) codes -> (K, 64, 64), see `MaskDecoder.decode`."""
        return self.open().decode(codes, logits)


def lazy_decoder(
    given: CodesToMask | str | PathLike[str] | None,
) -> LazyMaskDecoder | None:
    """A decoder, or its name or path, as one that opens itself; None for "none" and for nothing.

    DecoderError for what is none of these.
    """
    if given is None or isinstance(given, LazyMaskDecoder):
        return given
    if isinstance(given, (str, PathLike)):
        return None if given == NONE else LazyMaskDecoder(str(given))
    if isinstance(given, (type, bytes)) or not callable(getattr(given, "decode", None)):
        raise DecoderError(f"{named(given)} came for a mask decoder; give {WANTED}.")
    return LazyMaskDecoder(opened=given)
