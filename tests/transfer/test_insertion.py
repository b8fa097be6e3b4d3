"""Rows inserted in bulk are logged once."""

import json

import asyncpg

from atelier.transfer.database.session import session
from atelier.transfer.importer.insertion import insertion
from tests.transfer.exports import SILENT

_FILL = "INSERT INTO filled SELECT n, 'text' FROM generate_series($1::bigint, $2::bigint) AS n"
_READ = "EXPLAIN (ANALYZE, WAL, FORMAT JSON) SELECT count(*) FROM filled"


async def _pages_logged_by_reading(connection: asyncpg.Connection) -> int:
    [plan] = json.loads(await connection.fetchval(_READ))
    return int(plan["Plan"].get("WAL FPI", 0))


async def test_reading_inserted_rows_after_a_checkpoint_logs_none_of_their_pages(
    database: str,
) -> None:
    async with session(database, "public") as connection:
        await connection.execute("CREATE TABLE filled (id bigint, text text)")
        with SILENT.task("filled") as task:
            for first in (1, 20_001):
                await insertion(_FILL, task, first, first + 19_999, tables=("filled",))(connection)
        await connection.execute("CHECKPOINT")
        assert await _pages_logged_by_reading(connection) == 0
        assert await connection.fetchval("SELECT count(*) FROM filled") == 40_000
