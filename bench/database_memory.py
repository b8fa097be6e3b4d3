"""PostgreSQL's memory: as large as what all systems read, and filled before anything is measured.

A shop's database has been up for days. Which pages a measurement would otherwise find in memory
depends on what ran before it.
"""

import asyncio

import asyncpg

from atelier.local.embedded import Embedded
from atelier.local.memory import total_memory
from bench.sql import SQL

_PART_OF_MEMORY = 0.4
"""The most that PostgreSQL's manual calls reasonable; both schemas lie in one server."""
_MEGABYTE = 1 << 20
_WARM_SECONDS = 600


def enlarge(embedded: Embedded) -> None:
    """Set shared_buffers for good, with a restart if it was different."""
    with embedded.used() as server:
        asyncio.run(_enlarge(server))


async def warm(dsn: str) -> None:
    """Read all tables and indexes of a catalogue into shared_buffers."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        await connection.fetchval(SQL["warm"], timeout=_WARM_SECONDS)
    finally:
        await connection.close()


async def _enlarge(server: str) -> None:
    size = int(total_memory() * _PART_OF_MEMORY) // _MEGABYTE
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"ALTER SYSTEM SET shared_buffers = '{size}MB'")
    finally:
        await connection.close()
