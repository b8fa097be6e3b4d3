"""The age of log files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from atelier.local.logs.reader import line_time

_HEAD_BYTES = 1 << 16


def age(file: Path) -> timedelta:
    """Return the age of a file's first line with a time, or else of its last modification.

    Only the file's head is searched. Raises OSError if it cannot be read.
    """
    with file.open("rb") as log:
        lines = log.read(_HEAD_BYTES).splitlines()
    begin = next((time for line in lines if (time := line_time(line))), None)
    return datetime.now(UTC) - (begin or datetime.fromtimestamp(file.stat().st_mtime, UTC))
