"""Writer: mentions -> the text a model would answer. The inverse of the parser."""

from collections.abc import Iterable

from postprocess.argument_kinds import as_list
from postprocess.errors import UserError
from postprocess.tokens.label import clean_label
from postprocess.tokens.language import CODES_PER_MASK, NUM_BINS, NUM_CODES, Mention
from postprocess.tokens.lexer import Lexer, PieceKind

_WORDS = frozenset({PieceKind.WORDS, PieceKind.ESCAPED_NEWLINE})


class MentionError(UserError):
    """A mention that the answer language has no words for."""

    CODE = "E_MENTION"


def write(mentions: Iterable[Mention]) -> str:
    """`<loc..>x4 cat ; <loc..>x4 dog`, with `<seg..>x16` before the label where there are codes.

    Raises MentionError for what would not read back the same: positions or codes out of range, a
    box upside down, a label with `;`, a new line, a mark of the language, an escape, or with space,
    quotes or brackets around it.
    """
    listed = as_list(mentions, Mention, "parse", MentionError)
    return " ; ".join(_write_record(mention) for mention in listed)


def _write_record(mention: Mention) -> str:
    if mention.point is not None:
        raise MentionError(
            f"{mention.label!r} is a point, and the language has boxes alone. Leave it out."
        )
    _check_box(mention)
    _check_codes(mention.codes)
    _check_label(mention.label)
    box = "".join(f"<loc{position:04d}>" for position in mention.box)
    codes = "".join(f"<seg{code:03d}>" for code in mention.codes)
    return " ".join(part for part in (box, codes, mention.label) if part)


def _check_box(mention: Mention) -> None:
    if mention.units != NUM_BINS:
        raise MentionError(
            f"The box {mention.box} counts in {mention.units}ths; <loc> tokens count in "
            f"{NUM_BINS}ths. Rescale its positions and set units={NUM_BINS}."
        )
    y0, x0, y1, x1 = mention.box
    if not (0 <= y0 <= y1 < NUM_BINS and 0 <= x0 <= x1 < NUM_BINS):
        raise MentionError(
            f"The box {mention.box} is not y0, x0, y1, x1 in 0..{NUM_BINS - 1} with y0 <= y1 and "
            "x0 <= x1. Clip and order its positions."
        )


def _check_codes(codes: tuple[int, ...]) -> None:
    are_sound = all(0 <= code < NUM_CODES for code in codes)
    if len(codes) not in (0, CODES_PER_MASK) or not are_sound:
        raise MentionError(
            f"The mask codes {codes} are not {CODES_PER_MASK} numbers in 0..{NUM_CODES - 1}. "
            "Give all of them or none."
        )


def _check_label(label: str) -> None:
    lexer = Lexer()
    pieces = [*lexer.feed(label), *lexer.close()]
    if label != clean_label(label) or any(piece.kind not in _WORDS for piece in pieces):
        raise MentionError(
            f"The label {label!r} cannot be written: it may hold no ';', new line, <loc>, <seg> or "
            "end mark, and no space, quotes or brackets around it. Take them out."
        )
