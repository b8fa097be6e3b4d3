"""Runs statements on pooled connections, with timeouts, retries and error classification."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from functools import partial

import asyncpg

from atelier import metrics
from atelier.errors import AtelierError
from atelier.store.connections.hosts import Connect, connect_to_primary, with_backoff
from atelier.store.connections.pool import ConnectionPool, PoolExhaustedError

SCHEMA = "atelier"
"""The schema of all tables: a database can be shared, and an import can swap the schema."""

_DIRECT = "atelier.direct"
"""A setting that PostgreSQL takes from every client, and a pooler refuses or drops."""
_POOLED = (
    "The database's URL leads to a pooler such as PgBouncer, on which this would damage other "
    "sessions: set ATELIER_ADMIN_DATABASE_URL to the owner's URL of PostgreSQL itself."
)


class DatabaseUnavailableError(Exception):
    """The database is unreachable or does not accept the statement: try again later."""


class DatabaseTimeoutError(DatabaseUnavailableError, TimeoutError):
    """The database did not respond in time."""


class SchemaMismatchError(DatabaseUnavailableError):
    """A statement does not match the database's schema."""


class MissingPrivilegesError(SchemaMismatchError):
    """The role lacks a privilege that a statement needs."""


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
"""asyncpg's exceptions for failures of the server or the connection, not of the statement.

TimeoutError is an OSError. InternalClientError is raised between the message that the server was
terminated and the end of the connection.
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
"""asyncpg's exceptions for statements that do not match the database's schema or privileges."""

_TIMED_OUT = (asyncpg.LockNotAvailableError, asyncpg.IdleInTransactionSessionTimeoutError)
"""asyncpg's exceptions for the server's timeouts; that of the statement timeout is in LOST."""
_LOCK_SHARE = 0.8
"""lock_timeout as a fraction of the statement timeout."""
_IDLE_FACTOR = 12
"""idle_in_transaction_session_timeout as a multiple of the statement timeout.

