"""Puts a finished build in the place of the live schema: one small transaction."""

import asyncio

import asyncpg

from atelier.errors import AtelierError
from atelier.store.sql import queries

_QUERIES = queries("atelier.transfer")
_ATTEMPTS = 100
_PAUSE = 0.3  # seconds


async def publish(connection: asyncpg.Connection, *, replace: bool) -> None:
    """Swap the schemas; readers see all of the old rows before, all of the new ones after.

    The lock is given up after a moment and asked for again, so that one slow reader does not
    hold up all others. Raises AtelierError if rows were written to the live tables meanwhile
    (unless they are to be replaced), or if the tables stay in use.
    """
    for _ in range(_ATTEMPTS):
        try:
            await _swap(connection, replace=replace)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(_PAUSE)
        else:
            return
    raise AtelierError("The tables are in use without a break: run the import again later.")


async def _swap(connection: asyncpg.Connection, *, replace: bool) -> None:
    async with connection.transaction():
        await connection.execute(_QUERIES["lock_live_tables"])
        if not replace and not await connection.fetchval(_QUERIES["is_empty"]):
            raise AtelierError(
                "Rows were written while the import ran; nothing was imported. "
                "Run it again to merge, or with --replace."
            )
        await connection.execute(_QUERIES["swap_schemas"])
