"""Short-lived PostgreSQL servers for tests, one folder each."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.local.host.account import account_of
from atelier.local.host.programs import postgres_programs
from atelier.local.postgres.server import Server, stop

_DISK, _MEMORY = Path("/tmp"), Path("/dev/shm")  # noqa: S108 - with random names
_PLENTY = 4 << 30
_PREFIX = "atelier-test-"
FAST = {"fsync": "off", "shared_buffers": "128MB", "max_connections": "300"}
"""For tests that do not depend on durability."""


def _installed() -> dict[str, Path]:
    found = {"embedded": postgres_programs()}
    with suppress(AtelierError):
        found["system-15"] = postgres_programs(15)
    return found


INSTALLED = _installed()
"""The PostgreSQLs to test with: the embedded one, and the system's 15 if installed."""

every_postgres = pytest.mark.parametrize("postgres", INSTALLED, indirect=True, scope="session")
"""Parametrizes a test with every installed PostgreSQL."""


def _place() -> Path:
    """Return where folders are made: in memory if there is plenty, else on the disk.

    Creating and dropping hundreds of databases keeps a disk busier than the processors.
    """
    try:
        return _MEMORY if shutil.disk_usage(_MEMORY).free > _PLENTY else _DISK
    except FileNotFoundError:
        return _DISK


def remove_abandoned_folders() -> None:
    """Remove the temporary folders of tests that were killed."""
    for place in (_MEMORY, _DISK):
        for folder in place.glob(f"{_PREFIX}*-*"):
            if not Path("/proc", folder.name.split("-")[2]).exists():
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder with a short name, for sockets, that other users can enter."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_place()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def server(
    programs: Path, folder: Path, settings: dict[str, str] | None = None
) -> Iterator[Server]:
    """Yield a running server whose data, sockets and log are in a folder; create it if missing."""
    made = Server(
        programs,
        folder / "data",
        folder,
        folder / "server.log",
        account_of(folder / "data", programs),
    )
    if not made.data.exists():
        made.create()
    process = made.start(FAST if settings is None else settings)
    try:
        yield made
    finally:
        stop(process)
