"""Which homes of this user have a running service, so that a command elsewhere can name them.

An entry only helps to find a home: whether its service runs, the lock in that home says. Where
entries cannot be kept or read, nobody is found.
"""

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from atelier.local.host.home import lock_file
from atelier.local.host.locks import is_held


@contextmanager
def registered(path: Path) -> Iterator[None]:
    """Have commands find a home while the context lasts; the caller holds its lock `up`."""
    with suppress(OSError):
        _enter(path)
    descriptor = _shielded()
    try:
        yield
    finally:
        with suppress(OSError):
            _entry(path).unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def running_elsewhere(path: Path) -> Path | None:
    """Return a home of this user other than `path` whose service runs, if there is one."""
    own = os.path.realpath(path)
    return next((home for home in _running() if os.path.realpath(home) != own), None)


def service_runs(path: Path) -> bool:
    """Say whether `atelier up` runs in a home, which need not be there."""
    lock = lock_file(path, "up")
    with suppress(OSError):
        # Empty where none runs: to try its lock might keep one from starting.
        return lock.stat().st_size > 0 and is_held(lock)
    return False


def _running() -> Iterator[Path]:
    with suppress(OSError):
        for entry in sorted(_folder().iterdir()):
            home = Path(os.fsdecode(entry.read_bytes()))
            if service_runs(home):
                yield home
            elif not entry.suffix:  # its service was killed
                entry.unlink(missing_ok=True)


def _enter(path: Path) -> None:
    folder = _folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    unfinished = _entry(path).with_suffix(".new")
    unfinished.write_bytes(os.fsencode(path))
    unfinished.rename(_entry(path))


def _shielded() -> int | None:
    """Lock the folder, and return the lock: what cleans /tmp up leaves such a folder alone."""
    try:
        descriptor = os.open(_folder(), os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return None
    return descriptor


def _entry(path: Path) -> Path:
    return _folder() / hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _folder() -> Path:
    """Return the folder of the entries; raise OSError if somebody else could write to it.

    Not in XDG_RUNTIME_DIR: a service that a system starts, and one of a session, would not find
    each other.
    """
    folder = Path(tempfile.gettempdir()) / f"atelier-services-{os.geteuid()}"
    with suppress(FileNotFoundError):
        found = folder.lstat()
        is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if not is_ours or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"{folder} is not ours alone")
    return folder
