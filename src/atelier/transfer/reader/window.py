"""A window over a large file that moves forward only."""

import codecs
from pathlib import Path

from atelier.transfer.reader.source import Source

BLOCK = 4 << 20
"""Bytes read at a time."""
LOOK_AHEAD = 1 << 20
"""The longest record, in bytes: so many are in view from its start."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_LOOKED_FOR = -1
_SLICE = 256 << 10  # decoded in the processor's cache


class Window:
    """The bytes from `start` on, at least LOOK_AHEAD of them or all that are left."""

    def __init__(self, path: Path, *, block: int = BLOCK, look_ahead: int = LOOK_AHEAD) -> None:
        """Open a file; the sizes are in bytes."""
        self._source = Source(path)
        self._block = block
        self._look_ahead = look_ahead
        self._at_end = False
        self._bytes_read = 0
        self.bytes = b""
        self.start = 0
        self.line = 1
        self._nul = self._invalid = _NOT_LOOKED_FOR
        try:
            self._skip_byte_order_mark()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def fill(self) -> bool:
        """Bring enough into view; return False if nothing is left."""
        while not self._at_end and len(self.bytes) - self.start < self._look_ahead:
            self._read()
        return self.start < len(self.bytes)

    @property
    def limit(self) -> int:
        """The offset that a record from `start` must not reach beyond."""
        return min(len(self.bytes), self.start + self._look_ahead)

    @property
    def at_end(self) -> bool:
        """Whether `limit` is the end of the file."""
        return self._at_end and self.limit == len(self.bytes)

    @property
    def clean_until(self) -> int:
        """The offset up to which, from `start`, all is UTF-8 without NUL."""
        if self._nul < self.start:
            found = self.bytes.find(b"\0", self.start)
            self._nul = len(self.bytes) if found < 0 else found
        if self._invalid < self.start:
            self._invalid = self._first_invalid()
        return min(self._nul, self._invalid)

    @property
    def fraction(self) -> float:
        """How much of the file is behind `start`, from 0 to 1; an estimate if it is compressed."""
        unread = len(self.bytes) - self.start
        return self._source.fraction * (1 - unread / max(self._bytes_read, 1))

    def advance(self, end: int) -> None:
        """Move on to an offset."""
        self.line += self.bytes.count(b"\n", self.start, end)
        self.start = end

    def end_of_line(self) -> int:
        """Return the offset after the line at `start`, however long it is."""
        searched = self.start
        while (found := self.bytes.find(b"\n", searched)) < 0 and not self._at_end:
            searched = len(self.bytes) - self.start
            self._read()
        return len(self.bytes) if found < 0 else found + 1

    def _skip_byte_order_mark(self) -> None:
        if self.fill() and self.bytes.startswith(_BYTE_ORDER_MARK):
            self.start = len(_BYTE_ORDER_MARK)

    def _read(self) -> None:
        rest = self.bytes[self.start :]
        # A line that never ends would otherwise be copied once for every block.
        block = self._source.read(max(self._block, len(rest)))
        self._at_end = not block
        self._bytes_read += len(block)
        self.bytes, self.start = rest + block, 0
        self._nul = self._invalid = _NOT_LOOKED_FOR

    def _first_invalid(self) -> int:
        view = memoryview(self.bytes)
        position = self.start
        while position < len(view):
            final = self._at_end and position + _SLICE >= len(view)
            try:
                _, size = codecs.utf_8_decode(view[position : position + _SLICE], "strict", final)
            except UnicodeDecodeError as error:
                return position + error.start
            if size == 0:
                break
            position += size
        return position
