"""One hot standby, and whether it holds what a read must see (docs/decisions/0006)."""

import asyncio
import logging
from typing import NamedTuple

import asyncpg

from atelier.store.connections.database import (
    LOST,
    UNDEFINED,
    Database,
    DatabaseUnavailableError,
    mismatch,
)
from atelier.store.connections.pool import PoolExhaustedError
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

_STATE = queries("atelier.store.connections")["standby_state"]
_PAUSES = (0.001, 0.003, 0.01)
"""How long a read waits, in seconds, for a standby to replay what it lacks."""
_FAILED = (*LOST, PoolExhaustedError, asyncpg.PostgresError, DatabaseUnavailableError)

_log = logging.getLogger(__name__)


class Position(NamedTuple):
    """A place in the log of the primary, on one of its timelines."""

    timeline: int
    lsn: int
    asked_at: float | None
    """When the primary said that it is there, by the event loop's clock. None: it is as far as
    its standbys know, for it does not answer."""


class State(NamedTuple):
    """What a standby says of itself."""

    follows: bool
    replayed: int
    received: int | None
    timeline: int


class Standby(Database):
    """One server that follows the primary, and what is known of it."""

    def __init__(self, dsn: str, *, size: int, timeout: float, max_lag: float) -> None:
        """Take the server's address, and the seconds it may be behind while no primary answers."""
        super().__init__(dsn, size=size, timeout=timeout, connect=asyncpg.connect)
        self.answers = True
        self.rests = False
        """It failed or was late: no read goes there until a look finds it fit again."""
        self._max_lag = max_lag
        self._up_to_date_at = float("-inf")
        self._timeline = 0
        self._held_before = 0

    async def read_at(
        self, position: Position, query: str, *args: object
    ) -> list[asyncpg.Record] | None:
        """Run one statement on data that includes all up to a position; None if it cannot now.

        Raises SchemaMismatchError: that is not the standby's fault, the primary lacks the same.
        """
        try:
            async with asyncio.timeout(self._timeout), self._connections.acquire() as connection:
                if await self._waited_for(position, connection):
                    return await connection.fetch(query, *args)
            self._rest("it is behind, or the primary", logging.INFO)
        except UNDEFINED as error:
            raise mismatch(error) from error
        except _FAILED as error:
            self._fail(error)
        return None

    async def look(self, position: Position) -> None:
        """Have reads go there again if it is fit for them."""
        if await self.read_at(position, "SELECT") is not None and self.rests:
            self.rests = False
            _log.info("standby %s is read from again", self.place)

    async def state(self) -> State | None:
        """Return what it says of itself; None if it does not answer."""
        try:
            async with asyncio.timeout(self._timeout), self._connections.acquire() as connection:
                return await self._ask(connection)
        except _FAILED as error:
            self._fail(error)
        return None

    async def _waited_for(self, position: Position, connection: asyncpg.Connection) -> bool:
        """Ask on the connection that is read on: after a crash, a standby may be further back."""
        for pause in _PAUSES:
            if self._is_at(position, await self._ask(connection)):
                return True
            await asyncio.sleep(pause)
        return self._is_at(position, await self._ask(connection))

    async def _ask(self, connection: asyncpg.Connection) -> State:
        [row] = await connection.fetch(_STATE)
        self.answers = True
        return State(*row)

    def _is_at(self, position: Position, state: State) -> bool:
        if not state.follows:  # it is the primary: the only one, where none answered as such
            return position.asked_at is None
        if not (self._is_on(position.timeline, state) and state.replayed >= position.lsn):
            return False
        if position.asked_at is None:
            return asyncio.get_running_loop().time() - self._up_to_date_at <= self._max_lag
        self._up_to_date_at = max(self._up_to_date_at, position.asked_at)
        return True

    def _is_on(self, timeline: int, state: State) -> bool:
        """Say whether it surely follows the primary of a timeline.

        It may hold what a dead primary sent to it alone; its positions then mean another history.
        Such a standby is stuck, so one whose log grows beyond what it held is none.
        """
        if timeline != self._timeline:
            self._timeline = timeline
            self._held_before = max(state.replayed, state.received or 0)
        return state.timeline == timeline or state.replayed > self._held_before

    def _fail(self, error: Exception) -> None:
        self.answers = False
        self._rest(str(error) or type(error).__name__, logging.WARNING)

    def _rest(self, reason: str, level: int) -> None:
        if not self.rests:
            _log.log(level, "standby %s is left alone: %s", self.place, reason)
        self.rests = True

    @property
    def place(self) -> str:
        """The address without its password."""
        return DatabaseUrl.parse(self._dsn).place
