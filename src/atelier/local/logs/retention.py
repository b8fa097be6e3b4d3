"""How old what a log file holds is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from atelier.local.logs.reader import line_time

_HEAD = 1 << 16  # bytes in which a line that tells its time is looked for


def age(file: Path) -> timedelta:
    """Return the age of a file's first line; where no line tells it, of the file's last change.

    Raises OSError if it cannot be read.
    """
    with file.open("rb") as log:
        lines = log.read(_HEAD).splitlines()
    begun = next((time for line in lines if (time := line_time(line))), None)
    return datetime.now(UTC) - (begun or datetime.fromtimestamp(file.stat().st_mtime, UTC))
