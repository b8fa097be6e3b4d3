"""The embedded PostgreSQL, which runs while commands use it."""

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
ALREADY_HELD = "already held"
"""The output of a holder process; anything else is an error message."""

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Embedded:
    """The server of a home folder, shared by all commands.

    A command that uses it holds the lock `users`, and starts a holder process (holder.py) if none
    is running. The holder stops the server when no process holds that lock, also after a kill -9.
    """

    home: Home
    server: Server

    @classmethod
    def existing(cls, path: Path) -> "Embedded":
        """Return the server of a home folder; raise AtelierError if it has no database."""
        if not has_database(path):
            remedy = database_of_other_service(path) or _REMEDY
            raise AtelierError(f"There is no database in {path}: {remedy}.")
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "Embedded":
        """Return the server of a home folder, which is created if missing; start nothing."""
        home = Home.open(path)
        programs = postgres_programs(_major_of(home.data))
        account = account_of(home.data, programs)
        server = Server(programs, home.data, home.run, home.log("postgresql.log"), account)
        return cls(home, server)

    @contextmanager
    def used(self) -> Iterator[str]:
        """Start the server if needed and yield its URL; the last user's exit stops it."""
        try:
            with shared(self.home.lock("users")):
                self.ensure_running()
                yield self.server.dsn()
        finally:
            self._wait_for_holder()

    def ensure_running(self) -> None:
        """Start the server if it is not running; raise AtelierError if that fails."""
        with exclusive(self.home.lock("start")):
            while not (self.is_running() and self.server.is_ready()):
                self._start_holder()

    def is_running(self) -> bool:
        """Return whether a holder process is running."""
        return not is_free(self.home.lock("holder"))

    def is_in_use(self) -> bool:
        """Return whether a command is using the server."""
        return is_shared(self.home.lock("users"))

    def describe(self) -> str:
        """Return the server's state as a line of text."""
        if not self.is_running():
            return f"PostgreSQL is not running; its data is in {self.home.data}."
        use = "in use" if self.is_in_use() else "not in use"
        return f"PostgreSQL is running, {use}: {self.server.dsn()}"

    @property
    def keep_file(self) -> Path:
        """A file that exists while the server is kept running without users."""
        return self.home.run / "keep"

    def hold(self) -> None:
        """Keep the server running until `release`."""
        with self.used():
            self.keep_file.touch()

    def release(self) -> bool:
        """Let the server stop when it is not in use; return False if it is in use now."""
        self.keep_file.unlink(missing_ok=True)
        self._wait_for_holder()
        return not self.is_running()

    def _start_holder(self) -> None:
        command = [sys.executable, "-P", "-m", "atelier.local.postgres.holder", str(self.home.path)]
        holder = subprocess.run(
            command,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        output = holder.stdout.strip()
        if output not in {READY, ALREADY_HELD}:
            raise AtelierError(output or f"PostgreSQL did not start. See {self.server.log}.")
        time.sleep(_POLL_SECONDS)

    def _wait_for_holder(self) -> None:
        """Wait for the holder to stop an unused server."""
        while self.is_running() and not self.keep_file.exists() and not self.is_in_use():
            time.sleep(_POLL_SECONDS)


def own_home(settings: Settings) -> Path:
    """Return the embedded server's home; raise AtelierError if another server is configured."""
    if not settings.is_embedded:
        raise AtelierError("ATELIER_DATABASE_URL is set: atelier does not manage that server.")
    return settings.home


def has_database(path: Path) -> bool:
    """Return whether a home folder has a database, or is getting one; create nothing."""
    try:
        data_folder(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return is_held(lock_file(path, "users"))
    except OSError as error:
        raise AtelierError(f"Cannot read {path}: {error.strerror}.") from error
    return True


def database_of_other_service(path: Path) -> str | None:
    """Return a hint if this user's service is running in another home, else None."""
    other = running_elsewhere(path)
    if other is None:
        return None
    if is_held(lock_file(other, "users")):
        command = f"`ATELIER_HOME={shlex.quote(str(other))} atelier ...`"
        return f"your service runs in {other}; {command} uses its database"
    return (
        f"your service runs in {other}, on the database of an ATELIER_DATABASE_URL; set the same "
        "here to use that database"
    )


_REMEDY = (
    "`atelier up` or `atelier db start` creates one; ATELIER_HOME selects another home, "
    "ATELIER_DATABASE_URL another PostgreSQL"
)


def _major_of(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None
