"""A backup drill with times: `python -m bench.drill DATABASE_URL`.

Backs the database up, restores it into a new database beside it, compares all rows, and removes
what it made. Nobody may write meanwhile. The role must be allowed to create databases.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg

from atelier.local.postgres.backup import back_up, restore
from atelier.store.connections.url import DatabaseUrl

_COPY = "atelier_drill"
_TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
_SIZE = "SELECT pg_database_size(current_database())"
_DIGEST = "SELECT count(*) AS rows, sum(hashtextextended(t::text, 0)) AS digest FROM {} AS t"

Contents = dict[str, tuple[int, object]]
"""The number of rows of each table, and a digest of them."""


def drill(url: str) -> None:
    """Back up, restore and compare; print the times. Raises AtelierError."""
    copy = str(replace(DatabaseUrl.parse(url), path=f"/{_COPY}"))
    _say(f"database: {asyncio.run(_size(url)) / 1e6:,.0f} MB on the disk")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "atelier.dump"
        with _timed("backup"):
            size = back_up(url, file)
        _say(f"file: {size / 1e6:,.0f} MB")
        asyncio.run(_run(url, f"CREATE DATABASE {_COPY}"))
        try:
            with _timed("restore"):
                restore(copy, file)
            compared, original = asyncio.run(_contents(copy)), asyncio.run(_contents(url))
            if compared != original:
                differing = sorted(dict(compared.items() ^ original.items()))
                sys.exit(f"The restored rows differ: {', '.join(differing)}. Does something write?")
        finally:
            asyncio.run(_run(url, f"DROP DATABASE {_COPY}"))
    rows = sum(count for count, _ in compared.values())
    _say(f"compared: {rows:,} rows of {len(compared)} tables are equal")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    _say(f"{what}: {time.monotonic() - start:.1f} s")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _size(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        size: int = await connection.fetchval(_SIZE)
        return size
    finally:
        await connection.close()


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _contents(url: str) -> Contents:
    connection = await asyncpg.connect(url)
    try:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        found = {name: await connection.fetch(_DIGEST.format(name)) for name in tables}
        return {name: (row["rows"], row["digest"]) for name, [row] in found.items()}
    finally:
        await connection.close()


if __name__ == "__main__":
    drill(sys.argv[1])
