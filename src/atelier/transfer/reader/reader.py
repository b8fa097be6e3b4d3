"""Reads one file of an export, once, in bounded memory.

Runs of records that pass prevalidation are yielded unchanged (fast path). Any other record is
parsed by itself (slow path): it is rewritten in canonical form if valid, and rejected if not. A
record with malformed quotes loses only its first line, so that one bad quote does not consume
the rest of the file.
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

_MAX_RUN = 256 << 10
"""Maximum bytes of a run: while one is sent to PostgreSQL, the next is read."""


@dataclass(frozen=True, slots=True)
class Row:
    """An accepted row, as it is in the file."""

    id: int
    line: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive accepted rows."""

    csv: bytes
    """The rows as they are sent to PostgreSQL."""
    line: int
    """The number of the first line."""
    lines: int
    """The number of lines."""
    single: Row | None = None
    """The row, if it was read on the slow path."""


class Reader:
    """Reads the rows of one file."""

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
        """The columns in the file's order; None for a column that is not loaded."""
        return self._header.columns

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """The names of the columns that are not loaded."""
        return self._header.unknown

    @property
    def fraction(self) -> float:
        """The fraction of the file that has been read, from 0 to 1; an estimate if compressed."""
        return self._buffer.fraction

    def close(self) -> None:
        """Close the file."""
        self._buffer.close()

    def chunks(self, reject: Callable[[Reject], None]) -> Iterator[Chunk]:
        """Yield the accepted rows in file order; call `reject` with each rejected row."""
        buffer = self._buffer
        while buffer.fill():
            start, line = buffer.start, buffer.line
            limit = min(buffer.valid_until, start + _MAX_RUN)
            end = self._row_pattern.end_of_valid_run(buffer.bytes, start, limit)
            if end > start:
                buffer.advance(end)
                yield Chunk(buffer.bytes[start:end], line, buffer.line - line)
            elif chunk := self._read_record(reject):
                yield chunk

    def find(self, chunk: Chunk, ids: AbstractSet[int]) -> Iterator[Row]:
        """Yield the rows of a chunk that have one of the ids."""
        if chunk.single:
            yield from [chunk.single] if chunk.single.id in ids else []
            return
        line, counted = chunk.line, 0
        for id_, start, end in self._row_pattern.find(chunk.csv, ids):
            line += chunk.csv.count(b"\n", counted, start)
            counted = start
            yield Row(id_, line, chunk.csv[start:end].removesuffix(self._header.line_end))

    def _read_record(self, reject: Callable[[Reject], None]) -> Chunk | None:
        buffer = self._buffer
        line = buffer.line
        try:
            record = split(buffer.bytes, buffer.start, buffer.limit, at_end=buffer.at_end)
        except MalformedError as error:
            reject(self._reject(line, error, self._read_line()))
            return None
        text = buffer.bytes[buffer.start : record.text_end]
        buffer.advance(record.end)
        if record.is_blank:
            return None
        try:
            id_, csv = self._canonicalizer.row(record, text)
        except MalformedError as error:
            reject(self._reject(line, error, text))
            return None
        return Chunk(csv, line, buffer.line - line, Row(id_, line, text))

    def _read_line(self) -> bytes:
        end = self._buffer.end_of_line()  # may read more, which changes start
        text = self._buffer.bytes[self._buffer.start : end]
        self._buffer.advance(end)
        return text.removesuffix(b"\n").removesuffix(b"\r")

    def _reject(self, line: int, error: MalformedError, text: bytes) -> Reject:
        return Reject(self.file.name, line, error.reason, error.detail, text)
