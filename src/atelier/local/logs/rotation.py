"""A rotated log file; failed writes lose lines but never raise."""

from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from threading import RLock

KEPT_FILES = 3
"""The number of rotated files: NAME.1 (the newest) to NAME.3."""


class LogFile:
    """Appends lines to a file.

    A failure, such as a full disk or a missing folder, is reported once, and so is recovery, with
    the number of lost lines, which is also written to the file.
    """

    def __init__(
        self,
        path: Path,
        report: Callable[[str], None],
        make_line: Callable[[str], str],
        *,
        max_bytes: int,
    ) -> None:
        """Take the file, the function that reports failures, and the size at which it rotates.

        `make_line` formats the message about lost lines for this file.
        """
        self._path = path
        self._report = report
        self._make_line = make_line
        self._max_bytes = max_bytes
        self._file: FileIO | None = None
        self._size = 0
        self._lost = 0
        self._lock = RLock()  # reentrant: reports may be written to this file, too

    def write(self, line: str) -> None:
        """Append a line; never raise."""
        with self._lock:
            try:
                self._recover()
                self._append(line)
            except OSError as error:
                self._lose(error)

    def retry(self) -> None:
        """Try to recover from a failed write."""
        with self._lock, suppress(OSError):
            self._recover()

    def rotate(self) -> None:
        """Rotate the file: the next line starts a new one. Raises OSError."""
        with self._lock:
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
        if self._size and self._size + len(data) > self._max_bytes:
            self.close()
            rotate(self._path)
            file = self._open()
        try:
            written = file.write(data)
            while written < len(data):
                written += file.write(data[written:])
        except OSError:
            with suppress(OSError):  # remove the partial line
                file.truncate(self._size)
            raise
        self._size += len(data)

    def _open(self) -> FileIO:
        # Unbuffered: data that a full disk rejected must not be written later, after other lines.
        self._file = self._path.open("ab", buffering=0)
        self._size = self._file.tell()
        return self._file

    def _lose(self, error: OSError) -> None:
        self.close()
        self._lost += 1
        if self._lost == 1:
            self._report(f"Cannot write to {self._path}: {error.strerror}. Its lines are lost.")

    def _recover(self) -> None:
        if not self._lost:
            return
        lost = lines(self._lost)
        self._append(self._make_line(f"{lost} could not be written here."))
        self._lost = 0
        self._report(f"{self._path} can be written again; {lost} were lost.")


def rotate(path: Path, newest: Path | None = None) -> None:
    """Move NAME.1 to NAME.2, and so on, and `newest` (else the file itself) to NAME.1.

    Raises OSError if that fails.
    """
    for number in range(KEPT_FILES, 1, -1):
        with suppress(FileNotFoundError):
            rotated(path, number - 1).replace(rotated(path, number))
    (newest or path).replace(rotated(path, 1))


def rotated(path: Path, number: int) -> Path:
    """Return the path of a rotated log file."""
    return path.with_name(f"{path.name}.{number}")


def lines(number: int) -> str:
    """Return a number of lines as text."""
    return "1 line" if number == 1 else f"{number:,} lines"
