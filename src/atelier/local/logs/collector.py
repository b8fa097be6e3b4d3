"""What all parts say: whole in files that rotate, and what matters on the terminal."""

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

_LARGEST_FILE = 10 << 20
_LARGEST_FOREIGN_FILE = 100 << 20
_MOST_LINES = 20  # of PostgreSQL's at one look: a lost disk makes thousands
_MATTERS = {"WARNING", "ERROR", "CRITICAL"}
_NGINX_TIME = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d |\b\d+#\d+: ")
_NGINX_CLIENT = re.compile(r", client: [^,]+")
_SECONDS_BETWEEN_CLEANINGS = 60.0
_POSTGRES_LEVEL = re.compile(r"\b(WARNING|ERROR|FATAL|PANIC): ")


class Logs:
    """The log files of one home, and the stream of what is worth a look."""

    def __init__(
        self, folder: Path, show: Callable[[str], None], *, verbose: bool, days: float = 0
    ) -> None:
        """Take the folder of the files, what puts a line on the terminal, and how much of it.

        Lines are deleted before they are so many `days` old; 0 means that their size decides alone.
        """
        self._folder = folder
        self._show = show
        self._verbose = verbose
        self._longest = timedelta(days=days)
        self._cleaned_at = float("-inf")
        self._files: dict[str, LogFile] = {}
        self._last_line: dict[str, str] = {}
        self._unrotated: set[Path] = set()
        self._read_until = _size(folder / "postgresql.log")

    def log(self, line: str) -> None:
        """Note and show what the supervisor has to say."""
        self._write("supervisor", line)
        self._show(line)

    def listener(self, part: str) -> Callable[[str], None]:
        """Return what takes each line of a part."""
        return partial(self._on_line, part)

    def look(self) -> None:
        """Show what is new in PostgreSQL's log, and rotate the files that others write.

        A file that could not be written is tried again.
        """
        for each in list(self._files.values()):
            each.retry()
        file = self._folder / "postgresql.log"
        if _size(file) > self._read_until:
            self._show_postgres(file)
        if _size(file) > _LARGEST_FILE and self._rotate(file):
            self._read_until = 0
        if _size(self._folder / "access.log") > _LARGEST_FOREIGN_FILE:
            self._rotate(self._folder / "access.log")
        if self._longest and monotonic() - self._cleaned_at > _SECONDS_BETWEEN_CLEANINGS:
            self._cleaned_at = monotonic()
            self._delete_old()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def _delete_old(self) -> None:
        """Rotate so often that the oldest file is too old as a whole; delete such files."""
        for file in self._folder.glob("*.log"):
            if _is_older(file, self._longest / (KEPT_FILES + 1)) and self._rotate(file):
                self._read_until = 0 if file.name == "postgresql.log" else self._read_until
        for file in self._folder.glob("*.log.*"):
            if _is_older(file, self._longest):
                file.unlink(missing_ok=True)

    def _on_line(self, part: str, line: str) -> None:
        if part == "nginx":  # who a client is stands in the access log, as far as is wanted
            line = _NGINX_CLIENT.sub("", line)
        self._write(part, line)
        if self._is_repeated(part, line) and not self._verbose:
            return
        level, text = _understood(line)
        if self._verbose or level in _MATTERS:
            self._show(f"{part} | {text}")

    def _is_repeated(self, part: str, line: str) -> bool:
        """Say whether it is said again: nginx does so every second while a disk is full."""
        text = _NGINX_TIME.sub("", line)
        before, self._last_line[part] = self._last_line.get(part), text
        return part == "nginx" and text == before

    def _show_postgres(self, file: Path) -> None:
        with file.open("rb") as log:
            log.seek(self._read_until)
            new = log.read()
            self._read_until = log.tell()
        said = new.decode(errors="replace").splitlines()
        shown = [line for line in said if self._verbose or _POSTGRES_LEVEL.search(line)]
        for line in shown[:_MOST_LINES]:
            self._show(f"PostgreSQL | {line}")
        if len(shown) > _MOST_LINES:
            self._show(f"PostgreSQL | {len(shown) - _MOST_LINES} lines more in {file}")

    def _write(self, part: str, line: str) -> None:
        if part not in self._files:
            path = self._path(part)
            mark = _event if _is_instance(part) else _with_time
            self._files[part] = LogFile(path, self.log, mark, largest=_LARGEST_FILE)
        # An instance says itself when it was, in JSON.
        self._files[part].write(line if _is_instance(part) else _with_time(line))

    def _path(self, part: str) -> Path:
        return self._folder / f"{part.replace(' ', '-')}.log"

    def _rotate(self, file: Path) -> bool:
        """Rotate a file, also one that another process writes; say once if it cannot be done."""
        own = next((each for part, each in self._files.items() if self._path(part) == file), None)
        try:
            own.rotate() if own else _copy_and_empty(file)
        except OSError as error:
            if file not in self._unrotated:
                self._unrotated.add(file)
                self.log(f"Cannot rotate {file}: {error.strerror}. It is tried again.")
            return False
        self._unrotated.discard(file)
        return True


def _is_instance(part: str) -> bool:
    return part.startswith("instance")


def _with_time(line: str) -> str:
    return f"{datetime.now(UTC).isoformat(' ', 'milliseconds')} {line}"


def _event(message: str) -> str:
    """Return a line as an instance writes it."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": time, "level": "WARNING", "message": message})


def _understood(line: str) -> tuple[str, str]:
    """Return the level of a line and what of it is for people; what is not JSON matters."""
    try:
        fields = json.loads(line)
        level, text = fields["level"], fields["message"]
    except (ValueError, TypeError, KeyError):
        return "ERROR", line
    request = f" (request {fields['request']})" if "request" in fields else ""
    exception = f"\n{fields['exception']}" if "exception" in fields else ""
    return level, f"{level} {text}{request}{exception}"


def _copy_and_empty(file: Path) -> None:
    """Move a file's content on; whoever writes it appends, and so goes on at the beginning."""
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


def _is_older(file: Path, longest: timedelta) -> bool:
    try:
        return file.stat().st_size > 0 and age(file) > longest
    except OSError:  # gone meanwhile
        return False


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
