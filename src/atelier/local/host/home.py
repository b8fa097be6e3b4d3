"""The folder of one installation (ATELIER_HOME): what lies where."""

import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.host.account import nobody

_TEMPORARY = Path("/tmp")  # noqa: S108 - not TMPDIR: every command must come to the same folder
_LONGEST_RUN_FOLDER = 107 - len("/postgresql/.s.PGSQL.5432")
_PLAIN_PATH = re.compile(r"[\w./+@-]+", re.ASCII)


_LOCKS = ("keeper", "start", "up", "users")


@dataclass(frozen=True, slots=True)
class Home:
    """Paths in the home folder, and the run folder, which may have to be elsewhere."""

    path: Path
    run: Path
    """Sockets and configurations of what runs now; empty or gone when nothing does."""

    @classmethod
    def at(cls, path: Path) -> "Home":
        """Return the paths; nothing is made, and nothing need be there."""
        return cls(path, _run_folder(path))

    @classmethod
    def open(cls, path: Path) -> "Home":
        """Make the folders; raise AtelierError if they cannot be made or written to."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            home = cls.at(path)
            for file in (home.log("postgresql.log"), *map(home.lock, _LOCKS)):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
        except OSError as error:
            raise AtelierError(
                f"Cannot write to {path}: {error.strerror}. "
                "Set ATELIER_HOME to a folder that you may write to and that has room."
            ) from error
        return home

    @property
    def data(self) -> Path:
        """The embedded PostgreSQL's data folder."""
        return data_folder(self.path)

    @property
    def processes(self) -> Path:
        """Where a service notes the programs it has started (atelier.local.cluster.orphans)."""
        return self.lock("processes")

    def lock(self, name: str) -> Path:
        """Return a lock file; it stays when nothing runs, for removing one is a race."""
        return lock_file(self.path, name)

    def log(self, name: str) -> Path:
        """Return a log file."""
        return log_folder(self.path) / name

    def make_run_folder(self) -> None:
        """Make the run folder if need be; raise AtelierError if it is someone else's."""
        self.run.mkdir(exist_ok=True)
        found = self.run.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in _owners(self.path):
            raise AtelierError(f"{self.run} is in the way and not yours: remove it.")
        # As root, servers of other users have to enter it; they cannot list it or write to it.
        self.run.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def clean_up(self) -> None:
        """Remove the run folder if nothing is in it any more."""
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
    """Return `run` in the home, or a private folder where sockets could not be reached there.

    The path of a socket ends at 107 bytes, and it stands in configuration files; as root,
    PostgreSQL and nginx's workers are other users, who may not be able to enter the home.
    """
    inside = path / "run"
    if (
        len(os.fsencode(inside)) <= _LONGEST_RUN_FOLDER
        and _PLAIN_PATH.fullmatch(str(inside))
        and (os.geteuid() != 0 or nobody().can_enter(path))
    ):
        return inside
    return _TEMPORARY / f"atelier-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"
