"""File locks between commands, which the kernel releases however a process ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a shared lock; wait while another process holds it exclusively."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[TextIO]:
    """Hold an exclusive lock and yield its file; without `wait`, raise BlockingIOError if held."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file


def is_free(path: Path) -> bool:
    """Return whether no process holds a lock."""
    return _could_lock(path, fcntl.LOCK_EX)


def is_held(path: Path) -> bool:
    """Return whether a process holds a lock; False if its file is missing or unreadable."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_shared(path: Path) -> bool:
    """Return whether a lock is held, but not exclusively."""
    return not is_free(path) and _could_lock(path, fcntl.LOCK_SH)


def _could_lock(path: Path, operation: int) -> bool:
    with path.open("a+") as file:
        try:
            fcntl.flock(file, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
