"""One hot standby: reads from it only if it is up to date (docs/decisions/0006)."""

import asyncio
import logging
from typing import NamedTuple

import asyncpg

from atelier.store.connections.database import (
    LOST,
    UNDEFINED,
    Database,
    DatabaseUnavailableError,
    schema_mismatch_error,
)
from atelier.store.connections.pool import PoolExhaustedError
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

_QUERIES = queries("atelier.store.connections")
_STATE = _QUERIES["standby_state"]
_REPLAY_IS_COMPLETE = _QUERIES["replay_is_complete"]
_REPLAY_WAITS = (0.001, 0.003, 0.01)
"""How long a read waits for a standby to catch up, in seconds."""
_FAILED = (*LOST, PoolExhaustedError, asyncpg.PostgresError, DatabaseUnavailableError)

_log = logging.getLogger(__name__)


class Position(NamedTuple):
    """A position in the primary's WAL."""

    timeline: int
    lsn: int
    confirmed_at: float | None
    """When the primary was asked, by the event loop's clock. None: the position is what the
    standbys know, because no primary responds."""


class State(NamedTuple):
    """The replication state that a standby reports."""

    in_recovery: bool
    replayed: int
    received: int | None
    timeline: int


class Standby(Database):
    """A server that replicates the primary, and its last known state."""

    def __init__(self, dsn: str, *, size: int, timeout: float, max_lag: float) -> None:
        """Take the server's URL, and the seconds it may lag while no primary responds."""
        super().__init__(dsn, size=size, timeout=timeout, connect=asyncpg.connect)
        self.is_reachable = True
        self.is_suspended = False
        """It failed or lagged: no reads go there until a check succeeds."""
        self._max_lag = max_lag
        self._up_to_date_at = float("-inf")
        self._timeline = 0
        self._lsn_at_switch = 0
        """The end of its WAL when the primary's timeline changed."""

    async def read_at(
        self, position: Position, query: str, *args: object
    ) -> list[asyncpg.Record] | None:
        """Run a statement on data that includes everything up to a position; None if it cannot.

        Raises SchemaMismatchError: the primary has the same schema.
        """
        try:
            async with asyncio.timeout(self._timeout), self._connections.acquire() as connection:
                if await self._wait_for_replay(position, connection):
                    return await connection.fetch(query, *args)
            self._suspend("it lags, or is the primary", logging.INFO)
        except UNDEFINED as error:
            raise schema_mismatch_error(error) from error
        except _FAILED as error:
            self._fail(error)
        return None

    async def check(self, position: Position) -> None:
        """Resume reads from it if it is up to date."""
        if await self.read_at(position, "SELECT") is not None and self.is_suspended:
            self.is_suspended = False
            _log.info("reads from standby %s resumed", self.name)

    async def state(self) -> State | None:
        """Return its replication state; None if it does not respond.

        An incomplete record at the end of what it received does not count as received: a primary
        acknowledges nothing before the end of its record was sent.
        """
        try:
            async with asyncio.timeout(self._timeout), self._connections.acquire() as connection:
                return await self._fetch_complete_state(connection)
        except _FAILED as error:
            self._fail(error)
        return None

    async def _wait_for_replay(self, position: Position, connection: asyncpg.Connection) -> bool:
        """Check on the connection of the read: after a crash, a standby may be further behind."""
        for wait in _REPLAY_WAITS:
            if self._has_reached(position, await self._fetch_state(connection)):
                return True
            await asyncio.sleep(wait)
        return self._has_reached(position, await self._fetch_state(connection))

    async def _fetch_complete_state(self, connection: asyncpg.Connection) -> State:
        state = await self._fetch_state(connection)
        for wait in _REPLAY_WAITS:
            if not state.in_recovery or state.replayed >= (state.received or 0):
                break
            received = state.received
            [[is_complete]] = await connection.fetch(_REPLAY_IS_COMPLETE)
            state = await self._fetch_state(connection)
            if is_complete and state.received == received:
                return state._replace(received=state.replayed)
            await asyncio.sleep(wait)
        return state

    async def _fetch_state(self, connection: asyncpg.Connection) -> State:
        [row] = await connection.fetch(_STATE)
        self.is_reachable = True
        return State(*row)

    def _has_reached(self, position: Position, state: State) -> bool:
        if not state.in_recovery:  # it is the primary: the only one if none has confirmed
            return position.confirmed_at is None
        if not (self._is_on_timeline(position.timeline, state) and state.replayed >= position.lsn):
            return False
        if position.confirmed_at is None:
            return asyncio.get_running_loop().time() - self._up_to_date_at <= self._max_lag
        self._up_to_date_at = max(self._up_to_date_at, position.confirmed_at)
        return True

    def _is_on_timeline(self, timeline: int, state: State) -> bool:
        """Return whether it certainly replicates the primary of a timeline.

        It may have received WAL that a failed primary sent to no other standby; its LSNs then
        belong to a diverged history. Replay of such a standby is stuck, so a standby whose WAL
        grows beyond that point has not diverged.
        """
        if timeline != self._timeline:
            self._timeline = timeline
            self._lsn_at_switch = max(state.replayed, state.received or 0)
        return state.timeline == timeline or state.replayed > self._lsn_at_switch

    def _fail(self, error: Exception) -> None:
        self.is_reachable = False
        self._suspend(str(error) or type(error).__name__, logging.WARNING)

    def _suspend(self, reason: str, level: int) -> None:
        if not self.is_suspended:
            _log.log(level, "reads from standby %s suspended: %s", self.name, reason)
        self.is_suspended = True

    @property
    def name(self) -> str:
        """The host and port, without user and password."""
        return DatabaseUrl.parse(self._dsn).host_list