By default this is how long nginx waits for a client that does not read a large page (send_timeout).
"""

_ROLLED_BACK = (asyncpg.TransactionRollbackError, asyncpg.ReadOnlySQLTransactionError)
"""Exceptions after which a write is known to have changed nothing and can be retried."""


async def connect(dsn: str, schema: str = SCHEMA, **settings: str) -> asyncpg.Connection:
    """Open a connection to the primary with `schema` as its search path, and further settings."""
    own = {"search_path": f'"{schema}"', "application_name": "atelier"}
    return await connect_to_primary(dsn, server_settings=own | settings)


async def connect_directly(dsn: str, schema: str = SCHEMA) -> asyncpg.Connection:
    """Open a connection as `connect` does, whose settings and locks last until it is closed.

    Raises AtelierError behind a pooler such as PgBouncer: it drops the settings of a session, or
    gives its server's connection, with them and with locks, to other clients.
    """
    try:
        connection = await connect(dsn, schema, **{_DIRECT: "yes"})
    except asyncpg.PostgresError as error:
        raise AtelierError(_POOLED) if _DIRECT in str(error) else error from error
    if not await connection.fetchval("SELECT current_setting($1, true)", _DIRECT):
        connection.terminate()
        raise AtelierError(_POOLED)
    return connection


class Database:
    """A pool of connections, opened on first use.

    An instance therefore starts, and recovers, whatever state the database is in. The waiting
    time is limited by the timeout, and the number of waiting statements by the pool.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int,
        timeout: float,
        connect: Connect = connect_to_primary,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Take the URL, the maximum number of connections, and a statement's timeout in seconds.

        Connections are to the URL's primary unless another `connect` is given; `parameters` are
        additional settings of their sessions.
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
                    # Ends statements that timed out here, and releases locks that others wait for.
                    "statement_timeout": _milliseconds(timeout),
                    "lock_timeout": _milliseconds(timeout * _LOCK_SHARE),
                    "idle_in_transaction_session_timeout": _milliseconds(timeout * _IDLE_FACTOR),
                    # Statements are few and their plans do not depend on the values; planning a
                    # small batch takes longer than running it (docs/decisions/0009).
                    "plan_cache_mode": "force_generic_plan",
                    **(parameters or {}),
                },
            ),
            size,
        )

    async def open(self) -> None:
        """Start background tasks: none here, connections are opened by requests."""

    async def close(self) -> None:
        """Close the connections after their statements have finished."""
        await self._connections.close()

    def expose_metrics(self, name: str) -> None:
        """Expose the connections in the metrics under a pool name."""
        gauge, connections = metrics.POOL_CONNECTIONS, self._connections
        gauge.labels(name, "open").set_function(lambda: connections.open)
        gauge.labels(name, "idle").set_function(lambda: connections.idle)

    async def read(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run a read-only statement; retry it after a lost connection."""
        return await self._run(query, args, retry_on=(*LOST, asyncpg.TransactionRollbackError))

    async def write(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run a statement in its own transaction, which is committed when this returns.

        It is retried only if PostgreSQL reports that it was rolled back (a deadlock, a demoted
        primary): after a lost connection, the outcome is unknown.
        """
        return await self._run(query, args, retry_on=_ROLLED_BACK)

    async def stream(
        self, query: str, *args: object, rows: int
    ) -> AsyncGenerator[list[asyncpg.Record], None]:
        """Yield the rows of a statement, `rows` at a time, from one snapshot."""
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self._timeout):
                    connection = await stack.enter_async_context(self._connections.acquire())
                    # Not a context manager: it would wait for a server that does not respond.
                    transaction = connection.transaction(readonly=True)
                    await transaction.start()
                    cursor = await connection.cursor(query, *args)
                while chunk := await cursor.fetch(rows, timeout=self._timeout):
                    try:
                        yield chunk
                    except GeneratorExit:  # the reader needs no more
                        break
                async with asyncio.timeout(self._timeout):
                    await transaction.rollback()
        except TimeoutError as error:
            raise DatabaseTimeoutError from error
        except UNDEFINED as error:
            raise schema_mismatch_error(error) from error
        except (*LOST, *_TIMED_OUT, PoolExhaustedError) as error:
            raise DatabaseUnavailableError from error

    async def _run(
        self, query: str, args: tuple[object, ...], retry_on: tuple[type[Exception], ...]
    ) -> list[asyncpg.Record]:
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            for _ in range(self._size):  # every pooled connection may be broken
                try:
                    return await self._fetch(query, args, deadline)
                except TimeoutError:
                    raise
                except retry_on:
                    continue
            return await self._fetch(query, args, deadline)
        except TimeoutError as error:
            metrics.DATABASE_ERRORS.labels("TimeoutError").inc()
            raise DatabaseTimeoutError from error
        except UNDEFINED as error:
            metrics.DATABASE_ERRORS.labels(type(error).__name__).inc()
            raise schema_mismatch_error(error) from error
        except (*LOST, *_TIMED_OUT, PoolExhaustedError, asyncpg.TransactionRollbackError) as error:
            metrics.DATABASE_ERRORS.labels(type(error).__name__).inc()
            raise DatabaseUnavailableError from error

    async def _fetch(
        self, query: str, args: tuple[object, ...], deadline: float
    ) -> list[asyncpg.Record]:
        async with self._connections.acquire(deadline) as connection:
            # asyncpg's own timer takes less time than asyncio.timeout.
            seconds = deadline - asyncio.get_running_loop().time()
            return await connection.fetch(query, *args, timeout=seconds)


def schema_mismatch_error(error: Exception) -> SchemaMismatchError:
    """Return the exception of this module for one of UNDEFINED."""
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return MissingPrivilegesError()
    return SchemaMismatchError()


def _milliseconds(seconds: float) -> str:
    """Return a server setting for a time; at least 1, because 0 disables a timeout."""
    return str(max(1, int(seconds * 1000)))
