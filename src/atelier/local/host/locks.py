"""File locks between commands: the kernel lets go of them however a process ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a lock together with others; wait while someone holds it alone."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[TextIO]:
    """Hold a lock alone, and its file open; raise BlockingIOError if held and not to wait."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file


def is_free(path: Path) -> bool:
    """Say whether nobody holds a lock."""
    return _could_lock(path, fcntl.LOCK_EX)


def is_held(path: Path) -> bool:
    """Say whether somebody is known to hold a lock; its file may be missing or another user's."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_shared(path: Path) -> bool:
    """Say whether somebody holds a lock, and nobody holds it alone."""
    return not is_free(path) and _could_lock(path, fcntl.LOCK_SH)


def _could_lock(path: Path, operation: int) -> bool:
    with path.open("a+") as file:
        try:
            fcntl.flock(file, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
