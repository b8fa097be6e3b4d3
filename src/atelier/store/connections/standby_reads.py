"""Reads from hot standbys that see everything committed before the read began.

The algorithm, and its behaviour when a server fails: docs/decisions/0006-standby-reads.md.
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
_UNREACHABLE_LSN = 2**64
_CHECK_INTERVAL_SECONDS = 0.5


class StandbyReads(Database):
    """A primary whose reads go to its standbys while they are up to date."""

    def __init__(
        self, dsn: str, standbys: str, *, size: int, timeout: float, max_lag: float
    ) -> None:
        """Take the URLs of the primary and of the standbys.

        A server may be in both: its current role counts. `max_lag`: the seconds after the
        primary's last response for which reads from standbys alone are allowed.
        """
        super().__init__(dsn, size=size, timeout=timeout)
        self._standbys = deque(
            Standby(host, size=size, timeout=timeout / 4, max_lag=max_lag)
            for host in DatabaseUrl.parse(standbys).per_host()
        )
        self._timeline = 0
        self._primary_timed_out = False
        self._monitor: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start monitoring the standbys."""
        self._monitor = asyncio.create_task(self._monitor_standbys())

    def expose_metrics(self, name: str) -> None:
        """Expose the connections to the primary and to each standby in the metrics."""
        super().expose_metrics(name)
        for standby in self._standbys:
            standby.expose_metrics(f"standby {standby.name}")

    async def close(self) -> None:
        """Close the connections after their statements have finished."""
        if self._monitor:
            self._monitor.cancel()
            await asyncio.wait([self._monitor])
        for standby in self._standbys:
            await standby.close()
        await super().close()

    async def read(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run a statement on a standby that is up to date, else on the primary."""
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
        if self._primary_timed_out:
            raise DatabaseUnavailableError
        if standbys := [standby for standby in self._standbys if not standby.is_suspended]:
            position = await self._primary_position()
            for standby in standbys:
                if (rows := await standby.read_at(position, query, *args)) is not None:
                    return rows
        return await super().read(query, *args)

    async def _read_without_primary(self, query: str, *args: object) -> list[asyncpg.Record]:
        position = await self._last_known_position()
        for standby in [standby for standby in self._standbys if standby.is_reachable]:
            if (rows := await standby.read_at(position, query, *args)) is not None:
                return rows
        raise DatabaseUnavailableError

    async def _primary_position(self) -> Position:
        """Return the end of the primary's WAL; raise DatabaseUnavailableError if it is away.

        A refused connection fails fast, so the next read tries again; after a timeout, only
        `_monitor_standbys` does.
        """
        started_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timeout / 2):
                [row] = await super().read(_POSITION)
        except TimeoutError as error:
            self._primary_timed_out = True
            raise DatabaseTimeoutError from error
        self._primary_timed_out = False
        self._timeline = row["timeline"]
        return Position(self._timeline, row["lsn"], started_at)

    async def _last_known_position(self) -> Position:
        """Return the largest LSN that any standby received from a failed primary.

        With synchronous replication it includes all acknowledged commits. If a standby has been
        promoted, no other standby can have reached the position.
        """
        standbys = [standby for standby in self._standbys if standby.is_reachable]
        states = await asyncio.gather(*(standby.state() for standby in standbys))
        known = max((_received(state) for state in states if state), default=0)
        return Position(self._timeline, known or _UNREACHABLE_LSN, None)

    async def _monitor_standbys(self) -> None:
        while True:
            try:
                position = await self._primary_position()
            except DatabaseUnavailableError:
                position = await self._last_known_position()
            await asyncio.gather(*(standby.check(position) for standby in self._standbys))
            await asyncio.sleep(_CHECK_INTERVAL_SECONDS)


def _received(state: State) -> int:
    return (state.received or 0) if state.in_recovery else _UNREACHABLE_LSN
