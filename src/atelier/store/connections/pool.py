"""A few connections to PostgreSQL, opened when they are needed and kept for the next statement.

asyncpg's own pool does the same, but makes a task, a proxy and several timers for each statement:
it would take as long again as the statement does (docs/decisions/0009-cost-of-a-request.md).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import asyncpg

_OLDEST_IDLE_SECONDS = 300
"""Longer than this unused, a firewall on the way may have forgotten a connection."""
_UNFINISHED = (asyncio.CancelledError, TimeoutError, asyncpg.InternalClientError)
"""What leaves a statement without an end. InternalClientError: the server is about to close."""


class PoolExhaustedError(Exception):
    """Too many wait for a connection already."""


class _Idle(NamedTuple):
    connection: asyncpg.Connection
    since: float


class ConnectionPool:
    """Lends connections, the one used last first; no more than a set number are open."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        size: int,
        *,
        max_users: int = 200,
    ) -> None:
        """Take how a connection is made, the most there may be, the most who use or want one."""
        self._connect = connect
        self._size = size
        self._slots = asyncio.Semaphore(size)
        self._capacity = max_users
        self._idle: list[_Idle] = []
        self._in_use: set[asyncpg.Connection] = set()
        self._expired: set[asyncpg.Connection] = set()

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._in_use) + len(self._idle)

    @property
    def idle(self) -> int:
        """How many nobody uses."""
        return len(self._idle)

    def acquire(self) -> "_Lease":
        """Lend a connection while an asynchronous context lasts; wait while all are lent.

        Raises PoolExhaustedError, and what connecting raises.
        """
        return _Lease(self._acquire, self._release)

    def expire(self) -> None:
        """Have nobody use again what is open now."""
        self._drop_idle()
        self._expired |= self._in_use

    async def close(self) -> None:
        """Close the connections, each once it is no longer lent."""
        for _ in range(self._size):
            await self._slots.acquire()
        for idle in self._idle:
            await idle.connection.close()
        self._idle.clear()

    def _take_idle(self) -> asyncpg.Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection, since = self._idle.pop()
            if now - since > _OLDEST_IDLE_SECONDS:
                connection.terminate()
                self._drop_idle()  # those below it are older
            elif not connection.is_closed():
                return connection
        return None

    async def _acquire(self) -> asyncpg.Connection:
        if not self._capacity:
            raise PoolExhaustedError
        self._capacity -= 1
        try:
            connection = await self._wait_for_one()
        except BaseException:
            self._capacity += 1
            raise
        self._in_use.add(connection)
        return connection

    async def _wait_for_one(self) -> asyncpg.Connection:
        await self._slots.acquire()
        try:
            return self._take_idle() or await self._connect()
        except BaseException:
            self._slots.release()
            raise

    def _release(self, connection: asyncpg.Connection, error: BaseException | None) -> None:
        if isinstance(error, _UNFINISHED):
            connection.terminate()
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            self.expire()  # none of them leads to the primary any more
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
    """A context. Written out, for a generator's bookkeeping takes as long as a small statement."""

    __slots__ = ("_acquire", "_connection", "_release")
    _connection: asyncpg.Connection

    def __init__(
        self,
        lend: Callable[[], Awaitable[asyncpg.Connection]],
        take_back: Callable[[asyncpg.Connection, BaseException | None], None],
    ) -> None:
        self._acquire = lend
        self._release = take_back

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await self._acquire()
        return self._connection

    async def __aexit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        self._release(self._connection, error)
