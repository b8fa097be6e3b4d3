"""The data: generated once, loaded once into the schemas of the service and the peers, reused."""

import asyncio
import itertools
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.console import Console

from atelier.errors import AtelierError
from atelier.local.postgres.embedded import Embedded
from atelier.transfer.files.layout import FILES
from atelier.transfer.generator import generate
from atelier.transfer.progress import progress_for
from bench.home import BenchHome, schema_digest
from bench.processes import run
from bench.sql import SQL

SEED = 1
SCALE_DOWN = 100
"""Latency growth is measured against a database smaller by this factor."""
LARGE_PRODUCT = 2_000_000_000
"""The product with 50,000 questions (bench/sql/large_product.sql)."""

_BYTES_PER_PRODUCT = 20 << 10
"""Disk space for the export, both schemas, and an import into a separate database."""
_NOTHING: Mapping[str, str] = {}
_COPY_SECONDS = 900
_IMPORT_SECONDS = 1800

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A loaded database, and the id ranges for workloads."""

    dsn: str
    products: int
    questions: int
    answers: int
    photos: int
    hot_product: int
    bytes: int


def export_folder(home: BenchHome, products: int, log: Log) -> Path:
    """Return the folder of an export; generate it if missing."""
    folder = home.export(products)
    if not (folder / "questions.csv").exists():
        log(f"Generating an export of {products:,} products, once.")
        generate(folder, products=products, seed=SEED, progress=progress_for(Console()))
    return folder


def catalogue(home: BenchHome, embedded: Embedded, products: int, log: Log) -> Catalogue:
    """Return the loaded database of an export; load it if missing or outdated."""
    dsn = embedded.server.dsn(f"bench_{products}")
    if not asyncio.run(_is_current(embedded.server.dsn(), products)):
        _check_disk_space(home, products)
        folder = export_folder(home, products, log)
        log(f"Loading {products:,} products for the service and for the peers, once.")
        asyncio.run(create_database(embedded.server.dsn(), f"bench_{products}"))
        load_service(dsn, folder)
        asyncio.run(load_peers(dsn, folder))
        asyncio.run(add_rows(dsn, products, "check_products", "large_product"))
        asyncio.run(vacuum_and_checkpoint(dsn))
        asyncio.run(_mark_current(embedded.server.dsn(), products))
    return asyncio.run(describe(dsn, products))


async def describe(dsn: str, products: int) -> Catalogue:
    """Return a loaded database and its id ranges."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "peer"})
    try:
        row = await connection.fetchrow(SQL["catalogue"])
        return Catalogue(dsn, products, *(row or ()))
    finally:
        await connection.close()


async def create_database(server: str, name: str) -> None:
    """Create an empty database, replacing one of the same name."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


async def drop_database(server: str, name: str) -> None:
    """Drop a database, terminating its connections."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await connection.close()


def load_service(dsn: str, folder: Path, environment: Mapping[str, str] = _NOTHING) -> None:
    """Import an export into the service's schema, with the service's own command.

    `environment` may select another version of it.
    """
    run(
        [*atelier("import"), str(folder), "--strict", "--rejects", str(folder / "rejects.csv")],
        environment={"ATELIER_DATABASE_URL": dsn, **environment},
        seconds=_IMPORT_SECONDS,
    )


async def load_peers(dsn: str, folder: Path) -> None:
    """Load an export into plain tables in the schema `peer`."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE SCHEMA peer")
        await connection.execute("SET search_path = peer")
        await copy_files(connection, folder)
        for step in ("peer_dates", "indexes", "peer_rules"):
            await connection.execute(SQL[step])
    finally:
        await connection.close()


async def add_rows(dsn: str, products: int, *steps: str) -> None:
    """Add rows outside the catalogue to the schemas of the service and the peers."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT set_config('bench.products', $1, false)", str(products))
        for schema, step in itertools.product(("atelier", "peer"), steps):
            await connection.execute(f"SET search_path = {schema}")
            await connection.execute(SQL[step])
    finally:
        await connection.close()


async def vacuum_and_checkpoint(dsn: str) -> None:
    """Run vacuum and checkpoint now, so that neither runs during a measurement."""
    await execute(dsn, "VACUUM ANALYZE", "CHECKPOINT")


async def execute(dsn: str, *statements: str, seconds: float | None = None) -> None:
    """Run statements one after the other, each with a timeout in seconds, if given."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement, timeout=seconds)
    finally:
        await connection.close()


async def copy_files(connection: asyncpg.Connection, folder: Path) -> None:
    """Create plain tables in the first schema of the search path, and copy an export into them."""
    await connection.execute(SQL["tables"])
    schema = await connection.fetchval("SELECT current_schema()")
    for file in FILES:
        await connection.copy_to_table(
            file.table,
            schema_name=schema,
            source=folder / file.name,
            format="csv",
            header=True,
            timeout=_COPY_SECONDS,
        )


def atelier(*command: str) -> list[str]:
    """Return the command line of a command of the service."""
    return [sys.executable, "-P", "-m", "atelier", *command]


def _check_disk_space(home: BenchHome, products: int) -> None:
    needed, free = products * _BYTES_PER_PRODUCT, shutil.disk_usage(home.path).free
    if free < needed:
        raise AtelierError(
            f"{products:,} products need {needed >> 30} GB in {home.path}, and {free >> 30} GB are "
            "free: make room, or set ATELIER_BENCH_HOME to a folder on another disk."
        )


async def _is_current(server: str, products: int) -> bool:
    connection = await asyncpg.connect(server)
    try:
        loaded = await connection.fetchval(SQL["database_digest"], f"bench_{products}")
        return bool(loaded == schema_digest())
    finally:
        await connection.close()


async def _mark_current(server: str, products: int) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"COMMENT ON DATABASE bench_{products} IS '{schema_digest()}'")
    finally:
        await connection.close()
