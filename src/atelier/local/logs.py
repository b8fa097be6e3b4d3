"""What all parts say: whole in files that rotate, and what matters on the terminal."""

import json
import logging
import re
import shutil
from collections.abc import Callable
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path

_LARGEST_FILE = 10 << 20
_LARGEST_FOREIGN_FILE = 100 << 20
_KEPT_FILES = 3
_MOST_LINES = 20  # of PostgreSQL's at one look: a lost disk makes thousands
_MATTERS = {"WARNING", "ERROR", "CRITICAL"}
_POSTGRES_LEVEL = re.compile(r"\b(WARNING|ERROR|FATAL|PANIC): ")


class Logs:
    """The log files of one home, and the stream of what is worth a look."""

    def __init__(self, folder: Path, show: Callable[[str], None], *, verbose: bool) -> None:
        """Take the folder of the files, what puts a line on the terminal, and how much of it."""
        self._folder = folder
        self._show = show
        self._verbose = verbose
        self._files: dict[str, logging.Logger] = {}
        self._read_until = _size(folder / "postgresql.log")

    def say(self, line: str) -> None:
        """Note and show what the supervisor has to say."""
        self._file("supervisor").info(line)
        self._show(line)

    def listener(self, part: str) -> Callable[[str], None]:
        """Return what takes each line of a part."""
        return partial(self._hear, part)

    def look(self) -> None:
        """Show what is new in PostgreSQL's log, and rotate the files that others write."""
        file = self._folder / "postgresql.log"
        if _size(file) > self._read_until:
            self._show_postgres(file)
        if _size(file) > _LARGEST_FILE:
            _rotate(file)
            self._read_until = 0
        if _size(self._folder / "access.log") > _LARGEST_FOREIGN_FILE:
            _rotate(self._folder / "access.log")

    def close(self) -> None:
        """Close the files."""
        for logger in self._files.values():
            for handler in logger.handlers:
                handler.close()

    def _hear(self, part: str, line: str) -> None:
        self._file(part).info(line)
        level, text = _understood(line)
        if self._verbose or level in _MATTERS:
            self._show(f"{part} | {text}")

    def _show_postgres(self, file: Path) -> None:
        with file.open("rb") as log:
            log.seek(self._read_until)
            new = log.read()
            self._read_until = log.tell()
        lines = new.decode(errors="replace").splitlines()
        shown = [line for line in lines if self._verbose or _POSTGRES_LEVEL.search(line)]
        for line in shown[:_MOST_LINES]:
            self._show(f"PostgreSQL | {line}")
        if len(shown) > _MOST_LINES:
            self._show(f"PostgreSQL | {len(shown) - _MOST_LINES} lines more in {file}")

    def _file(self, part: str) -> logging.Logger:
        if part not in self._files:
            logger = logging.Logger(part)  # noqa: LOG001 - one of its own, not of a hierarchy
            path = self._folder / f"{part.replace(' ', '-')}.log"
            handler = RotatingFileHandler(
                path, maxBytes=_LARGEST_FILE, backupCount=_KEPT_FILES, delay=True
            )
            plain = part.startswith("instance")  # it says itself when it was, in JSON
            handler.setFormatter(
                logging.Formatter("%(message)s" if plain else "%(asctime)s %(message)s")
            )
            logger.addHandler(handler)
            self._files[part] = logger
        return self._files[part]


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


def _rotate(file: Path) -> None:
    """Move a file's content on; whoever writes it appends, and so goes on at the beginning."""
    for number in range(_KEPT_FILES - 1, 0, -1):
        older = file.with_name(f"{file.name}.{number}")
        if older.exists():
            older.rename(file.with_name(f"{file.name}.{number + 1}"))
    shutil.copyfile(file, file.with_name(f"{file.name}.1"))
    with file.open("r+b") as log:
        log.truncate()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
