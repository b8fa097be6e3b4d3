"""Advisory locks: one import and one verification at a time, with cleanup before and after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from atelier.errors import AtelierError
from atelier.store import imports
from atelier.store.connections.database import SCHEMA
from atelier.store.queries import queries
from atelier.transfer.database.session import session

_QUERIES = queries("atelier.transfer.database")
_ATTEMPTS = 20
_RETRY_DELAY = 0.5  # seconds
_LOCKS = {"import": imports.LOCK, "verify": 0x41_74_56_66}  # keys of advisory locks


@asynccontextmanager
async def exclusive_lock(dsn: str, command: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection that holds the command's advisory lock on this database.

    The command's working schemas are dropped before and after: a killed command may have left
    them. Raises AtelierError if the command is already running.
    """
    async with session(dsn, SCHEMA) as connection:
        if not await connection.fetchval(_QUERIES["try_lock"], _LOCKS[command]):
            raise AtelierError(f"`atelier {command}` is running on this database already.")
        await connection.execute(_QUERIES[f"clean_up_{command}"])
        try:
            yield connection
        finally:
            await _clean_up(dsn, command)


async def _clean_up(dsn: str, command: str) -> None:
    """Drop the working schemas; retry, because a full disk may restart the server."""
    for _ in range(_ATTEMPTS):
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            async with session(dsn, SCHEMA) as connection:
                await connection.execute(_QUERIES[f"clean_up_{command}"])
                return
        await asyncio.sleep(_RETRY_DELAY)
