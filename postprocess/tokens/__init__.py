"""The answer language of PaliGemma: `<loc>` boxes, `<seg>` masks, labels. Text in, mentions out.

What other models answer is read too, see `dialects`.

Knows nothing of pictures, pixels or models, and imports nothing but the standard library.
"""

from postprocess.tokens.label import folded
from postprocess.tokens.language import (
    BOX_2D_UNITS,
    CODES_PER_MASK,
    END_MARKS,
    MASK_SIDE,
    NUM_BINS,
    NUM_CODES,
    NUM_POSITIONS,
    SKIPPED_MARKS,
    UNKNOWN_CODE,
    DrawnMask,
    Mention,
    Notice,
    Partial,
)
from postprocess.tokens.parser import Parser, parse
from postprocess.tokens.spelling import Spelling, SpellingError, parse_ids, read_pieces, spell
from postprocess.tokens.writer import MentionError, write

__all__ = [
    "BOX_2D_UNITS",
    "CODES_PER_MASK",
    "END_MARKS",
    "MASK_SIDE",
    "NUM_BINS",
    "NUM_CODES",
    "NUM_POSITIONS",
    "SKIPPED_MARKS",
    "UNKNOWN_CODE",
    "DrawnMask",
    "Mention",
    "MentionError",
    "Notice",
    "Parser",
    "Partial",
    "Spelling",
    "SpellingError",
    "folded",
    "parse",
    "parse_ids",
    "read_pieces",
    "spell",
    "write",
]
