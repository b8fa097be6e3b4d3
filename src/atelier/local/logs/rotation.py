"""A log file that rotates, and that costs nobody anything but lines where it cannot be written."""

from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from threading import RLock

KEPT_FILES = 3
"""How many older files there are: NAME.1, the newest, to NAME.3."""


class LogFile:
    """Takes lines and appends them to a file.

    A disk that is full, or a folder that is gone, is told once; so is the end of that, with the
    number of lines that were lost meanwhile, which then stands in the file too.
    """

    def __init__(
        self,
        path: Path,
        tell: Callable[[str], None],
        mark: Callable[[str], str],
        *,
        largest: int,
    ) -> None:
        """Take the file, what is told of trouble with it, and the bytes after which it rotates.

        `mark` makes a line of the file's form from what is to stand where lines are missing.
        """
        self._path = path
        self._tell = tell
        self._mark = mark
        self._largest = largest
        self._file: FileIO | None = None
        self._size = 0
        self._lost = 0
        self._one_at_a_time = RLock()  # what is told may be written here, too

    def write(self, line: str) -> None:
        """Append a line. Nothing is raised."""
        with self._one_at_a_time:
            try:
                self._recover()
                self._append(line)
            except OSError as error:
                self._lose(error)

    def retry(self) -> None:
        """See whether the file can be written again, if it could not."""
        with self._one_at_a_time, suppress(OSError):
            self._recover()

    def rotate(self) -> None:
        """Begin a new file with the next line. Raises OSError if it cannot be done."""
        with self._one_at_a_time:
            self.close()
            rotate(self._path)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None

    def _append(self, line: str) -> None:
        data = line.encode(errors="backslashreplace") + b"\n"
        file = self._file or self._open()
        if self._size and self._size + len(data) > self._largest:
            self.close()
            rotate(self._path)
            file = self._open()
        try:
            written = file.write(data)
            while written < len(data):
                written += file.write(data[written:])
        except OSError:
            with suppress(OSError):  # half a line is none
                file.truncate(self._size)
            raise
        self._size += len(data)

    def _open(self) -> FileIO:
        # Not buffered: what a full disk refused must not be written later, behind other lines.
        self._file = self._path.open("ab", buffering=0)
        self._size = self._file.tell()
        return self._file

    def _lose(self, error: OSError) -> None:
        self.close()
        self._lost += 1
        if self._lost == 1:
            self._tell(f"Cannot write to {self._path}: {error.strerror}. Its lines are lost.")

    def _recover(self) -> None:
        if not self._lost:
            return
        lost = lines(self._lost)
        self._append(self._mark(f"{lost} could not be written here."))
        self._lost = 0
        self._tell(f"{self._path} is written again; {lost} of it were lost.")


def rotate(path: Path, newest: Path | None = None) -> None:
    """Move NAME.1 to NAME.2, and so on, and `newest` (else the file itself) to NAME.1.

    Raises OSError if it cannot be done.
    """
    for number in range(KEPT_FILES, 1, -1):
        with suppress(FileNotFoundError):
            older(path, number - 1).replace(older(path, number))
    (newest or path).replace(older(path, 1))


def older(path: Path, number: int) -> Path:
    """Return the file that an older part of a log has moved to."""
    return path.with_name(f"{path.name}.{number}")


def lines(number: int) -> str:
    """Return a number of lines in words."""
    return "1 line" if number == 1 else f"{number:,} lines"
