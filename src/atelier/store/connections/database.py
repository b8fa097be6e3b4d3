"""Connections to PostgreSQL: how they are made, how long they may take, what their loss means."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress
from functools import partial

import asyncpg

from atelier import metrics
from atelier.store.connections.hosts import Connect, connect_to_primary, with_backoff
from atelier.store.connections.pool import ConnectionPool, PoolExhaustedError

SCHEMA = "atelier"
"""The schema that holds everything, so that a database can be shared and an import swapped in."""


class DatabaseUnavailableError(Exception):
    """The database is not there, or does not take the work: try again later."""


class DatabaseTimeoutError(DatabaseUnavailableError, TimeoutError):
    """The database did not answer in time."""


class SchemaMismatchError(DatabaseUnavailableError):
    """The database lacks what a statement names: its schema is not the one this version needs."""


class MissingRightsError(SchemaMismatchError):
    """The role may not do what a statement does."""


LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""What asyncpg raises where the server or the connection, not the statement, is at fault.

TimeoutError is an OSError. InternalClientError comes between a server's last word (that it was
terminated) and the end of the connection.
"""

UNDEFINED = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InvalidColumnReferenceError,
    asyncpg.DatatypeMismatchError,
    asyncpg.WrongObjectTypeError,
    asyncpg.InsufficientPrivilegeError,
)
"""What asyncpg raises where a statement does not fit the database's schema, or its rights."""

_GIVEN_UP = (asyncpg.LockNotAvailableError, asyncpg.IdleInTransactionSessionTimeoutError)
"""What asyncpg raises where a limit of the server has passed; that of a statement is in LOST."""
_LOCK_SHARE = 0.8
"""The part of a statement's time that it may wait for one lock."""
_IDLE_TIMES = 12
"""How many times a statement's time a transaction may be idle: as long as nginx waits for a client
that takes nothing of a large page (send_timeout), by default."""

_ROLLED_BACK = (asyncpg.TransactionRollbackError, asyncpg.ReadOnlySQLTransactionError)
"""What says for certain that a statement has changed nothing and may be run again."""


async def connect(dsn: str, schema: str = SCHEMA) -> asyncpg.Connection:
    """Open one connection to the primary that finds its tables in `schema`."""
    return await connect_to_primary(
        dsn, server_settings={"search_path": f'"{schema}"', "application_name": "atelier"}
    )


class Database:
    """A few connections, opened on first use.

    An instance therefore starts, and recovers, whatever state the database is in. Nobody waits
    longer than the timeout, and no more than a set number wait at all.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int,
        timeout: float,
        connect: Connect = connect_to_primary,
    ) -> None:
        """Take the address, the most connections, and the seconds for a statement.

        Connections are to the primary of the address, unless `connect` makes others.
        """
        self._dsn = dsn
        self._size = size
        self._timeout = timeout
        self._connections = ConnectionPool(
            partial(
                with_backoff(connect),
                dsn,
                timeout=timeout,
                server_settings={
                    "search_path": SCHEMA,
                    "application_name": "atelier",
                    # Free the server of what we gave up on, and others of what we hold.
                    "statement_timeout": _milliseconds(timeout),
                    "lock_timeout": _milliseconds(timeout * _LOCK_SHARE),
                    "idle_in_transaction_session_timeout": _milliseconds(timeout * _IDLE_TIMES),
                    # Statements are few and their plans do not depend on the values: to plan each
                    # anew costs a small batch more than to run it (docs/decisions/0009).
                    "plan_cache_mode": "force_generic_plan",
                },
            ),
            size,
        )

    async def open(self) -> None:
        """Begin what goes on beside requests: nothing, for connections are opened by these."""

    async def close(self) -> None:
        """Close the connections once their statements are done."""
        await self._connections.close()

    def measure(self, name: str) -> None:
        """Show the connections in the metrics, under a name."""
        shown, connections = metrics.POOL_CONNECTIONS, self._connections
        shown.labels(name, "open").set_function(lambda: connections.open)
        shown.labels(name, "idle").set_function(lambda: connections.idle)

    async def read(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement that may be run again: a lost connection is tried anew."""
        return await self._attempt(
            query, args, again_after=(*LOST, asyncpg.TransactionRollbackError)
        )

    async def write(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement as its own transaction; committed when this returns.

        It is run again only where PostgreSQL says that it was rolled back (a deadlock, a primary
        that is none any more), for after a lost connection nobody knows.
        """
        return await self._attempt(query, args, again_after=_ROLLED_BACK)

    async def stream(
        self, query: str, *args: object, rows: int
    ) -> AsyncGenerator[list[asyncpg.Record], None]:
        """Yield the rows of one statement, `rows` at a time, from one snapshot."""
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self._timeout):
                    connection = await stack.enter_async_context(self._connections.acquire())
                    await stack.enter_async_context(connection.transaction(readonly=True))
                    cursor = await connection.cursor(query, *args)
                while chunk := await cursor.fetch(rows, timeout=self._timeout):
                    yield chunk
        except TimeoutError as error:
            raise DatabaseTimeoutError from error
        except UNDEFINED as error:
            raise mismatch(error) from error
        except (*LOST, *_GIVEN_UP, PoolExhaustedError) as error:
            raise DatabaseUnavailableError from error

    async def _attempt(
        self, query: str, args: tuple[object, ...], again_after: tuple[type[Exception], ...]
    ) -> list[asyncpg.Record]:
        try:
            async with asyncio.timeout(self._timeout):
                for _ in range(self._size):  # each of the connections may have been cut
                    with suppress(*again_after):
                        return await self._once(query, args)
                return await self._once(query, args)
        except TimeoutError as error:
            metrics.DATABASE_ERRORS.labels("TimeoutError").inc()
            raise DatabaseTimeoutError from error
        except UNDEFINED as error:
            metrics.DATABASE_ERRORS.labels(type(error).__name__).inc()
            raise mismatch(error) from error
        except (*LOST, *_GIVEN_UP, PoolExhaustedError, asyncpg.TransactionRollbackError) as error:
            metrics.DATABASE_ERRORS.labels(type(error).__name__).inc()
            raise DatabaseUnavailableError from error

    async def _once(self, query: str, args: tuple[object, ...]) -> list[asyncpg.Record]:
        async with self._connections.acquire() as connection:
            return await connection.fetch(query, *args)


def mismatch(error: Exception) -> SchemaMismatchError:
    """Return the error of ours for one of UNDEFINED."""
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return MissingRightsError()
    return SchemaMismatchError()


def _milliseconds(seconds: float) -> str:
    """Return a time as a server's setting; 0 would mean that there is no limit."""
    return str(max(1, int(seconds * 1000)))
