"""Shows logs on the terminal, or to whoever reads the output."""

import select
import sys
from collections.abc import Iterable

from atelier.local.log_reader import Line, LogReader

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
