"""The answer reader: an answer's text while it grows, turned into things in the picture.

Text and scores go in, mentions, instances and notices come out; each part of the text is looked
at once, each mask decoded once. Knows nothing of requests or models.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.runtime.engine import Chunk
from postprocess.instances import CodesToMask, Instance, locate
from postprocess.tokens import Mention, Notice, Parser, Partial

LOC = re.compile(r"<loc\d+>")
SINGLE = re.compile(r"<(?:loc|seg)\d+>")  # always one token each
MAX_COPIES = 3  # a third copy of a record is a loop, not a thing


class StreamingReader:
    """Reads one answer. `feed` it chunks, `close` it at the end, look at it at any time.

    size: (width, height) of the picture in pixels. decoder: None for boxes only. One that cannot be
    opened leaves a notice and boxes, never a mask from the wrong codebook. input_size: that of the
    picture as it was resized for a model that counts in its pixels.
    """

    def __init__(
        self,
        size: tuple[int, int],
        decoder: LazyMaskDecoder | None = None,
        policy: str = "space",
        *,
        input_size: tuple[int, int] | None = None,
    ) -> None:
        self.size = size
        self.policy = policy
        self.text = ""
        self.tokens = 0
        self.repeated = False
        self.mentions: list[Mention] = []
        self._decoder = decoder
        self._parser = Parser(size=size, input_size=input_size)
        self._instances: list[Instance] = []
        self._own_notices: list[Notice] = []
        self._copies: Counter[Mention] = Counter()
        self._places: list[int] = []  # where in the text a scored <loc> begins ...
        self._scores: list[float] = []  # ... and its score

    def feed(self, chunk: Chunk) -> None:
        """Take in what one step wrote."""
        for piece, score in scored_pieces(chunk):
            locs = list(LOC.finditer(piece))
            if score is not None and locs and locs[-1].end() == len(piece):
                self._places.append(len(self.text) + locs[-1].start())
                self._scores.append(score)
            self.text += piece
        self.tokens += len(chunk.token_ids)
        self._take(self._parser.feed(chunk.text))

    def close(self) -> None:
        """The text is over: the open record closes."""
        self._take(self._parser.close())

    @property
    def partial(self) -> Partial | None:
        """The record being written now, or None between records."""
        partial = self._parser.partial
        return partial if partial and (partial.positions or partial.label) else None

    @property
    def plain(self) -> str:
        """The text outside records."""
        return self._parser.plain

    @property
    def thought(self) -> str:
        """What the model said to itself; nothing in it counts."""
        return self._parser.thought

    @property
    def notices(self) -> list[Notice]:
        """What was odd so far, in the order in which it was met."""
        return [*self._parser.notices, *self._own_notices]

    @property
    def instances(self) -> list[Instance]:
        """One instance per closed mention; only mentions new since the last look are located."""
        fresh = self.mentions[len(self._instances) :]
        if fresh:
            decoder = self._open_decoder(fresh)
            self._instances += locate(fresh, self.size, decoder, self.policy)
        return list(self._instances)

    def draw_each(
        self, mentions: Sequence[Mention], located: Sequence[Instance]
    ) -> Iterator[Instance]:
        """The instances of these mentions with their masks, each drawn as it is reached and held
        by nobody here: for answers of which not every mask has to be in memory at once.

        located: the same without masks.
        """
        decoder = self._open_decoder(mentions)
        for mention, instance in zip(mentions, located, strict=True):
            if mention.drawn is None and (decoder is None or not mention.codes):
                yield instance
            else:
                yield from locate([mention], self.size, decoder, self.policy)

    def _take(self, closed: Sequence[Mention]) -> None:
        for mention in closed:
            score = self._score(mention)
            said = mention.score if score is None else score
            is_new = said is not mention.score
            self.mentions.append(replace(mention, score=said) if is_new else mention)
            self._copies[mention] += 1  # mentions are equal when box, codes and label are
            self.repeated |= self._copies[mention] >= MAX_COPIES

    def _score(self, mention: Mention) -> float | None:
        """The geometric mean of its four positions' scores; None unless all four have one."""
        first = bisect_left(self._places, mention.start)
        last = bisect_left(self._places, mention.end)
        scores = self._scores[first:last][:4]
        if len(scores) < 4:
            return None
        return math.exp(sum(math.log(max(score, 1e-12)) for score in scores) / 4)

    def _open_decoder(self, fresh: Sequence[Mention]) -> CodesToMask | None:
        """The decoder, opened when the first codes arrive."""
        coded = [mention for mention in fresh if mention.codes]
        if self._decoder is None or not coded:
            return None
        try:
            return self._decoder.open()
        except DecoderError as error:
            self._decoder = None
            self._own_notices.append(Notice("no_mask_decoder", coded[0].start, str(error)))
            return None


def scored_pieces(chunk: Chunk) -> Iterator[tuple[str, float | None]]:
    """The chunk's text cut by token, each with its score; None where that cannot be told."""
    lengths: Sequence[int] = chunk.lengths
    if not lengths and len(chunk.token_ids) == 1:
        lengths = (len(chunk.text),)
    if not lengths:
        singles = SINGLE.findall(chunk.text)
        if len(singles) == len(chunk.token_ids) and "".join(singles) == chunk.text:
            lengths = tuple(map(len, singles))
    if len(lengths) != len(chunk.scores) or sum(lengths) != len(chunk.text):
        yield chunk.text, None
        return
    start = 0
    for length, score in zip(lengths, chunk.scores, strict=True):
        yield chunk.text[start : start + length], score
        start += length
