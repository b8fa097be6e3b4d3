"""The terminal that a service was started in: it may be closed while the service runs."""

import errno
import io
import os
import sys

_STANDARD_STREAMS = (0, 1, 2)
_FULL = (errno.ENOSPC, errno.EDQUOT)


def detach() -> None:
    """Lead the standard streams nowhere, so that no later write or read can fail."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in _STANDARD_STREAMS:
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _drop(error: OSError) -> None:
    """Expect nothing more of standard output, unless it is a file that a disk has no room for."""
    if error.errno not in _FULL:
        detach()


class Terminal(io.TextIOBase):
    """Standard output that cannot fail: what cannot be written to it is dropped."""

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has an attribute here
        """The encoding of standard output."""
        return sys.stdout.encoding

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        try:
            return sys.stdout.write(text)
        except OSError as error:
            _drop(error)
            return len(text)

    def flush(self) -> None:
        """Flush what was written, or drop it."""
        try:
            sys.stdout.flush()
        except OSError as error:
            _drop(error)

    def isatty(self) -> bool:
        """Tell whether standard output is a terminal."""
        return sys.stdout.isatty()

    def fileno(self) -> int:
        """Return the file descriptor of standard output."""
        return sys.stdout.fileno()
