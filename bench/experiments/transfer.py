"""The duration of an import compared with its floor, a plain COPY into PostgreSQL."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path

import asyncpg

from bench import memory
from bench.data import atelier, copy_files, create_database, drop_database, export_folder
from bench.processes import finish, started
from bench.results import Transfer
from bench.sql import SQL
from bench.stage import Stage

_DATABASE = "bench_transfer"
_TIMEOUT_SECONDS = 1800


def measure(stage: Stage) -> None:
    """Load the same files with a plain COPY and with `atelier import`, then run `verify`."""
    folder = export_folder(stage.home, stage.plan.products, stage.log)
    _read_once(folder)
    for number in range(stage.plan.transfer_rounds):
        stage.log(f"Import, round {number + 1} of {stage.plan.transfer_rounds}.")
        stage.results.transfer.append(_round(stage, folder))
    stage.results.commands |= {
        "floor of an import": "COPY, then bench/sql/indexes.sql, on bench/sql/tables.sql",
        "import": "atelier import EXPORT --strict",
        "verify": "atelier verify EXPORT",
    }


def _round(stage: Stage, folder: Path) -> Transfer:
    server = stage.embedded.server
    dsn = server.dsn(_DATABASE)
    try:
        asyncio.run(create_database(server.dsn(), _DATABASE))
        floor = _timed(_plain(dsn, folder))
        asyncio.run(create_database(server.dsn(), _DATABASE))
        rejects = stage.load.scratch / "rejects.csv"
        options = ("--strict", "--rejects", str(rejects))
        imported, peak = _command(stage, dsn, "import", str(folder), *options)
        verified, _ = _command(stage, dsn, "verify", str(folder))
        return Transfer(floor, imported, verified, peak)
    finally:
        asyncio.run(drop_database(server.dsn(), _DATABASE))


async def _plain(dsn: str, folder: Path) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await copy_files(connection, folder)
        await connection.execute(SQL["indexes"])
    finally:
        await connection.close()


def _timed(work: Awaitable[None]) -> float:
    async def run() -> None:
        await work

    start = time.monotonic()
    asyncio.run(run())
    return time.monotonic() - start


def _command(stage: Stage, dsn: str, name: str, *arguments: str) -> tuple[float, float]:
    """Run a command of the service; return its duration in seconds and peak memory in MB."""
    log = stage.load.scratch / f"{name}.log"
    start = time.monotonic()
    with (
        started(
            [*atelier(name), *arguments], log=log, environment={"ATELIER_DATABASE_URL": dsn}
        ) as process,
        memory.sampled(memory.tree_sampler(process.pid), interval=0.1) as peak,
    ):
        finish(process, log, _TIMEOUT_SECONDS)
    return time.monotonic() - start, peak.value.proportional


def _read_once(folder: Path) -> None:
    """Read the files into the page cache, or the first measurement would include disk reads."""
    for path in folder.glob("*.csv"):
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass
