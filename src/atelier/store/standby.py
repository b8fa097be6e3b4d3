"""Reads from hot standbys, none older than what the primary held when the read began.

How, and what happens when a server is gone: docs/decisions/0006-standby-reads.md.
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from atelier.store.database import (
    LOST,
    Database,
    DatabaseTimeoutError,
    DatabaseUnavailableError,
    fetch,
)
from atelier.store.hosts import each_host
from atelier.store.sql import queries

_QUERIES = queries("atelier.store")
_POSITION = _QUERIES["primary_position"]
_STATE = _QUERIES["standby_state"]

_PAUSES = (0.001, 0.003, 0.01)
"""How long a read waits, in seconds, for a standby to replay what it lacks."""
_SECONDS_BETWEEN_LOOKS = 0.5

_log = logging.getLogger(__name__)


class Position(NamedTuple):
    """How far the primary had come at a moment of the event loop's clock."""

    timeline: int
    lsn: int
    asked_at: float


class _State(NamedTuple):
    follows: bool
    replayed: int
    received: int | None
    timeline: int


class Standby(Database):
    """One server that follows the primary, and what is known of it."""

    def __init__(self, dsn: str, *, size: int, timeout: float, max_lag: float) -> None:
        """Take the server's address, and the seconds it may be behind while no primary answers."""
        super().__init__(dsn, size=size, timeout=timeout, connect=asyncpg.connect)
        self.resting = False
        """It failed or was late: no read goes there until a look finds it fit again."""
        self._max_lag = max_lag
        self._up_to_date_at = float("-inf")
        self._timeline = 0
        self._held_before = 0

    async def read_at(
        self, position: Position | None, query: str, *args: object
    ) -> list[asyncpg.Record] | None:
        """Run one statement on data that includes all up to a position of the primary.

        With None for a primary that does not answer: on all that this standby ever received from
        it, if it was up to date not too long ago. Returns None where that cannot be had now.
        """
        try:
            async with asyncio.timeout(self._timeout), self._connection() as connection:
                if await self._waited_for(connection, position):
                    return await fetch(connection, query, *args)
            self._rest("it is behind")
        except (*LOST, asyncpg.PostgresError, DatabaseUnavailableError) as error:
            self._rest(str(error) or type(error).__name__)
        return None

    async def look(self, position: Position | None) -> None:
        """Have reads go there again if it is fit for them."""
        if await self.read_at(position, "SELECT") is not None and self.resting:
            self.resting = False
            _log.info("standby %s serves reads again", self._place)

    async def _waited_for(self, connection: PoolConnectionProxy, position: Position | None) -> bool:
        """Ask on the connection that is read on: after a crash, a standby may be further back."""
        for pause in _PAUSES:
            if self._is_at(position, _State(*(await fetch(connection, _STATE))[0])):
                return True
            await asyncio.sleep(pause)
        return self._is_at(position, _State(*(await fetch(connection, _STATE))[0]))

    def _is_at(self, position: Position | None, state: _State) -> bool:
        if not state.follows:
            return False
        if position is None:
            age = asyncio.get_running_loop().time() - self._up_to_date_at
            return state.received is not None and (
                state.replayed >= state.received and age <= self._max_lag
            )
        is_there = self._is_on(position.timeline, state) and state.replayed >= position.lsn
        if is_there:
            self._up_to_date_at = max(self._up_to_date_at, position.asked_at)
        return is_there

    def _is_on(self, timeline: int, state: _State) -> bool:
        """Say whether it surely follows the primary of a timeline.

        It may hold what a dead primary sent to it alone; its positions then mean another history.
        Such a standby is stuck, so one whose log grows beyond what it held is none.
        """
        if timeline != self._timeline:
            self._timeline = timeline
            self._held_before = max(state.replayed, state.received or 0)
        return state.timeline == timeline or state.replayed > self._held_before

    def _rest(self, reason: str) -> None:
        if not self.resting:
            _log.warning("standby %s is left alone: %s", self._place, reason)
        self.resting = True

    @property
    def _place(self) -> str:
        """The address without its password."""
        parts = urlsplit(self._dsn)
        return parts.netloc.rpartition("@")[2] or parts.query


class StandbyReads(Database):
    """A primary whose reads go to its standbys while these are up to date."""

    def __init__(
        self, dsn: str, standbys: str, *, size: int, timeout: float, max_lag: float
    ) -> None:
        """Take the address of the primary and that of all standbys.

        A server that is both is read from in whichever role it has at the time. `max_lag`: the
        seconds that standbys alone are read from after a primary was last heard of.
        """
        super().__init__(dsn, size=size, timeout=timeout)
        self._standbys = deque(
            Standby(host, size=size, timeout=timeout / 4, max_lag=max_lag)
            for host in each_host(standbys)
        )
        self._primary_is_silent = False
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make the pools, and begin to look after the standbys."""
        await super().open()
        for standby in self._standbys:
            await standby.open()
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Close the connections once their statements are done."""
        if self._watching:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        for standby in self._standbys:
            await standby.close()
        await super().close()

    async def read(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement on a standby that is up to date, or else on the primary."""
        self._standbys.rotate()
        standbys = [standby for standby in self._standbys if not standby.resting]
        if not standbys:
            return await super().read(query, *args)
        try:
            async with asyncio.timeout(self._timeout):
                position = None if self._primary_is_silent else await self._position()
                for standby in standbys:
                    if (rows := await standby.read_at(position, query, *args)) is not None:
                        return rows
                if position is None:
                    raise DatabaseUnavailableError
                return await super().read(query, *args)
        except TimeoutError as error:
            raise DatabaseTimeoutError from error

    async def _position(self) -> Position | None:
        """Return how far the primary is; None where it does not answer.

        A refusal is quick, so the next read asks again; after a silence only `_watch` does.
        """
        asked_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timeout / 2):
                [row] = await super().read(_POSITION)
        except (DatabaseUnavailableError, TimeoutError) as error:
            self._primary_is_silent = isinstance(error, TimeoutError)
            return None
        self._primary_is_silent = False
        return Position(row["timeline"], row["lsn"], asked_at)

    async def _watch(self) -> None:
        while True:
            position = await self._position()
            await asyncio.gather(*(each.look(position) for each in self._standbys))
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
