"""Reads from hot standbys, none older than what the primary held when the read began.

How, and what happens when a server is gone: docs/decisions/0006-standby-reads.md.
"""

import asyncio
from collections import deque

import asyncpg

from atelier.store.connections.database import (
    Database,
    DatabaseTimeoutError,
    DatabaseUnavailableError,
    SchemaMismatchError,
)
from atelier.store.connections.standby import Position, Standby, State
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

_POSITION = queries("atelier.store.connections")["primary_position"]
_BEYOND_ALL_LOGS = 2**64
_SECONDS_BETWEEN_LOOKS = 0.5


class StandbyReads(Database):
    """A primary whose reads go to its standbys while these are up to date."""

    def __init__(
        self, dsn: str, standbys: str, *, size: int, timeout: float, max_lag: float
    ) -> None:
        """Take the address of the primary and that of all standbys.

        A server that is in both is read from in whichever role it has at the time. `max_lag`: the
        seconds for which standbys alone are read from after the primary was last heard of.
        """
        super().__init__(dsn, size=size, timeout=timeout)
        self._standbys = deque(
            Standby(host, size=size, timeout=timeout / 4, max_lag=max_lag)
            for host in DatabaseUrl.parse(standbys).each_host()
        )
        self._timeline = 0
        self._primary_is_silent = False
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to look after the standbys."""
        self._watching = asyncio.create_task(self._watch())

    def measure(self, name: str) -> None:
        """Show the connections to the primary in the metrics, and those to each standby."""
        super().measure(name)
        for standby in self._standbys:
            standby.measure(f"standby {standby.place}")

    async def close(self) -> None:
        """Close the connections once their statements are done."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        for standby in self._standbys:
            await standby.close()
        await super().close()

    async def read(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement on a standby that is up to date, or else on the primary."""
        self._standbys.rotate()
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    return await self._read_with_primary(query, *args)
                except SchemaMismatchError:
                    raise
                except DatabaseUnavailableError:
                    return await self._read_without_primary(query, *args)
        except TimeoutError as error:
            raise DatabaseTimeoutError from error

    async def _read_with_primary(self, query: str, *args: object) -> list[asyncpg.Record]:
        if self._primary_is_silent:
            raise DatabaseUnavailableError
        if standbys := [standby for standby in self._standbys if not standby.rests]:
            position = await self._ask_primary()
            for standby in standbys:
                if (rows := await standby.read_at(position, query, *args)) is not None:
                    return rows
        return await super().read(query, *args)

    async def _read_without_primary(self, query: str, *args: object) -> list[asyncpg.Record]:
        position = await self._ask_standbys()
        for standby in [standby for standby in self._standbys if standby.answers]:
            if (rows := await standby.read_at(position, query, *args)) is not None:
                return rows
        raise DatabaseUnavailableError

    async def _ask_primary(self) -> Position:
        """Return how far the primary is; raise DatabaseUnavailableError if it does not answer.

        A refusal is quick, so the next read asks again; after a silence only `_watch` does.
        """
        asked_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timeout / 2):
                [row] = await super().read(_POSITION)
        except TimeoutError as error:
            self._primary_is_silent = True
            raise DatabaseTimeoutError from error
        self._primary_is_silent = False
        self._timeline = row["timeline"]
        return Position(self._timeline, row["lsn"], asked_at)

    async def _ask_standbys(self) -> Position:
        """Return how far a primary that is gone had come, as far as anybody knows.

        What it had acknowledged was received by one of them, if it replicated synchronously. Where
        one has been promoted no other will do.
        """
        standbys = [standby for standby in self._standbys if standby.answers]
        states = await asyncio.gather(*(standby.state() for standby in standbys))
        known = max((_reach(state) for state in states if state), default=0)
        return Position(self._timeline, known or _BEYOND_ALL_LOGS, None)

    async def _watch(self) -> None:
        while True:
            try:
                position = await self._ask_primary()
            except DatabaseUnavailableError:
                position = await self._ask_standbys()
            await asyncio.gather(*(standby.look(position) for standby in self._standbys))
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def _reach(state: State) -> int:
    return (state.received or 0) if state.follows else _BEYOND_ALL_LOGS
