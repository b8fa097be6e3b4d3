"""PostgreSQL's memory: large enough for all data, and filled before anything is measured.

A production database has been running for days. Without prewarming, the pages in memory would
depend on what ran before a measurement.
"""

import asyncio

from atelier.local.postgres.embedded import Embedded
from atelier.local.postgres.server import total_memory
from bench.data import execute
from bench.sql import SQL

_MEMORY_FRACTION = 0.4
"""The maximum that PostgreSQL's manual recommends; both schemas are in one server."""
_MEGABYTE = 1 << 20
_WARM_SECONDS = 600


def enlarge(embedded: Embedded) -> None:
    """Set shared_buffers permanently; starts the server if the setting must be changed."""
    size = int(total_memory() * _MEMORY_FRACTION) // _MEGABYTE
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
