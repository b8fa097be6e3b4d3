"""Reads one file of an export, once, in bounded memory.

Clean stretches go on as they are. Where the gate stops, one record is read exactly: it is
written anew if it can be accepted, and rejected if not; then the gate goes on. A record whose
quotes are malformed costs only its first line, so one bad quote cannot swallow a file.
"""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from atelier.errors import AtelierError
from atelier.transfer.layout import Column, ExportFile
from atelier.transfer.reader.gate import Gate
from atelier.transfer.reader.header import read_header
from atelier.transfer.reader.records import MalformedError, split
from atelier.transfer.reader.shape import learn
from atelier.transfer.reader.values import Canonical
from atelier.transfer.reader.window import BLOCK, LOOK_AHEAD, Window
from atelier.transfer.rejects import Reject

_STRETCH = 256 << 10
"""Bytes of the longest stretch: while one is on its way to PostgreSQL, the next is read."""


@dataclass(frozen=True, slots=True)
class Row:
    """An accepted row, as it stands in the file."""

    id: int
    line: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """Accepted rows that follow each other."""

    csv: bytes
    """For PostgreSQL."""
    line: int
    """The line they start on."""
    lines: int
    """How many lines they take."""
    single: Row | None = None
    """The row, where it was read exactly."""


class Reader:
    """One file, from its header on."""

    def __init__(
        self, path: Path, file: ExportFile, *, block: int = BLOCK, look_ahead: int = LOOK_AHEAD
    ) -> None:
        """Read the header; raise AtelierError if the file cannot be read or lacks a column."""
        self.file = file
        try:
            self._window = Window(path, block=block, look_ahead=look_ahead)
        except OSError as error:
            raise AtelierError(f"{path} cannot be read: {error.strerror}.") from error
        try:
            self._header = read_header(self._window, file, path)
            self.shape = learn(self._window, self._header)
        except AtelierError:
            self.close()
            raise
        self._gate = Gate(self._header, self.shape)
        self._canonical = Canonical(self._header, self.shape)

    @property
    def columns(self) -> tuple[Column | None, ...]:
        """The columns in the file's order; None for one that is not loaded."""
        return self._header.columns

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """The names of the columns that are not loaded."""
        return self._header.unknown

    @property
    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1; an estimate if it is compressed."""
        return self._window.fraction

    def close(self) -> None:
        """Close the file."""
        self._window.close()

    def pieces(self, reject: Callable[[Reject], None]) -> Iterator[Piece]:
        """Yield all accepted rows in their order, and call `reject` with each of the others."""
        window = self._window
        while window.fill():
            start, line = window.start, window.line
            limit = min(window.clean_until, start + _STRETCH)
            end = self._gate.end_of_stretch(window.bytes, start, limit)
            if end > start:
                window.advance(end)
                yield Piece(window.bytes[start:end], line, window.line - line)
            elif piece := self._read_exactly(reject):
                yield piece

    def find(self, piece: Piece, ids: AbstractSet[int]) -> Iterator[Row]:
        """Yield the rows of a piece that have one of the ids."""
        if piece.single:
            yield from [piece.single] if piece.single.id in ids else []
            return
        line, counted = piece.line, 0
        for id_, start, end in self._gate.find(piece.csv, ids):
            line += piece.csv.count(b"\n", counted, start)
            counted = start
            yield Row(id_, line, piece.csv[start:end].removesuffix(self._header.line_end))

    def _read_exactly(self, reject: Callable[[Reject], None]) -> Piece | None:
        window = self._window
        line = window.line
        try:
            record = split(window.bytes, window.start, window.limit, at_end=window.at_end)
        except MalformedError as error:
            reject(self._rejected(line, error, self._take_line()))
            return None
        text = window.bytes[window.start : record.text_end]
        window.advance(record.end)
        if record.is_blank:
            return None
        try:
            id_, csv = self._canonical.row(record, text)
        except MalformedError as error:
            reject(self._rejected(line, error, text))
            return None
        return Piece(csv, line, window.line - line, Row(id_, line, text))

    def _take_line(self) -> bytes:
        end = self._window.end_of_line()  # may bring more into view: start changes, too
        text = self._window.bytes[self._window.start : end]
        self._window.advance(end)
        return text.removesuffix(b"\n").removesuffix(b"\r")

    def _rejected(self, line: int, error: MalformedError, text: bytes) -> Reject:
        return Reject(self.file.name, line, error.reason, error.detail, text)
