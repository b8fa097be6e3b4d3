"""The bytes of a file: as they are, or decompressed if they are gzip, whatever the file's name."""

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
    """A file that is read once, from its beginning to its end."""

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
        """Return up to `size` bytes, none at the end; raise AtelierError if gzip is damaged."""
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
        """How much of the file has been read, from 0 to 1, as a part of its size on the disk."""
        return self._file.tell() / self._size if self._size else 1.0

    def _is_gzip(self) -> bool:
        found = self._file.read(len(_GZIP)) == _GZIP
        self._file.seek(0)
        return found

    def _decompressed(self) -> _Bytes:
        return gzip.GzipFile(fileobj=self._file, mode="rb")
