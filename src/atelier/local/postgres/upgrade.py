"""Upgrades the embedded PostgreSQL's data to a newer major version, with pg_upgrade."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from atelier.errors import AtelierError
from atelier.local.host.locks import exclusive
from atelier.local.host.programs import major_version, postgres_programs
from atelier.local.postgres.embedded import Embedded
from atelier.local.postgres.server import USER, Server, stop

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade that is possible: from the version of the data to the newest installed one."""

    embedded: Embedded
    programs: Path
    """Those of the newer version."""
    old: int
    new: int

    @classmethod
    def of(cls, embedded: Embedded) -> "Upgrade | None":
        """Return the upgrade of a server; None if its version is the newest."""
        programs = postgres_programs()
        old, new = major_version(embedded.server.programs), major_version(programs)
        _keep_replaced_data(embedded.server.data, old)
        return cls(embedded, programs, old, new) if new > old else None

    def __str__(self) -> str:
        """Return what happens, as a question begins."""
        size = _size(self.embedded.server.data) // _MEGABYTE
        return f"Copy {size:,} MB of data from PostgreSQL {self.old} to {self.new}"

    def run(self) -> Path:
        """Upgrade; return the folder that the old data is in now.

        Raises AtelierError, and leaves the data as it was, if that fails.
        """
        server = self.embedded.server
        self._check()
        home = self.embedded.home
        with ExitStack() as stack:
            lock = self._lock(stack)
            home.make_run_folder()
            stack.callback(home.clean_up)
            with _running(server):
                pass  # pg_upgrade requires a server that was stopped cleanly
            upgraded = replace(server, programs=self.programs, data=_new_data(server.data))
            shutil.rmtree(upgraded.data, ignore_errors=True)
            upgraded.create()
            try:
                self._copy(upgraded, lock)
                _analyze(upgraded)
                _exchange(upgraded.data, server.data)
            except BaseException:
                shutil.rmtree(upgraded.data, ignore_errors=True)
                raise
            return _keep_replaced_data(server.data, self.new)

    def _check(self) -> None:
        if self.embedded.is_running():
            raise AtelierError(
                "PostgreSQL is running: stop `atelier up` and other commands, and run "
                "`atelier db stop`, then run this again."
            )
        data = self.embedded.server.data
        needed, free = _size(data), shutil.disk_usage(data).free
        if free < needed:
            raise AtelierError(
                f"The copy needs {needed // _MEGABYTE:,} MB, but the disk of {data} has only "
                f"{free // _MEGABYTE:,} MB free: free some space."
            )

    def _lock(self, stack: ExitStack) -> TextIO:
        """Keep other commands from using the server; return the file of the lock."""
        try:
            return stack.enter_context(exclusive(self.embedded.home.lock("users"), wait=False))
        except BlockingIOError:
            raise AtelierError("Another command uses PostgreSQL: run this again later.") from None

    def _copy(self, upgraded: Server, lock: TextIO) -> None:
        """Run pg_upgrade, which holds the lock until it ends, even if this process is killed."""
        server, account = self.embedded.server, self.embedded.server.account
        folders = ("-d", server.data, "-D", upgraded.data)
        programs = ("-b", server.programs, "-B", upgraded.programs)
        done = account.run(
            upgraded.programs / "pg_upgrade",
            *folders,
            *programs,
            *("-U", USER, "-s", upgraded.data),
            folder=upgraded.data,
            keep_open=[lock.fileno()],
        )
        with server.log.open("a", errors="replace") as log:
            log.write(done.stdout)
        if done.returncode:
            raise AtelierError(f"pg_upgrade failed, the data is unchanged. See {server.log}.")


def _analyze(server: Server) -> None:
    """Collect the planner's statistics, which not every version takes along."""
    with _running(server):
        done = server.account.run(
            server.programs / "vacuumdb",
            "--all",
            "--analyze-only",
            f"--maintenance-db={server.dsn()}",
        )
    if done.returncode:
        raise AtelierError(f"ANALYZE failed, the data is unchanged: {done.stdout.strip()}")


@contextmanager
def _running(server: Server) -> Iterator[None]:
    process = server.start()
    try:
        yield
    finally:
        stop(process)
        server.clean_up()


def _new_data(data: Path) -> Path:
    return data.with_name(f"{data.name}.upgrade")


def _keep_replaced_data(data: Path, version: int) -> Path:
    """Name the folder of the replaced data by its version; return that name.

    It stands in the new data's place after the exchange, and still does if the upgrade was killed
    then. Data of a newer version there is an unfinished copy, which the next run replaces.
    """
    replaced = _new_data(data)
    try:
        old = int((replaced / "PG_VERSION").read_text())
    except FileNotFoundError:
        return replaced
    if old >= version:
        return replaced
    names = (f"{data.name}-{old}{suffix}" for suffix in ("", *(f".{n}" for n in range(2, 100))))
    return replaced.rename(next(p for p in map(data.with_name, names) if not p.exists()))


def _exchange(first: Path, second: Path) -> None:
    """Exchange two folders in one step, so that there is data whenever the process is killed."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    names = (os.fsencode(first), os.fsencode(second))
    if renameat2 and not renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
        return
    # Not on this system or file system: two steps, between which `second` is missing.
    aside = second.with_name(f"{second.name}.aside")
    second.rename(aside)
    first.rename(second)
    aside.rename(first)


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
