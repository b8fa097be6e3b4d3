"""Deliveries of events, leased to one sender at a time."""

from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store.webhooks")
_DELETED_PER_BATCH = 10_000


class Claim(NamedTuple):
    """A delivery that is leased to this sender, ready to be sent."""

    id: int
    attempt: int
    url: str
    message_id: str
    sent_at: int
    """Unix time in seconds; a part of what is signed."""
    body: str
    signatures: str


class Outcome(StrEnum):
    """The result of an attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"
    """The receiver does not want to be sent anything any more."""


class Result(NamedTuple):
    """The outcome of an attempt, and what the log shows of it."""

    outcome: Outcome
    status: int | None
    error: str | None
    seconds: float


class Backlog(NamedTuple):
    """What waits for an active endpoint."""

    endpoint: int
    is_due: bool
    age: float
    """The age of the oldest pending delivery in seconds."""


class Deliveries:
    """Plans, leases and finishes deliveries. All methods raise DatabaseUnavailableError."""

    def __init__(self, database: Database, keep: timedelta) -> None:
        """Take the primary, and how long finished deliveries stay in the log."""
        self._database = database
        self._keep = keep

    async def plan(self) -> bool:
        """Plan deliveries of the events since the last time; return whether an endpoint is active.

        A call plans a limited number, to end within a statement's timeout.
        """
        [row] = await self._database.write(_QUERIES["plan"])
        return bool(row["active"])

    async def backlog(self) -> list[Backlog]:
        """Return what waits for each active endpoint."""
        rows = await self._database.read(_QUERIES["backlog"])
        return [Backlog(row["id"], row["is_due"], row["age"] or 0) for row in rows]

    async def claim(self, endpoint: int, lease: timedelta) -> Claim | None:
        """Lease the next due delivery of an endpoint; None if there is none.

        No other sender gets it before the lease has ended.
        """
        rows = await self._database.write(_QUERIES["claim"], endpoint, lease)
        return Claim(*rows[0]) if rows else None

    async def finish(self, claim: Claim, result: Result, retry_in: timedelta) -> str | None:
        """Record the result of an attempt; return the delivery's state.

        None: the lease had ended, and another sender has the delivery.
        """
        [row] = await self._database.write(
            _QUERIES["finish"],
            claim.id,
            claim.attempt,
            result.outcome,
            result.status,
            result.error,
            int(result.seconds * 1000),
            retry_in,
        )
        state: str | None = row["state"]
        return state

    async def delete_expired(self) -> None:
        """Delete the deliveries that were finished longer ago than they are kept."""
        deleted = _DELETED_PER_BATCH
        while deleted == _DELETED_PER_BATCH:
            [row] = await self._database.write(
                _QUERIES["delete_expired"], self._keep, _DELETED_PER_BATCH
            )
            deleted = row["count"]
