"""Parser: an answer's text, whole or as it grows -> mentions, notices and plain words.

Each character is looked at once, however the text is cut into pieces, and nothing raises: whatever
a model writes is read as far as it makes sense, and what does not is kept as a notice.
"""

from postprocess.tokens.language import Mention, Notice, Partial
from postprocess.tokens.lexer import Lexer, Piece, PieceKind
from postprocess.tokens.prose import Prose
from postprocess.tokens.record import Record


def parse(text: str, final: bool = True) -> list[Mention]:
    """The things a text mentions, in order.   "<loc0010>...cat ; <loc0400>...dog" -> cat, dog

    With `final=False` the text may go on: only what is closed already counts.
    """
    parser = Parser()
    mentions = parser.feed(text)
    return mentions + parser.close() if final else mentions


class Parser:
    """Reads an answer while it is written: `feed` it pieces, then `close` it."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self._lexer = Lexer()
        self._prose = Prose(self.notices)
        self._record: Record | None = None
        self._seen: set[Mention] = set()  # equal where they say the same
        self._is_in_stray_codes = False

    @property
    def partial(self) -> Partial | None:
        """The record being written now; None between records."""
        return self._record.partial if self._record else self._prose.partial

    @property
    def plain(self) -> str:
        """The words outside records: a caption, an answer to a question, an echoed prompt."""
        return self._prose.text

    def feed(self, text: str) -> list[Mention]:
        """More of the answer -> the mentions that it closes."""
        return [mention for piece in self._lexer.feed(text) for mention in self._read(piece)]

    def close(self) -> list[Mention]:
        """The answer is over -> what was still open."""
        mentions = [mention for piece in self._lexer.close() for mention in self._read(piece)]
        return mentions + self._end()

    def _read(self, piece: Piece) -> list[Mention]:
        if piece.kind is PieceKind.SKIPPED:
            return []
        if piece.kind is PieceKind.CODE:
            self._read_code(piece)
            return []
        self._is_in_stray_codes = False
        if piece.kind is PieceKind.POSITION:
            return self._read_position(piece)
        if piece.kind is PieceKind.END:
            return self._end()
        return self._read_words(piece)

    def _read_position(self, piece: Piece) -> list[Mention]:
        mentions = []
        if self._record is None or not self._record.is_run_open:
            mentions = self._end()
            self._record = Record(piece.start, self.notices)
        self._record.add_position(piece.number, piece.start, piece.end)
        return mentions

    def _read_code(self, piece: Piece) -> None:
        if self._record is not None and self._record.takes_codes:
            self._record.add_code(piece.number, piece.start, piece.end)
            return
        if not self._is_in_stray_codes:
            said = "Mask codes that follow no box were left out."
            self.notices.append(Notice("stray_codes", piece.start, said))
        self._is_in_stray_codes = True
        if self._record is not None:
            self._record.is_run_open = False

    def _read_words(self, piece: Piece) -> list[Mention]:
        """Words belong to the open record; a separator or a new line closes it."""
        if self._record is None:
            records = self._prose.add(piece.text, piece.start)
            return [mention for record in records for mention in self._close_record(record)]
        if piece.kind is PieceKind.WORDS:
            self._record.add_words(piece.text, piece.start)
            return []
        return self._end()

    def _end(self) -> list[Mention]:
        """Close what is open: a record, or words that a record follows."""
        if self._record is None:
            records = self._prose.stop()
        else:
            records, self._record = [self._record], None
        return [mention for record in records for mention in self._close_record(record)]

    def _close_record(self, record: Record) -> list[Mention]:
        mentions = record.close()
        for mention in mentions:
            if mention in self._seen:
                said = "The same record came before."
                self.notices.append(Notice("repeat", mention.start, said))
            self._seen.add(mention)
        return mentions
