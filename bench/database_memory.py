"""PostgreSQL's memory: as large as what all systems read, and filled before anything is measured.

A shop's database has been up for days. Which pages a measurement would otherwise find in memory
depends on what ran before it.
"""

import asyncio

from atelier.local.postgres.embedded import Embedded
from atelier.local.postgres.server import total_memory
from bench.data import execute
from bench.sql import SQL

_PART_OF_MEMORY = 0.4
"""The most that PostgreSQL's manual calls reasonable; both schemas lie in one server."""
_MEGABYTE = 1 << 20
_WARM_SECONDS = 600


def enlarge(embedded: Embedded) -> None:
    """Set shared_buffers for good; the server is started for that if it has another size."""
    size = int(total_memory() * _PART_OF_MEMORY) // _MEGABYTE
    setting = f"shared_buffers = '{size}MB'"
    kept = embedded.home.data / "postgresql.auto.conf"
    if kept.exists() and setting in kept.read_text():
        return
    with embedded.used() as server:
        asyncio.run(execute(server, f"ALTER SYSTEM SET {setting}"))


def warm(dsn: str) -> None:
    """Read all tables and indexes of a catalogue into shared_buffers."""
    prepare = "CREATE EXTENSION IF NOT EXISTS pg_prewarm"
    asyncio.run(execute(dsn, prepare, SQL["warm"], seconds=_WARM_SECONDS))
