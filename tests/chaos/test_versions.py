"""Rolling upgrade to a version with a new migration, under load."""

import asyncio
import os
import subprocess
import sys
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from atelier.local.nginx import nginx
from tests.chaos.assertions import assert_documents_are_the_view, assert_written_once
from tests.chaos.clients import reading
from tests.chaos.findings import Finding
from tests.chaos.known_products import add_products
from tests.chaos.plan import quick_or_full
from tests.chaos.postgres import running_postgres
from tests.chaos.service import connected, pages_served
from tests.chaos.versions import next_code, previous_code
from tests.chaos.writers import writing
from tests.support.cluster import free_port, program, wait_until_ready
from tests.support.postgres import temporary_folder
from tests.support.waiting import wait_until

_MIGRATE = """
import asyncio, sys
from atelier.store.migrate import migrate
print(len(asyncio.run(migrate(sys.argv[1]))))
"""
_SERVE = """
import sys
from pathlib import Path
from atelier.http.server import serve
from atelier.settings import Settings
serve(Settings.from_environment(), database_url=sys.argv[1], socket=Path(sys.argv[2]))
"""
_INSTANCES = quick_or_full(2, 3)
_RATE = quick_or_full(100, 200)
_ON_NEW_SCHEMA = quick_or_full(1, 10)


class RollingUpgrade:
    """A rolling upgrade: instances behind nginx are replaced one by one with another version."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.port = free_port()
        self._dsn = dsn
        self._folder = folder
        self._instances = {folder / f"{n}.sock": ExitStack() for n in range(_INSTANCES)}
        self._nginx = ExitStack()

    def start(self, code: Path) -> None:
        for socket in self._instances:
            self._start(socket, code)
        for socket in self._instances:
            wait_until_ready(socket)
        command = nginx.configure(self._folder, self.port, self._instances)
        self._nginx.enter_context(program(command))
        wait_until_ready(self.port)

    def replace_all(self, code: Path) -> None:
        for socket, instance in self._instances.items():
            instance.close()
            self._start(socket, code)
            wait_until_serving(socket)

    def stop(self) -> None:
        for stack in (self._nginx, *self._instances.values()):
            stack.close()

    def _start(self, socket: Path, code: Path) -> None:
        command = [sys.executable, "-P", "-c", _SERVE, self._dsn, str(socket)]
        self._instances[socket].enter_context(program(command, PYTHONPATH=str(code)))


def wait_until_serving(socket: Path) -> None:
    """Wait until nginx uses an instance again: only then may the next one be replaced."""
    wait_until(
        lambda: asyncio.run(pages_served(socket)) > 0, f"nginx sends no requests to {socket}"
    )


def migrate_with(code: Path, dsn: str) -> int:
    """Apply a version's migrations; return how many were new."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _MIGRATE, dsn],
        env=os.environ | {"PYTHONPATH": str(code)},
        check=True,
        capture_output=True,
    )
    return int(done.stdout)


@pytest.mark.fault(
    "new version with a new migration rolled over a running old one, the previous commit's",
    "0 errors, also while the old code runs on the new schema",
)
async def test_rolling_upgrade_from_the_previous_version_fails_no_request(
    finding: Finding,
) -> None:
    with temporary_folder() as folder:
        old, name = previous_code(folder / "previous")
        finding.record(name)
        await replace_under_load(folder, old, next_code(folder / "next"), finding)


async def replace_under_load(folder: Path, old: Path, new: Path, finding: Finding) -> None:
    """Migrate, then replace the instances one by one; no request may fail."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(running_postgres(folder))
        assert await asyncio.to_thread(migrate_with, old, postgres.dsn)
        connection = await stack.enter_async_context(connected(postgres.dsn))
        products = await add_products(connection)
        upgrade = RollingUpgrade(postgres.dsn, folder)
        stack.callback(upgrade.stop)
        await asyncio.to_thread(upgrade.start, old)
        address = ("127.0.0.1", upgrade.port)
        async with (
            reading(address, products, _RATE) as reads,
            writing(address, connection, _RATE / 2, frozenset()) as (writes, writers),
        ):
            await asyncio.sleep(1)
            assert await asyncio.to_thread(migrate_with, new, postgres.dsn)
            await asyncio.sleep(_ON_NEW_SCHEMA)
            await asyncio.to_thread(upgrade.replace_all, new)
            await asyncio.sleep(1)
        await assert_written_once(connection, writers)
        await assert_documents_are_the_view(connection)
    finding.record(f"{len(reads.all)} reads and {len(writes.all)} requests of writers")
    finding.record(f"{(reads.faults + writes.faults).total()} errors")
    assert reads.faults + writes.faults == {}
