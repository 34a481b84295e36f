"""The words of the answer language: what a text can mention, and what can be odd about it."""

from dataclasses import dataclass, field

NUM_BINS = 1024  # <loc0000> .. <loc1023>
NUM_CODES = 128  # <seg000> .. <seg127>
NUM_POSITIONS = 4  # y0, x0, y1, x1
CODES_PER_MASK = 16  # a 4 x 4 grid, row by row
MASK_SIDE = 64  # pixels of a decoded mask
BOX_2D_UNITS = 1000  # the JSON form counts in thousandths
UNKNOWN_CODE = -1  # stands for a code that is not written yet

FINE_UNITS = 1_000_000  # for numbers that come as fractions or pixels of a known size

SKIPPED_MARKS = ("<bos>", "<pad>", "<image>", "<unk>", "<s>", "<grounding>")
END_MARKS = (
    "<eos>", "<end_of_turn>", "</s>", "<turn|>", "<|endoftext|>", "<|im_end|>", "<|eot_id|>",
    "<|end\u2581of\u2581sentence|>", "<\uff5cend\u2581of\u2581sentence\uff5c>",
)  # fmt: skip
THOUGHT_OPENINGS = ("<|channel>", "<think>")  # Gemma 4's; and that of most others
CHANNEL = "thought"  # the name of Gemma 4's: the first line behind its opening
THOUGHT_ENDINGS = ("<channel|>", "</think>")

Position = tuple[int, int]  # y, x in units


@dataclass(frozen=True)
class DrawnMask:
    """A mask that an answer draws itself, without codes.

    `rings` are closed lines of (y, x) in the mention's units around the parts of the thing; `png`
    is a picture of probabilities, to be stretched over the box. One of the two is there.
    """

    rings: tuple[tuple[Position, ...], ...] = ()
    png: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Mention:
    """What an answer says about one thing, in the answer's own units.

    `box` is y0, x0, y1, x1 in `units` with y0 <= y1 and x0 <= x1; `codes` are 16 mask codes or ().
    `point` is y, x where the text gives a point: the box is then the empty one at that place.
    `drawn` is a mask that needs no decoder. `score` is 0..1 where the text or the model says how
    sure it is. Two mentions are equal when they say the same, wherever in the text and however
    surely.
    """

    label: str
    box: tuple[int, int, int, int]
    codes: tuple[int, ...] = ()
    units: int = NUM_BINS
    point: Position | None = None
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    score: float | None = field(default=None, compare=False)
    drawn: DrawnMask | None = None


@dataclass(frozen=True)
class Partial:
    """The record being written now: 0-4 positions, 0-16 codes, the label so far."""

    label: str
    positions: tuple[int, ...]
    codes: tuple[int, ...]
    units: int = NUM_BINS
    start: int = 0

    @property
    def mention(self) -> Mention | None:
        """What can be shown of it: None before the fourth position; codes still to come are -1."""
        if len(self.positions) < NUM_POSITIONS:
            return None
        missing = CODES_PER_MASK - len(self.codes) if self.codes else 0
        codes = self.codes + (UNKNOWN_CODE,) * missing
        return Mention(self.label, upright(self.positions), codes, self.units, start=self.start)


@dataclass(frozen=True)
class Notice:
    """Something odd in an answer: what kind, at which character, and a sentence about it."""

    code: str
    start: int
    message: str


def upright(positions: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Four positions as y0, x0, y1, x1 with y0 <= y1 and x0 <= x1."""
    y0, x0, y1, x1 = positions
    return min(y0, y1), min(x0, x1), max(y0, y1), max(x0, x1)
