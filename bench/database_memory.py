"""PostgreSQL's memory: large enough for all data, and filled before anything is measured.

A production database has been running for days. Without prewarming, the pages in memory would
depend on what ran before a measurement.
"""

import asyncio

from atelier.local.postgres.embedded import Embedded
from atelier.local.postgres.server import total_memory
from bench.data import execute
from bench.sql import SQL

_MEMORY_FRACTION = 0.6
"""All systems' tables are in one server: 12.4 GB at full size, of the machine's 24 GB."""
_DIRECT = "debug_io_direct"
_KILOBYTE = 1 << 10
_MEGABYTE = 1 << 20
_WARM_SECONDS = 600


def enlarge(embedded: Embedded) -> None:
    """Set shared_buffers permanently; starts the server if the setting must be changed."""
    size = int(total_memory() * _MEMORY_FRACTION) // _MEGABYTE
    kept = embedded.home.data / "postgresql.auto.conf"
    text = kept.read_text() if kept.exists() else ""
    if f"shared_buffers = '{size}MB'" not in text or _DIRECT in text:
        _set(embedded, f"SET shared_buffers = '{size}MB'", f"RESET {_DIRECT}")


def limit(embedded: Embedded, size: int) -> None:
    """Set shared_buffers to some bytes until the next `enlarge`, and bypass the page cache.

    All memory that the data has is then in shared_buffers. PostgreSQL 16 or newer can do that.
    """
    buffers = f"SET shared_buffers = '{size // _KILOBYTE}kB'"
    _set(embedded, buffers, f"SET {_DIRECT} = 'data'")


def _set(embedded: Embedded, *settings: str) -> None:
    with embedded.used() as server:
        asyncio.run(execute(server, *(f"ALTER SYSTEM {setting}" for setting in settings)))


def warm(dsn: str) -> None:
    """Read all tables and indexes of a catalogue into shared_buffers."""
    prepare = "CREATE EXTENSION IF NOT EXISTS pg_prewarm"
    asyncio.run(execute(dsn, prepare, SQL["warm"], seconds=_WARM_SECONDS))
