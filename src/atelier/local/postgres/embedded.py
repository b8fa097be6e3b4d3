"""The embedded PostgreSQL as commands see it: there while somebody uses it."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.host.account import account_of
from atelier.local.host.home import Home, data_folder, lock_file
from atelier.local.host.locks import exclusive, is_free, is_held, is_shared, shared
from atelier.local.host.programs import postgres_programs
from atelier.local.host.registry import running_elsewhere
from atelier.local.postgres.server import Server
from atelier.settings import Settings

READY = "ready"
TAKEN = "taken"
"""What a holder process prints first; anything else is why it could not start."""

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Embedded:
    """The server of one home, which every command shares.

    Whoever needs it holds the lock `users` and starts a holder process (holder.py) if none runs.
    The holder stops the server when nobody holds that lock any more, also after a kill -9.
    """

    home: Home
    server: Server

    @classmethod
    def existing(cls, path: Path) -> "Embedded":
        """Find the server of a home folder; raise AtelierError if it has no database."""
        if not has_database(path):
            remedy = database_of_other_service(path) or _REMEDY
            raise AtelierError(f"There is no database in {path}: {remedy}.")
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "Embedded":
        """Find the server of a home folder, made if missing; nothing is started."""
        home = Home.open(path)
        programs = postgres_programs(_major_of(home.data))
        account = account_of(home.data, programs)
        server = Server(programs, home.data, home.run, home.log("postgresql.log"), account)
        return cls(home, server)

    @contextmanager
    def used(self) -> Iterator[str]:
        """Yield the server's address; it runs until the last that uses it is done."""
        try:
            with shared(self.home.lock("users")):
                self.ensure_running()
                yield self.server.dsn()
        finally:
            self._wait_for_keeper()

    def ensure_running(self) -> None:
        """Start the server if it does not run; raise AtelierError if it cannot."""
        with exclusive(self.home.lock("start")):
            while not (self.is_running() and self.server.answers()):
                self._start_keeper()

    def is_running(self) -> bool:
        """Say whether a keeper is there."""
        return not is_free(self.home.lock("keeper"))

    def is_used(self) -> bool:
        """Say whether a command uses the server now."""
        return is_shared(self.home.lock("users"))

    def describe(self) -> str:
        """Return a line about the server's state."""
        if not self.is_running():
            return f"PostgreSQL does not run; its data is in {self.home.data}."
        use = "in use" if self.is_used() else "not in use"
        return f"PostgreSQL runs, {use}: {self.server.dsn()}"

    @property
    def kept(self) -> Path:
        """A file that is there while the server is to stay without anybody using it."""
        return self.home.run / "kept"

    def hold(self) -> None:
        """Leave the server running, until `release`."""
        with self.used():
            self.kept.touch()

    def release(self) -> bool:
        """Stop the server once nobody uses it; return False if somebody does."""
        self.kept.unlink(missing_ok=True)
        self._wait_for_keeper()
        return not self.is_running()

    def _start_keeper(self) -> None:
        command = [sys.executable, "-P", "-m", "atelier.local.postgres.holder", str(self.home.path)]
        started = subprocess.run(
            command,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        said = started.stdout.strip()
        if said not in {READY, TAKEN}:
            raise AtelierError(said or f"PostgreSQL did not start. More in {self.server.log}.")
        time.sleep(_POLL_SECONDS)

    def _wait_for_keeper(self) -> None:
        """Wait for the server to stop if it is about to."""
        while self.is_running() and not self.kept.exists() and not self.is_used():
            time.sleep(_POLL_SECONDS)


def own_home(settings: Settings) -> Path:
    """Return the embedded server's home; raise AtelierError where another server is set."""
    if not settings.is_embedded:
        raise AtelierError("ATELIER_DATABASE_URL is set: that database is not atelier's to start.")
    return settings.home


def has_database(path: Path) -> bool:
    """Say whether a home folder has a database, or is getting one now; nothing is made."""
    try:
        data_folder(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return is_held(lock_file(path, "users"))
    except OSError as error:
        raise AtelierError(f"Cannot read {path}: {error.strerror}.") from error
    return True


def database_of_other_service(path: Path) -> str | None:
    """Return what to tell where this user's service runs in another home; None if none does."""
    other = running_elsewhere(path)
    if other is None:
        return None
    if is_held(lock_file(other, "users")):
        command = f"`ATELIER_HOME={shlex.quote(str(other))} atelier ...`"
        return f"your service runs in {other}; {command} works on its database"
    return (
        f"your service runs in {other}, on the database of an ATELIER_DATABASE_URL; set the same "
        "here to work on that"
    )


_REMEDY = (
    "`atelier up` or `atelier db start` makes one; ATELIER_HOME names another home, "
    "ATELIER_DATABASE_URL another PostgreSQL"
)


def _major_of(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None
