"""Connections for long-running work, and the errors they report to the user."""

import asyncio
import errno
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

import asyncpg

from atelier.errors import AtelierError, describe_error
from atelier.store.connections.database import SCHEMA, connect_directly
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

Job = Callable[[asyncpg.Connection], Awaitable[None]]
"""A unit of work for one connection."""

_QUERIES = queries("atelier.transfer.database")
_CONNECTIONS = 2  # a COPY, an index or a partition of documents keeps one server core busy
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",  # the user may take time to confirm
    "work_mem": "128MB",
    "maintenance_work_mem": "256MB",
    "max_parallel_workers_per_gather": "0",
}


@asynccontextmanager
async def session(dsn: str, *schemas: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection without timeouts, with the schemas as its search path."""
    connection = await connect_directly(dsn)
    try:
        await _prepare(connection, schemas)
        yield connection
    except BaseException:
        # Not close(): a busy or unreachable server must not delay the command's exit.
        connection.terminate()
        raise
    await connection.close()


async def _prepare(connection: asyncpg.Connection, schemas: tuple[str, ...]) -> None:
    settings = {**_SETTINGS, "search_path": ", ".join(schemas)}
    await connection.fetch(_QUERIES["set_settings"], settings.keys(), settings.values())
    with suppress(asyncpg.PostgresError):  # not supported on every operating system
        await connection.execute("SET client_connection_check_interval = '1s'")


@asynccontextmanager
async def transaction(connection: asyncpg.Connection, begin: str = "BEGIN") -> AsyncIterator[None]:
    """Run the context in a transaction; after an error the connection must be terminated.

    Unlike asyncpg's own, it sends no ROLLBACK after an interrupted COPY: asyncpg would wait
    forever if the server had ended the COPY at the same time.
    """
    await connection.execute(begin)
    yield
    await connection.execute("COMMIT")


class Workers:
    """A few connections that process one queue of jobs."""

    def __init__(self, connections: list[asyncpg.Connection]) -> None:
        """Use these connections."""
        self.connections = connections

    async def run(self, jobs: Iterable[Job]) -> None:
        """Run all jobs; if one fails, cancel the others and raise its error."""
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
    """Open the workers' connections; close them when the context ends."""
    async with AsyncExitStack() as stack:
        yield Workers(
            [await stack.enter_async_context(session(dsn, *schemas)) for _ in range(_CONNECTIONS)]
        )


@contextmanager
def one_line_errors(operation: str) -> Iterator[None]:
    """Turn database errors into an AtelierError of one line that names the operation."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError:  # the command names the missing grant
        raise
    except asyncpg.DiskFullError as error:
        raise AtelierError(
            f"{operation} stopped: the database's disk is full ({_first_line(error)}). "
            "The database is as it was before; free some space and run it again."
        ) from error
    except asyncpg.ConnectionDoesNotExistError as error:
        raise AtelierError(
            f"{operation} failed: the database closed the connection; its log says why."
        ) from error
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
    ) as error:
        remedy = " Free some space and run it again." if _is_disk_full(error) else ""
        raise AtelierError(f"{operation} failed: {_first_line(error)}.{remedy}") from error


def _is_disk_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOSPC


def _first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without the values that PostgreSQL quotes."""
    if isinstance(error, (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)):
        return describe_error(error)
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


async def target_of(connection: asyncpg.Connection, dsn: str) -> str:
    """Return the database's name, its host as written in the URL, and the schema."""
    name = await connection.fetchval(_QUERIES["database_name"])
    return f"database {name} on {DatabaseUrl.parse(dsn).host_list}, schema {SCHEMA}"
