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
from atelier.transfer.files.layout import Column, ExportFile
from atelier.transfer.files.rejects import Reject
from atelier.transfer.reader.buffer import BLOCK, LOOK_AHEAD, Buffer
from atelier.transfer.reader.dialect import detect_dialect
from atelier.transfer.reader.header import read_header
from atelier.transfer.reader.prevalidation import RowPattern
from atelier.transfer.reader.records import MalformedError, split
from atelier.transfer.reader.values import Canonicalizer

_LONGEST_RUN = 256 << 10
"""Bytes of the longest stretch: while one is on its way to PostgreSQL, the next is read."""


@dataclass(frozen=True, slots=True)
class Row:
    """An accepted row, as it stands in the file."""

    id: int
    line: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
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
            self._buffer = Buffer(path, block=block, look_ahead=look_ahead)
        except OSError as error:
            raise AtelierError(f"{path} cannot be read: {error.strerror}.") from error
        try:
            self._header = read_header(self._buffer, file, path)
            self.dialect = detect_dialect(self._buffer, self._header)
        except AtelierError:
            self.close()
            raise
        self._row_pattern = RowPattern(self._header, self.dialect)
        self._canonicalizer = Canonicalizer(self._header, self.dialect)

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
        return self._buffer.fraction

    def close(self) -> None:
        """Close the file."""
        self._buffer.close()

    def chunks(self, reject: Callable[[Reject], None]) -> Iterator[Chunk]:
        """Yield all accepted rows in their order, and call `reject` with each of the others."""
        buffer = self._buffer
        while buffer.fill():
            start, line = buffer.start, buffer.line
            limit = min(buffer.clean_until, start + _LONGEST_RUN)
            end = self._row_pattern.end_of_valid_run(buffer.bytes, start, limit)
            if end > start:
                buffer.advance(end)
                yield Chunk(buffer.bytes[start:end], line, buffer.line - line)
            elif piece := self._read_exactly(reject):
                yield piece

    def find(self, chunk: Chunk, ids: AbstractSet[int]) -> Iterator[Row]:
        """Yield the rows of a piece that have one of the ids."""
        if chunk.single:
            yield from [chunk.single] if chunk.single.id in ids else []
            return
        line, counted = chunk.line, 0
        for id_, start, end in self._row_pattern.find(chunk.csv, ids):
            line += chunk.csv.count(b"\n", counted, start)
            counted = start
            yield Row(id_, line, chunk.csv[start:end].removesuffix(self._header.line_end))

    def _read_exactly(self, reject: Callable[[Reject], None]) -> Chunk | None:
        buffer = self._buffer
        line = buffer.line
        try:
            record = split(buffer.bytes, buffer.start, buffer.limit, at_end=buffer.at_end)
        except MalformedError as error:
            reject(self._rejected(line, error, self._take_line()))
            return None
        text = buffer.bytes[buffer.start : record.text_end]
        buffer.advance(record.end)
        if record.is_blank:
            return None
        try:
            id_, csv = self._canonicalizer.row(record, text)
        except MalformedError as error:
            reject(self._rejected(line, error, text))
            return None
        return Chunk(csv, line, buffer.line - line, Row(id_, line, text))

    def _take_line(self) -> bytes:
        end = self._buffer.end_of_line()  # may bring more into view: start changes, too
        text = self._buffer.bytes[self._buffer.start : end]
        self._buffer.advance(end)
        return text.removesuffix(b"\n").removesuffix(b"\r")

    def _rejected(self, line: int, error: MalformedError, text: bytes) -> Reject:
        return Reject(self.file.name, line, error.reason, error.detail, text)
