"""A forward-only buffer over a large file."""

import codecs
import gzip
import os
import zlib
from pathlib import Path
from typing import Protocol

from atelier.errors import AtelierError

_GZIP = b"\x1f\x8b"


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes | None: ...
    def close(self) -> None: ...


class Source:
    """A file, decompressed if necessary, that is read once from start to end."""

    def __init__(self, path: Path) -> None:
        """Open a file; raise OSError if it cannot be opened."""
        self._path = path
        self._file = path.open("rb", buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size
        self._bytes = self._decompressed() if self._is_gzip() else self._file

    def close(self) -> None:
        """Close the file."""
        self._bytes.close()
        self._file.close()

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end; raise AtelierError for damaged gzip."""
        try:
            return self._bytes.read(size) or b""
        except EOFError as error:
            raise AtelierError(
                f"{self._path} is incomplete: its gzip data ends too early. Copy it again."
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise AtelierError(
                f"{self._path} is damaged: its gzip data cannot be decompressed ({error}). "
                "Copy it again."
            ) from error

    @property
    def fraction(self) -> float:
        """The fraction of the file's size on disk that has been read, from 0 to 1."""
        return self._file.tell() / self._size if self._size else 1.0

    def _is_gzip(self) -> bool:
        is_gzip = self._file.read(len(_GZIP)) == _GZIP
        self._file.seek(0)
        return is_gzip

    def _decompressed(self) -> _Bytes:
        return gzip.GzipFile(fileobj=self._file, mode="rb")


BLOCK = 4 << 20
"""Bytes read at a time."""
LOOK_AHEAD = 1 << 20
"""The maximum length of a record in bytes; the buffer holds at least as much."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNKNOWN = -1
_DECODE_SIZE = 256 << 10  # bytes; fits in the CPU cache


class Buffer:
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
        self._nul = self._invalid = _UNKNOWN
        try:
            self._skip_byte_order_mark()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def fill(self) -> bool:
        """Read until look_ahead bytes are buffered; return False at the end of the file."""
        while not self._at_end and len(self.bytes) - self.start < self._look_ahead:
            self._read()
        return self.start < len(self.bytes)

    @property
    def limit(self) -> int:
        """The offset at which a record that begins at `start` must end."""
        return min(len(self.bytes), self.start + self._look_ahead)

    @property
    def at_end(self) -> bool:
        """Whether `limit` is the end of the file."""
        return self._at_end and self.limit == len(self.bytes)

    @property
    def valid_until(self) -> int:
        """The offset up to which the bytes from `start` are UTF-8 without NUL."""
        if self._nul < self.start:
            found = self.bytes.find(b"\0", self.start)
            self._nul = len(self.bytes) if found < 0 else found
        if self._invalid < self.start:
            self._invalid = self._first_invalid()
        return min(self._nul, self._invalid)

    @property
    def fraction(self) -> float:
        """The fraction of the file before `start`, from 0 to 1; an estimate if it is compressed."""
        unread = len(self.bytes) - self.start
        return self._source.fraction * (1 - unread / max(self._bytes_read, 1))

    def advance(self, end: int) -> None:
        """Move `start` to an offset."""
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
        unread = self.bytes[self.start :]
        # Doubling: otherwise a very long line would be copied once per block.
        block = self._source.read(max(self._block, len(unread)))
        self._at_end = not block
        self._bytes_read += len(block)
        self.bytes, self.start = unread + block, 0
        self._nul = self._invalid = _UNKNOWN

    def _first_invalid(self) -> int:
        view = memoryview(self.bytes)
        position = self.start
        while position < len(view):
            final = self._at_end and position + _DECODE_SIZE >= len(view)
            try:
                _, size = codecs.utf_8_decode(
                    view[position : position + _DECODE_SIZE], "strict", final
                )
            except UnicodeDecodeError as error:
                return position + error.start
            if size == 0:
                break
            position += size
        return position
