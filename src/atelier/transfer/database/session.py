"""Connections for long work, and what their errors mean to the user."""

import asyncio
import errno
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

import asyncpg

from atelier.errors import AtelierError, described
from atelier.store.connections.database import SCHEMA, connect
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

Job = Callable[[asyncpg.Connection], Awaitable[None]]
"""Work for one connection."""

_CONNECTIONS = 2  # a COPY, an index or a slice of documents keeps one core of the server busy
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",  # somebody may be thinking about a question
    "work_mem": "128MB",
    "maintenance_work_mem": "256MB",
    "max_parallel_workers_per_gather": "0",
}


@asynccontextmanager
async def session(dsn: str, *schemas: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection without time limits that finds tables in the schemas, in this order."""
    connection = await connect(dsn)
    try:
        await _prepare(connection, schemas)
        yield connection
    except BaseException:
        # Not close(): a server that is busy or gone must not hold up the end of the command.
        connection.terminate()
        raise
    await connection.close()


async def _prepare(connection: asyncpg.Connection, schemas: tuple[str, ...]) -> None:
    for name, value in _SETTINGS.items():
        await connection.execute("SELECT set_config($1, $2, false)", name, value)
    await connection.execute(f"SET search_path = {', '.join(schemas)}")
    with suppress(asyncpg.PostgresError):  # not on every operating system
        await connection.execute("SET client_connection_check_interval = '1s'")


@asynccontextmanager
async def transaction(connection: asyncpg.Connection, begin: str = "BEGIN") -> AsyncIterator[None]:
    """Commit what is done in the context; an error leaves the connection to be terminated.

    Unlike asyncpg's own, it asks nothing more of a connection whose COPY was interrupted:
    asyncpg would wait for ever if the server had ended the COPY at the same time.
    """
    await connection.execute(begin)
    yield
    await connection.execute("COMMIT")


class Workers:
    """A few connections that take jobs from one queue."""

    def __init__(self, connections: list[asyncpg.Connection]) -> None:
        """Take the connections."""
        self.connections = connections

    async def run(self, jobs: Iterable[Job]) -> None:
        """Do all jobs; where one fails, the others are cancelled and its error is raised."""
        queue = deque(jobs)

        async def work(connection: asyncpg.Connection) -> None:
            while queue:
                await queue.popleft()(connection)

        try:
            async with asyncio.TaskGroup() as group:
                for connection in self.connections:
                    group.create_task(work(connection))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None


@asynccontextmanager
async def open_workers(dsn: str, *schemas: str) -> AsyncIterator[Workers]:
    """Open the connections of workers."""
    async with AsyncExitStack() as stack:
        yield Workers(
            [await stack.enter_async_context(session(dsn, *schemas)) for _ in range(_CONNECTIONS)]
        )


@contextmanager
def one_line_errors(doing: str) -> Iterator[None]:
    """Turn errors of the database into an AtelierError that says what was being done."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError:  # the command says what to grant
        raise
    except asyncpg.DiskFullError as error:
        raise AtelierError(
            f"{doing} stopped: the database's disk is full ({_line(error)}). The database is as "
            "it was before; free some space and run it again."
        ) from error
    except asyncpg.ConnectionDoesNotExistError as error:
        raise AtelierError(
            f"{doing} failed: the database closed the connection; its log says why."
        ) from error
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
    ) as error:
        remedy = " Free some space and run it again." if _is_full(error) else ""
        raise AtelierError(f"{doing} failed: {_line(error)}.{remedy}") from error


def _is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOSPC


def _line(error: BaseException) -> str:
    """Return what an error says; what PostgreSQL says of values is not shown."""
    if isinstance(error, (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)):
        return described(error)
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


_QUERIES = queries("atelier.transfer.database")


async def target_of(connection: asyncpg.Connection, dsn: str) -> str:
    """Return the database's name, its host as the address has it, and the schema."""
    name = await connection.fetchval(_QUERIES["database_name"])
    return f"database {name} on {DatabaseUrl.parse(dsn).place}, schema {SCHEMA}"
