"""Reads the change feed: an event for each change of content, at contiguous positions."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from math import inf
from typing import NamedTuple

from atelier.store.connections.database import Database, DatabaseUnavailableError
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_POSITIONED_PER_CALL = 10_000  # as in position_changes
_DELETED_PER_BATCH = 10_000
_POLL_SECONDS = 0.5


class ExpiredCursorError(Exception):
    """Events after the cursor were deleted, or the database was reset to an earlier state."""


class Cursor(NamedTuple):
    """The last event that a consumer has read; its id tells whether it is still the same."""

    position: int
    id: int


START = Cursor(0, 0)
"""Before the first event of all."""


class ChangesPage(NamedTuple):
    """Events as JSON texts, and the cursor after the last of them."""

    events: Sequence[str]
    next: Cursor


class ChangeFeed:
    """Reads events, waits for them, and deletes those that are too old.

    Whoever reads gives positions to the committed events. All waiting consumers of an instance
    share one loop that does so periodically; it runs only while there are any.
    """

    def __init__(
        self, database: Database, keep: timedelta, poll_seconds: float = _POLL_SECONDS
    ) -> None:
        """Take the primary, how long events are kept, and the pause between two looks."""
        self._database = database
        self._keep = keep
        self._poll_seconds = poll_seconds
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._poll: asyncio.Task[None] | None = None
        self._is_stopped = False

    async def read(self, after: Cursor | None, limit: int, *, wait: float = 0) -> ChangesPage:
        """Return the events after a cursor (None: the oldest that are kept).

        If there is none, wait up to `wait` seconds for one. Raises ExpiredCursorError and
        DatabaseUnavailableError.
        """
        await self._position()
        page = await self._page(after, limit)
        if page.events or not wait or self._is_stopped:
            return page
        await self._wait(page.next.position, wait)
        return await self._page(page.next, limit)

    async def end(self) -> Cursor:
        """Return the cursor after all events that are committed now."""
        while await self._position() == _POSITIONED_PER_CALL:
            pass
        rows = await self._database.read(_QUERIES["changes_end"])
        return Cursor(*rows[0]) if rows else START

    async def delete_expired(self) -> None:
        """Delete the events that are older than they are kept."""
        await self.end()
        deleted = _DELETED_PER_BATCH
        while deleted >= _DELETED_PER_BATCH - 1:  # the last of a batch stays for the next one
            [row] = await self._database.write(
                _QUERIES["delete_expired_changes"], self._keep, _DELETED_PER_BATCH
            )
            deleted = row["count"]

    def stop(self) -> None:
        """Let all consumers return at once, now and later: the instance stops."""
        self._is_stopped = True
        self._wake(inf)

    async def _position(self) -> int:
        """Give positions to committed events; return their number, and wake who waits for them."""
        [row] = await self._database.write(_QUERIES["position_changes"])
        self._wake(row["newest"])
        positioned: int = row["positioned"]
        return positioned

    async def _page(self, after: Cursor | None, limit: int) -> ChangesPage:
        start = after or START
        rows = await self._database.read(_QUERIES["changes_page"], start.position, limit + 1)
        if rows and rows[0]["position"] == start.position:
            if rows[0]["id"] != start.id:
                raise ExpiredCursorError
            rows = rows[1:]
        elif after and (rows[0]["position"] if rows else 1) != start.position + 1:
            raise ExpiredCursorError
        rows = rows[:limit]
        last = Cursor(rows[-1]["position"], rows[-1]["id"]) if rows else start
        return ChangesPage([row["event"] for row in rows], last)

    async def _wait(self, position: int, seconds: float) -> None:
        """Return once there may be an event beyond a position, or after some seconds."""
        woken = asyncio.get_running_loop().create_future()
        self._waiting[woken] = position
        if self._poll is None or self._poll.done():
            self._poll = asyncio.create_task(self._look_periodically())
        try:
            await asyncio.wait([woken], timeout=seconds)
        finally:
            del self._waiting[woken]

    async def _look_periodically(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self._position()
            except DatabaseUnavailableError:
                self._wake(inf)  # each consumer then reports it

    def _wake(self, newest: float) -> None:
        for woken, position in self._waiting.items():
            if position < newest and not woken.done():
                woken.set_result(None)
