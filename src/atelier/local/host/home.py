"""The layout of the home folder of a service (ATELIER_HOME)."""

import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.host.account import nobody

_TEMPORARY = Path("/tmp")  # noqa: S108 - not TMPDIR: all commands must use the same folder
_MAX_RUN_FOLDER_BYTES = 107 - len("/postgresql/.s.PGSQL.5432")
_PLAIN_PATH = re.compile(r"[\w./+@-]+", re.ASCII)


_LOCKS = ("holder", "start", "up", "users")


@dataclass(frozen=True, slots=True)
class Home:
    """The paths in the home folder, and the run folder, which may be outside of it."""

    path: Path
    run: Path
    """Sockets and configurations of running programs; empty or missing if none is running."""

    @classmethod
    def at(cls, path: Path) -> "Home":
        """Return the paths; create nothing, and require nothing to exist."""
        return cls(path, _run_folder(path))

    @classmethod
    def open(cls, path: Path) -> "Home":
        """Create the folders; raise AtelierError if they cannot be created or written to."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            home = cls.at(path)
            for file in (home.log("postgresql.log"), *map(home.lock, _LOCKS)):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
        except OSError as error:
            raise AtelierError(
                f"Cannot write to {path}: {error.strerror}. "
                "Set ATELIER_HOME to a writable folder with free disk space."
            ) from error
        return home

    @property
    def data(self) -> Path:
        """The embedded PostgreSQL's data folder."""
        return data_folder(self.path)

    @property
    def processes(self) -> Path:
        """The file that records the service's programs (atelier.local.cluster.orphans)."""
        return self.lock("processes")

    def lock(self, name: str) -> Path:
        """Return a lock file; it is never removed, because that would be a race."""
        return lock_file(self.path, name)

    def log(self, name: str) -> Path:
        """Return a log file."""
        return log_folder(self.path) / name

    def make_run_folder(self) -> None:
        """Create the run folder if missing; raise AtelierError if another user owns it."""
        self.run.mkdir(exist_ok=True)
        status = self.run.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in _owners(self.path):
            raise AtelierError(f"{self.run} exists and is not yours: remove it.")
        # As root, servers run as other users: they may enter the folder, but not list or write it.
        self.run.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def clean_up(self) -> None:
        """Remove the run folder if it is empty."""
        with suppress(OSError):
            self.run.rmdir()


def lock_file(path: Path, name: str) -> Path:
    """Return a lock file of a home folder."""
    return path / "lock" / name


def data_folder(path: Path) -> Path:
    """Return the data folder of a home folder's PostgreSQL."""
    return path / "postgresql"


def log_folder(path: Path) -> Path:
    """Return the folder of a home folder's log files."""
    return path / "log"


def _owners(path: Path) -> set[int]:
    return {os.geteuid(), path.stat().st_uid}


def _run_folder(path: Path) -> Path:
    """Return `run` in the home, or a private folder if sockets could not be used there.

    The path of a socket has at most 107 bytes and is written to configuration files; as root,
    PostgreSQL and nginx's workers run as other users, which may not be able to enter the home.
    """
    inside = path / "run"
    if (
        len(os.fsencode(inside)) <= _MAX_RUN_FOLDER_BYTES
        and _PLAIN_PATH.fullmatch(str(inside))
        and (os.geteuid() != 0 or nobody().can_enter(path))
    ):
        return inside
    return _TEMPORARY / f"atelier-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"
