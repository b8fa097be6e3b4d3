"""What the log files of a home say: the last of it, in the order of time, and what is added."""

import os
import re
import select
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from atelier.errors import AtelierError
from atelier.local.logs.rotation import KEPT_FILES, older

_BLOCK = 1 << 16
_SUFFIX = ".log"
_TIME = re.compile(  # as the parts write it, at the beginning or first in JSON
    rb'(?:\{"time": ?")?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?)( UTC|[+-]\d\d:\d\d)?'
)


class Line(NamedTuple):
    """A line of a part's log, and when it was written."""

    time: datetime
    part: str
    text: bytes


def parts(folder: Path) -> list[str]:
    """Return the names of the logs in a folder, which need not be there."""
    return sorted(file.name.removesuffix(_SUFFIX) for file in folder.glob(f"*{_SUFFIX}"))


class LogReader:
    """Reads the log of one part, or those of all merged."""

    def __init__(self, folder: Path, part: str | None = None) -> None:
        """Take the folder; raise AtelierError if there is no such log in it."""
        self._folder = folder
        self._part = part
        self._sources: dict[str, _Source] = {}
        found = parts(folder)
        if not found:
            raise AtelierError(
                f"There are no logs in {folder}: `atelier up` writes them; ATELIER_HOME names the "
                "home of another service."
            )
        if part not in (None, *found):
            raise AtelierError(f"There is no log of {part}: there are {', '.join(found)}.")
        for name in self._names():
            self._sources[name] = _Source(folder / f"{name}{_SUFFIX}")

    @property
    def merges(self) -> bool:
        """Whether lines of several parts are read."""
        return self._part is None

    def last(self, number: int) -> list[Line]:
        """Return so many of the last lines there are."""
        found = self._merged((name, each.last(number)) for name, each in self._sources.items())
        return found[max(0, len(found) - number) :]

    def new(self) -> list[Line]:
        """Return the lines that were added since the last call of this or of `last`."""
        for name in self._names():
            self._sources.setdefault(name, _Source(self._folder / f"{name}{_SUFFIX}"))
        return self._merged((name, each.new()) for name, each in self._sources.items())

    def close(self) -> None:
        """Close the files."""
        for source in self._sources.values():
            source.close()

    def _names(self) -> list[str]:
        return parts(self._folder) if self._part is None else [self._part]

    def _merged(self, texts: Iterable[tuple[str, list[bytes]]]) -> list[Line]:
        lines = [line for part, each in texts for line in _timed(part, each)]
        return sorted(lines, key=lambda line: line.time)


class _Source:
    """The file of a part, and how far it was read. It may rotate at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._rest = b""
        """The beginning of a line that is not complete."""

    def last(self, number: int) -> list[bytes]:
        """Return so many of the last lines, with those of older files."""
        self._file = _opened(self._path)
        found: list[bytes] = []
        if self._file:
            *found, self._rest = _end_of(self._file, number)
        for age in range(1, KEPT_FILES + 1):
            file = _opened(older(self._path, age)) if len(found) < number else None
            if file:
                found = _end_of(file, number - len(found))[:-1] + found
                file.close()
        return found

    def new(self) -> list[bytes]:
        """Return the lines that were added."""
        *lines, self._rest = (self._rest + b"".join(self._read())).split(b"\n")
        return lines

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _read(self) -> Iterator[bytes]:
        """Yield what was added, to the end of a file that has rotated, and from the new one."""
        if self._file and os.fstat(self._file.fileno()).st_size < self._file.tell():
            yield self._read_copy(self._file.tell())
            self._file.seek(0)
        if self._file:
            is_moved = not _is_at(self._file, self._path)
            yield self._file.read()
            if not is_moved:
                return
            self._file.close()
        self._file = _opened(self._path)
        if self._file:
            yield self._file.read()

    def _read_copy(self, begin: int) -> bytes:
        """Return what was added to a file between the last look and the copy before it was emptied.

        nginx and PostgreSQL write on into the same file, see atelier.local.logs.collector.
        """
        copy = _opened(older(self._path, 1))
        if copy is None:
            return b""
        with copy:
            copy.seek(begin)
            return copy.read()


def _end_of(file: FileIO, number: int) -> list[bytes]:
    """Return so many of the last lines, and what is behind the last line break; read to the end."""
    position = end = file.seek(0, os.SEEK_END)
    data, block = b"", _BLOCK
    while position and data.count(b"\n") <= number:
        position = max(0, position - block)
        file.seek(position)
        data = file.read(end - position)
        block *= 2
    return data.split(b"\n")[-number - 1 :]


def _opened(path: Path) -> FileIO | None:
    """Open a file; return None if there is none, and raise AtelierError if it cannot be read."""
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AtelierError(f"Cannot read {path}: {error.strerror}.") from error


def _is_at(file: FileIO, path: Path) -> bool:
    """Say whether a path leads to an open file."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _timed(part: str, texts: Iterable[bytes]) -> Iterator[Line]:
    """Yield lines with their time; those that do not tell it belong to the one before them."""
    time = datetime.min.replace(tzinfo=UTC)
    for text in texts:
        time = line_time(text) or time
        yield Line(time, part, text)


def line_time(text: bytes) -> datetime | None:
    """Return when a line was written, if it tells."""
    if found := _TIME.match(text):
        return _moment(found[1].decode(), (found[2] or b"").decode())
    return None


def _moment(text: str, zone: str) -> datetime:
    """Return a time; one without a zone is of this machine's."""
    return datetime.fromisoformat(text + zone.replace(" UTC", "+00:00")).astimezone(UTC)


_POLL_MILLISECONDS = 250
_WIDTH = len("instance-10")


def show(reader: LogReader, *, lines: int, follow: bool) -> None:
    """Write so many of the last lines; with `follow` go on until nobody reads the output."""
    _write(reader, reader.last(lines))
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)  # no event but that the reader is gone
    while follow and not output.poll(_POLL_MILLISECONDS):
        _write(reader, reader.new())


def _write(reader: LogReader, lines: Iterable[Line]) -> None:
    for line in lines:
        if reader.merges:
            sys.stdout.buffer.write(f"{line.part:<{_WIDTH}} | ".encode())
        sys.stdout.buffer.write(line.text + b"\n")
    sys.stdout.buffer.flush()
