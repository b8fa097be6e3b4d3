"""Reads the log files of a home: the last lines in order of time, and lines added later."""

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
from atelier.local.host.registry import running_elsewhere
from atelier.local.logs.rotation import KEPT_FILES, rotated

_BLOCK = 1 << 16
_SUFFIX = ".log"
_TIME = re.compile(  # at the beginning of a line, or the first field of JSON
    rb'(?:\{"time": ?")?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?)( UTC|[+-]\d\d:\d\d)?'
)


class Line(NamedTuple):
    """A line of a component's log, and its time."""

    time: datetime
    part: str
    text: bytes


def parts(folder: Path) -> list[str]:
    """Return the names of the logs in a folder, which need not exist."""
    return sorted(file.name.removesuffix(_SUFFIX) for file in folder.glob(f"*{_SUFFIX}"))


class LogReader:
    """Reads the log of one component, or those of all, merged."""

    def __init__(self, folder: Path, part: str | None = None) -> None:
        """Take the folder; raise AtelierError if it does not contain the log."""
        self._folder = folder
        self._part = part
        self._sources: dict[str, _Source] = {}
        found = parts(folder)
        if not found:
            raise _no_logs(folder)
        if part not in (None, *found):
            raise AtelierError(f"There is no log of {part}: there are {', '.join(found)}.")
        for name in self._names():
            self._sources[name] = _Source(folder / f"{name}{_SUFFIX}")

    @property
    def merges(self) -> bool:
        """Whether the logs of several components are merged."""
        return self._part is None

    def last(self, number: int) -> list[Line]:
        """Return the last `number` lines."""
        found = self._merged((name, each.last(number)) for name, each in self._sources.items())
        return found[max(0, len(found) - number) :]

    def new(self) -> list[Line]:
        """Return the lines added since the last call of this or of `last`."""
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
    """A component's log file and the position in it. It may be rotated at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._partial = b""
        """The beginning of an incomplete line."""

    def last(self, number: int) -> list[bytes]:
        """Return the last `number` lines, including rotated files."""
        self._file = _open(self._path)
        found: list[bytes] = []
        if self._file:
            *found, self._partial = _tail(self._file, number)
        for age in range(1, KEPT_FILES + 1):
            file = _open(rotated(self._path, age)) if len(found) < number else None
            if file:
                found = _tail(file, number - len(found))[:-1] + found
                file.close()
        return found

    def new(self) -> list[bytes]:
        """Return the added lines."""
        *lines, self._partial = (self._partial + b"".join(self._read())).split(b"\n")
        return lines

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _read(self) -> Iterator[bytes]:
        """Yield the added data, from a rotated file to its end, then from the new file."""
        if self._file and os.fstat(self._file.fileno()).st_size < self._file.tell():
            yield self._read_copy(self._file.tell())
            self._file.seek(0)
        if self._file:
            is_rotated = not _is_at(self._file, self._path)
            yield self._file.read()
            if not is_rotated:
                return
            self._file.close()
        self._file = _open(self._path)
        if self._file:
            yield self._file.read()

    def _read_copy(self, begin: int) -> bytes:
        """Return the data added between the last read and the copy of a truncated file.

        nginx and PostgreSQL keep writing to the same file, see atelier.local.logs.collector.
        """
        copy = _open(rotated(self._path, 1))
        if copy is None:
            return b""
        with copy:
            copy.seek(begin)
            return copy.read()


def _tail(file: FileIO, number: int) -> list[bytes]:
    """Return the last `number` lines and the data after the last line break; seek to the end."""
    position = end = file.seek(0, os.SEEK_END)
    data, block = b"", _BLOCK
    while position and data.count(b"\n") <= number:
        position = max(0, position - block)
        file.seek(position)
        data = file.read(end - position)
        block *= 2
    return data.split(b"\n")[-number - 1 :]


def _open(path: Path) -> FileIO | None:
    """Open a file; return None if it is missing, raise AtelierError if it cannot be read."""
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AtelierError(f"Cannot read {path}: {error.strerror}.") from error


def _is_at(file: FileIO, path: Path) -> bool:
    """Return whether a path names an open file."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _timed(part: str, texts: Iterable[bytes]) -> Iterator[Line]:
    """Yield lines with their time; a line without one has that of the line before."""
    time = datetime.min.replace(tzinfo=UTC)
    for text in texts:
        time = line_time(text) or time
        yield Line(time, part, text)


def line_time(text: bytes) -> datetime | None:
    """Return the time of a line, if it has one."""
    if found := _TIME.match(text):
        return _parse_time(found[1].decode(), (found[2] or b"").decode())
    return None


def _parse_time(text: str, zone: str) -> datetime:
    """Parse a time; one without a zone is local time."""
    return datetime.fromisoformat(text + zone.replace(" UTC", "+00:00")).astimezone(UTC)


def _no_logs(folder: Path) -> AtelierError:
    if other := running_elsewhere(folder.parent):
        remedy = f"your service runs in {other}: set ATELIER_HOME to that"
    else:
        remedy = "`atelier up` writes them; ATELIER_HOME names the home of another service"
    return AtelierError(f"There are no logs in {folder}: {remedy}.")


_POLL_MILLISECONDS = 250
_WIDTH = len("instance-10")


def show(reader: LogReader, *, lines: int, follow: bool) -> None:
    """Write the last `lines` lines; with `follow`, continue until the output is closed."""
    _write(reader, reader.last(lines))
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)  # only POLLERR and POLLHUP: the reader is gone
    while follow and not output.poll(_POLL_MILLISECONDS):
        _write(reader, reader.new())


def _write(reader: LogReader, lines: Iterable[Line]) -> None:
    for line in lines:
        if reader.merges:
            sys.stdout.buffer.write(f"{line.part:<{_WIDTH}} | ".encode())
        sys.stdout.buffer.write(line.text + b"\n")
    sys.stdout.buffer.flush()
