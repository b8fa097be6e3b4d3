"""Collects the logs of all components in rotated files, and prints warnings and errors."""

import json
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

from atelier.local.logs.retention import age
from atelier.local.logs.rotation import KEPT_FILES, LogFile, rotate

_MAX_BYTES = 10 << 20
_MAX_ACCESS_LOG_BYTES = 100 << 20
_MAX_LINES = 20  # of PostgreSQL's log per poll: a failed disk causes thousands
_SHOWN_LEVELS = {"WARNING", "ERROR", "CRITICAL"}
_NGINX_TIME = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d |\b\d+#\d+: ")
_NGINX_CLIENT = re.compile(r", client: [^,]+")
_CLEANUP_INTERVAL_SECONDS = 60.0
_POSTGRES_LEVEL = re.compile(r"\b(WARNING|ERROR|FATAL|PANIC): ")


class Logs:
    """The log files of a home, and the messages shown on the terminal."""

    def __init__(
        self, folder: Path, show: Callable[[str], None], *, verbose: bool, max_days: float = 0
    ) -> None:
        """Take the folder of the files, the function that prints lines, and whether to print all.

        By default, only warnings and errors are printed. Lines are deleted before they are older
        than `max_days`; 0 means no limit.
        """
        self._folder = folder
        self._show = show
        self._verbose = verbose
        self._max_age = timedelta(days=max_days)
        self._cleaned_up_at = float("-inf")
        self._files: dict[str, LogFile] = {}
        self._last_line: dict[str, str] = {}
        self._unrotated: set[Path] = set()
        self._read_until = _size(folder / "postgresql.log")

    def log(self, line: str) -> None:
        """Log and print a message of the supervisor."""
        self._write("supervisor", line)
        self._show(line)

    def listener(self, part: str) -> Callable[[str], None]:
        """Return a function that logs a line of a component."""
        return partial(self._on_line, part)

    def poll(self) -> None:
        """Print new lines of PostgreSQL's log, and rotate the files that other processes write.

        Files that could not be written are retried.
        """
        for log_file in list(self._files.values()):
            log_file.retry()
        file = self._folder / "postgresql.log"
        if _size(file) > self._read_until:
            self._show_postgres(file)
        if _size(file) > _MAX_BYTES and self._rotate(file):
            self._read_until = 0
        if _size(self._folder / "access.log") > _MAX_ACCESS_LOG_BYTES:
            self._rotate(self._folder / "access.log")
        if self._max_age and monotonic() - self._cleaned_up_at > _CLEANUP_INTERVAL_SECONDS:
            self._cleaned_up_at = monotonic()
            self._delete_expired()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def _delete_expired(self) -> None:
        """Rotate files at a fraction of the maximum age; delete files older than it."""
        for file in self._folder.glob("*.log"):
            if _is_older(file, self._max_age / (KEPT_FILES + 1)) and self._rotate(file):
                self._read_until = 0 if file.name == "postgresql.log" else self._read_until
        for file in self._folder.glob("*.log.*"):
            if _is_older(file, self._max_age):
                file.unlink(missing_ok=True)

    def _on_line(self, part: str, line: str) -> None:
        if part == "nginx":  # only the access log may contain addresses (ATELIER_LOG_ADDRESSES)
            line = _NGINX_CLIENT.sub("", line)
        self._write(part, line)
        if self._is_repeated(part, line) and not self._verbose:
            return
        level, text = _parse(line)
        if self._verbose or level in _SHOWN_LEVELS:
            self._show(f"{part} | {text}")

    def _is_repeated(self, part: str, line: str) -> bool:
        """Return whether nginx repeats its last line, as it does while a disk is full."""
        text = _NGINX_TIME.sub("", line)
        before, self._last_line[part] = self._last_line.get(part), text
        return part == "nginx" and text == before

    def _show_postgres(self, file: Path) -> None:
        with file.open("rb") as log:
            log.seek(self._read_until)
            new = log.read()
            self._read_until = log.tell()
        lines = new.decode(errors="replace").splitlines()
        shown = [line for line in lines if self._verbose or _POSTGRES_LEVEL.search(line)]
        for line in shown[:_MAX_LINES]:
            self._show(f"PostgreSQL | {line}")
        if len(shown) > _MAX_LINES:
            self._show(f"PostgreSQL | {len(shown) - _MAX_LINES} more lines in {file}")

    def _write(self, part: str, line: str) -> None:
        if part not in self._files:
            make_line = _json_line if _is_instance(part) else _with_time
            path = self._path(part)
            self._files[part] = LogFile(path, self.log, make_line, max_bytes=_MAX_BYTES)
        # Instances write JSON with a timestamp.
        self._files[part].write(line if _is_instance(part) else _with_time(line))

    def _path(self, part: str) -> Path:
        return self._folder / f"{part.replace(' ', '-')}.log"

    def _rotate(self, file: Path) -> bool:
        """Rotate a file, which another process may write; log a failure once."""
        own = next((each for part, each in self._files.items() if self._path(part) == file), None)
        try:
            own.rotate() if own else _copy_and_empty(file)
        except OSError as error:
            if file not in self._unrotated:
                self._unrotated.add(file)
                self.log(f"Cannot rotate {file}: {error.strerror}. Retrying.")
            return False
        self._unrotated.discard(file)
        return True


def _is_instance(part: str) -> bool:
    return part.startswith("instance")


def _with_time(line: str) -> str:
    return f"{datetime.now(UTC).isoformat(' ', 'milliseconds')} {line}"


def _json_line(message: str) -> str:
    """Return a warning in the format of an instance's log."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": time, "level": "WARNING", "message": message})


def _parse(line: str) -> tuple[str, str]:
    """Return the level and the readable text of a line; one that is not JSON is an error."""
    try:
        fields = json.loads(line)
        level, text = fields["level"], fields["message"]
    except (ValueError, TypeError, KeyError):
        return "ERROR", line
    request = f" (request {fields['request']})" if "request" in fields else ""
    exception = f"\n{fields['exception']}" if "exception" in fields else ""
    return level, f"{level} {text}{request}{exception}"


def _copy_and_empty(file: Path) -> None:
    """Copy a file to NAME.1 and truncate it; its writer appends, so it continues at offset 0."""
    copy = file.with_name(f"{file.name}.new")
    try:
        shutil.copyfile(file, copy)
    except OSError:
        with suppress(OSError):
            copy.unlink(missing_ok=True)
        raise
    rotate(file, newest=copy)
    with file.open("r+b") as log:
        log.truncate()


def _is_older(file: Path, max_age: timedelta) -> bool:
    try:
        return file.stat().st_size > 0 and age(file) > max_age
    except OSError:  # deleted concurrently
        return False


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
