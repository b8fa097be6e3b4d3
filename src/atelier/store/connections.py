"""A few connections to PostgreSQL, opened when they are needed and kept for the next statement.

asyncpg's own pool does the same, but makes a task, a proxy and several timers for each statement:
it would take as long again as the statement does (docs/decisions/0009-cost-of-a-request.md).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

_OLDEST_IDLE_SECONDS = 300
"""Longer than this unused, a firewall on the way may have forgotten a connection."""
_UNFINISHED = (asyncio.CancelledError, TimeoutError, asyncpg.InternalClientError)
"""What leaves a statement without an end. InternalClientError: the server is about to close."""


class _Idle(NamedTuple):
    connection: asyncpg.Connection
    since: float


class Connections:
    """Lends connections, the one used last first; no more than a set number are open."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], size: int) -> None:
        """Take how a connection is made, and the most there may be."""
        self._connect = connect
        self._size = size
        self._slots = asyncio.Semaphore(size)
        self._idle: list[_Idle] = []
        self._lent: set[asyncpg.Connection] = set()
        self._expired: set[asyncpg.Connection] = set()

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._lent) + len(self._idle)

    @property
    def idle(self) -> int:
        """How many nobody uses."""
        return len(self._idle)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection while the context lasts; wait while all are lent."""
        async with self._slots:
            connection = self._take_idle() or await self._connect()
            self._lent.add(connection)
            try:
                yield connection
            except _UNFINISHED:
                connection.terminate()
                raise
            finally:
                self._lent.remove(connection)
                self._take_back(connection)

    def expire(self) -> None:
        """Have nobody use again what is open now."""
        self._drop_idle()
        self._expired |= self._lent

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

    def _take_back(self, connection: asyncpg.Connection) -> None:
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
