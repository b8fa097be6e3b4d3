"""A pool of connections to PostgreSQL, opened on demand and reused.

asyncpg's own pool creates a task, a proxy and several timers for each statement, which takes as
long as the statement itself (docs/decisions/0009-cost-of-a-request.md).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import asyncpg

_MAX_IDLE_SECONDS = 300
"""A firewall may have dropped connections that were idle for longer."""
_INTERRUPTED = (
    asyncio.CancelledError,
    GeneratorExit,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Exceptions after which a statement may be unfinished.

GeneratorExit: its coroutine was closed. InterfaceError: another statement is running.
InternalClientError: the server is closing.
"""


class PoolExhaustedError(Exception):
    """Too many statements are waiting for a connection."""


class _Idle(NamedTuple):
    connection: asyncpg.Connection
    since: float


class ConnectionPool:
    """A bounded pool; the most recently used idle connection is acquired first."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        size: int,
        *,
        max_users: int = 200,
    ) -> None:
        """Take the function that connects, the maximum number of connections, and of users.

        Users are the leases in use and those waiting for a connection.
        """
        self._connect = connect
        self._size = size
        self._slots = asyncio.Semaphore(size)
        self._capacity = max_users
        self._idle: list[_Idle] = []
        self._in_use: set[asyncpg.Connection] = set()
        self._expired: set[asyncpg.Connection] = set()

    @property
    def open(self) -> int:
        """The number of open connections."""
        return len(self._in_use) + len(self._idle)

    @property
    def idle(self) -> int:
        """The number of idle connections."""
        return len(self._idle)

    def acquire(self, deadline: float | None = None) -> "_Lease":
        """Return an asynchronous context manager that leases a connection, waiting for a free one.

        Entering it raises PoolExhaustedError, what connecting raises, and TimeoutError at the
        deadline, a time of the event loop.
        """
        return _Lease(self, deadline)

    def expire(self) -> None:
        """Replace all connections that are open now: close them when they are idle."""
        self._drop_idle()
        self._expired |= self._in_use

    async def close(self) -> None:
        """Close the connections, waiting for those in use."""
        for _ in range(self._size):
            await self._slots.acquire()
        for idle in self._idle:
            with suppress(OSError, asyncpg.PostgresError):  # the server may have closed it already
                await idle.connection.close()
        self._idle.clear()

    def _take_idle(self) -> asyncpg.Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection, since = self._idle.pop()
            if now - since > _MAX_IDLE_SECONDS:
                connection.terminate()
                self._drop_idle()  # the others have been idle for longer
            elif not connection.is_closed():
                return connection
        return None

    async def take(self, deadline: float | None) -> asyncpg.Connection:
        """Acquire a connection, to be given to `release`; raise what `acquire` raises."""
        if not self._capacity:
            raise PoolExhaustedError
        self._capacity -= 1
        try:
            connection = await self._wait_for_connection(deadline)
        except BaseException:
            self._capacity += 1
            raise
        self._in_use.add(connection)
        return connection

    async def _wait_for_connection(self, deadline: float | None) -> asyncpg.Connection:
        if self._slots.locked():
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        else:
            await self._slots.acquire()  # at once: a timer would take longer than all of this
        try:
            return self._take_idle() or await self._new(deadline)
        except BaseException:
            self._slots.release()
            raise

    async def _new(self, deadline: float | None) -> asyncpg.Connection:
        async with asyncio.timeout_at(deadline):
            return await self._connect()

    def release(self, connection: asyncpg.Connection, error: BaseException | None) -> None:
        """Take back a connection; close it if it may be unusable after the error."""
        if isinstance(error, _INTERRUPTED):
            connection.terminate()
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            self.expire()  # the server is no longer the primary
        self._capacity += 1
        self._slots.release()
        self._in_use.remove(connection)
        is_expired = connection in self._expired
        self._expired.discard(connection)
        if connection.is_closed():
            return
        if is_expired or connection.is_in_transaction():
            connection.terminate()
        else:
            self._idle.append(_Idle(connection, asyncio.get_running_loop().time()))

    def _drop_idle(self) -> None:
        for idle in self._idle:
            idle.connection.terminate()
        self._idle.clear()


class _Lease:
    """A context manager; contextlib's generators take as long as a small statement."""

    __slots__ = ("_connection", "_deadline", "_pool")
    _connection: asyncpg.Connection

    def __init__(self, pool: ConnectionPool, deadline: float | None) -> None:
        self._pool = pool
        self._deadline = deadline

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await self._pool.take(self._deadline)
        return self._connection

    async def __aexit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        self._pool.release(self._connection, error)
