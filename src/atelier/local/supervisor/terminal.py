"""Output to the terminal, which may be closed while the service is running."""

import errno
import io
import os
import sys

_STANDARD_STREAMS = (0, 1, 2)
_FULL = (errno.ENOSPC, errno.EDQUOT)


def detach() -> None:
    """Redirect the standard streams to /dev/null, so that no later write or read can fail."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in _STANDARD_STREAMS:
        os.dup2(null, stream)
    os.close(null)


def _drop(error: OSError) -> None:
    """Detach from a closed terminal; keep a file on a full disk, which may recover."""
    if error.errno not in _FULL:
        detach()


class Terminal(io.TextIOBase):
    """Standard output that never raises: text that cannot be written is dropped."""

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has an attribute here
        """The encoding of standard output."""
        return sys.stdout.encoding

    def write(self, text: str) -> int:
        """Write text, or drop it."""
        try:
            return sys.stdout.write(text)
        except OSError as error:
            _drop(error)
            return len(text)

    def flush(self) -> None:
        """Flush buffered text, or drop it."""
        try:
            sys.stdout.flush()
        except OSError as error:
            _drop(error)

    def isatty(self) -> bool:
        """Return whether standard output is a terminal."""
        return sys.stdout.isatty()

    def fileno(self) -> int:
        """Return the file descriptor of standard output."""
        return sys.stdout.fileno()
