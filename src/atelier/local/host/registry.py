"""A registry of this user's running services, so that commands in other homes can find them.

An entry only names a home; the lock in that home tells whether its service is running. If entries
cannot be written or read, no service is found.
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
    """Register a home in the context; the caller holds its lock `up`."""
    with suppress(OSError):
        _write_entry(path)
    descriptor = _lock_folder()
    try:
        yield
    finally:
        with suppress(OSError):
            _entry(path).unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def running_elsewhere(path: Path) -> Path | None:
    """Return another home of this user whose service is running; None if there is none."""
    own = os.path.realpath(path)
    return next((home for home in _running() if os.path.realpath(home) != own), None)


def service_runs(path: Path) -> bool:
    """Return whether `atelier up` is running in a home, which need not exist."""
    lock = lock_file(path, "up")
    with suppress(OSError):
        # Empty if none is running: do not try the lock then, which could block one that starts.
        return lock.stat().st_size > 0 and is_held(lock)
    return False


def _running() -> Iterator[Path]:
    with suppress(OSError):
        for entry in sorted(_folder().iterdir()):
            home = Path(os.fsdecode(entry.read_bytes()))
            if service_runs(home):
                yield home
            elif not entry.suffix:  # the service was killed
                entry.unlink(missing_ok=True)


def _write_entry(path: Path) -> None:
    folder = _folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    temporary = _entry(path).with_suffix(".new")
    temporary.write_bytes(os.fsencode(path))
    temporary.rename(_entry(path))


def _lock_folder() -> int | None:
    """Lock the folder, so that systemd-tmpfiles keeps it; return the file descriptor."""
    try:
        descriptor = os.open(_folder(), os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return None
    return descriptor


def _entry(path: Path) -> Path:
    return _folder() / hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _folder() -> Path:
    """Return the folder of the entries; raise OSError if another user could write to it.

    Not in XDG_RUNTIME_DIR: system services and login sessions would have different folders.
    """
    folder = Path(tempfile.gettempdir()) / f"atelier-services-{os.geteuid()}"
    with suppress(FileNotFoundError):
        status = folder.lstat()
        is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        if not is_own or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"{folder} is writable by other users")
    return folder
