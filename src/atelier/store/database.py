"""Connections to PostgreSQL: how they are made, how long they may take, what their loss means."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.pool import PoolConnectionProxy

SCHEMA = "atelier"
"""The schema that holds everything, so that a database can be shared and an import swapped in."""

_ATTEMPTS = 3


class DatabaseUnavailableError(Exception):
    """The database did not answer in time, or not at all: try again later."""


LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""What asyncpg raises where the server or the connection, not the statement, is at fault.

TimeoutError is an OSError.
"""


async def connect(dsn: str, schema: str = SCHEMA) -> asyncpg.Connection:
    """Open one connection that finds its tables in `schema`."""
    return await asyncpg.connect(
        dsn, server_settings={"search_path": f'"{schema}"', "application_name": "atelier"}
    )


async def _no_reset(_connection: asyncpg.Connection) -> None:
    """Save the round trip of asyncpg's reset: no statement here leaves session state behind."""


class Database:
    """A pool of connections, opened on first use.

    An instance therefore starts, and recovers, whatever state the database is in.
    """

    def __init__(self, dsn: str, *, size: int, timeout: float) -> None:
        """Take the address, the most connections, and the seconds that a statement may take."""
        self._dsn = dsn
        self._size = size
        self._timeout = timeout
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Make the pool; no connection is opened yet."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self._size,
            timeout=self._timeout,
            command_timeout=self._timeout,
            reset=_no_reset,
            server_settings={"search_path": SCHEMA, "application_name": "atelier"},
        )

    async def close(self) -> None:
        """Close the connections once their statements are done."""
        if self._pool:
            await self._pool.close()

    async def read(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement that may be run again: a lost connection is tried anew."""
        return await self._attempt(
            query, args, again_after=(*LOST, asyncpg.TransactionRollbackError)
        )

    async def write(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement as its own transaction; committed when this returns.

        It is run again only where PostgreSQL says that it was rolled back (a deadlock), for
        after a lost connection nobody knows.
        """
        return await self._attempt(query, args, again_after=(asyncpg.TransactionRollbackError,))

    async def _attempt(
        self, query: str, args: tuple[object, ...], again_after: tuple[type[Exception], ...]
    ) -> list[asyncpg.Record]:
        attempt = 1
        while True:
            try:
                async with self._connection() as connection:
                    return await connection.fetch(query, *args)
            except TimeoutError as error:
                raise DatabaseUnavailableError from error
            except (*LOST, asyncpg.TransactionRollbackError) as error:
                if attempt == _ATTEMPTS or not isinstance(error, again_after):
                    raise DatabaseUnavailableError from error
            attempt += 1

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[PoolConnectionProxy]:
        assert self._pool, "open() comes first"  # noqa: S101 - a mistake in the code, not in data
        async with self._pool.acquire(timeout=self._timeout) as connection:
            yield connection

    async def stream(
        self, query: str, *args: object, rows: int
    ) -> AsyncGenerator[list[asyncpg.Record], None]:
        """Yield the rows of one statement, `rows` at a time, from one snapshot."""
        try:
            async with self._connection() as connection, connection.transaction(readonly=True):
                cursor = await connection.cursor(query, *args)
                while chunk := await cursor.fetch(rows):
                    yield chunk
        except LOST as error:
            raise DatabaseUnavailableError from error
