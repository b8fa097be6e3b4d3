"""The endpoints that events are sent to: added, listed, changed, removed; the log of deliveries."""

import base64
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import asyncpg

from atelier.store.queries import queries

_QUERIES = queries("atelier.store.webhooks")
_SECRET_BYTES = 32
_PREFIX = "whsec_"
_BLOCK_BYTES = 64  # of SHA-256
_INNER, _OUTER = 0x36, 0x5C  # RFC 2104
_MAX_ID = 2**63 - 1

EVENTS = (
    *("asked", "answered", "reported", "held", "removed", "restored", "edited", "erased"),
    "imported",
)
"""The kinds of events that an endpoint can ask for: those of the change feed."""
STATES = ("pending", "delivered", "failed")
"""The states of a delivery."""
MAX_ENDPOINTS = 20

Run = Callable[..., Awaitable[list[asyncpg.Record]]]
"""Runs a statement with its arguments in a transaction of its own, and returns its rows."""


class Added(NamedTuple):
    """A new endpoint, and its secret, which cannot be read again."""

    id: int
    secret: str


class DeliveriesPage(NamedTuple):
    """Deliveries, the latest first, and the id to continue below; None: there are no more."""

    deliveries: list[dict[str, Any]]
    next: int | None


class Endpoints:
    """Manages endpoints. Methods return None or False if there is no endpoint with the id."""

    def __init__(self, run: Run) -> None:
        """Take what runs a statement: `Database.write`, or a connection's `fetch`."""
        self._run = run

    async def add(self, url: str, events: Sequence[str], created_by: str) -> Added | None:
        """Add an endpoint for the events from now on; None if there are MAX_ENDPOINTS."""
        secret, keys = _new_secret()
        [row] = await self._run(_QUERIES["add"], url, list(events), created_by, *keys)
        return None if row["id"] is None else Added(row["id"], secret)

    async def all(self) -> list[dict[str, Any]]:
        """Return all endpoints in the order of their ids."""
        return [dict(row) for row in await self._run(_QUERIES["endpoints"], None)]

    async def get(self, endpoint: int) -> dict[str, Any] | None:
        """Return an endpoint."""
        rows = await self._run(_QUERIES["endpoints"], endpoint)
        return dict(rows[0]) if rows else None

    async def remove(self, endpoint: int) -> bool:
        """Remove an endpoint with its deliveries, also the pending ones."""
        return bool(await self._run(_QUERIES["remove"], endpoint))

    async def pause(self, endpoint: int) -> bool:
        """Send nothing from now on; events are kept for later."""
        return await self._set_state(endpoint, "paused")

    async def resume(self, endpoint: int) -> bool:
        """Send what is pending and what is new, also after the endpoint answered 410."""
        return await self._set_state(endpoint, "active")

    async def rotate_secret(self, endpoint: int, keep: timedelta) -> str | None:
        """Return a new secret; messages are signed with the old one, too, for a time."""
        secret, keys = _new_secret()
        [row] = await self._run(_QUERIES["rotate_key"], endpoint, *keys, keep)
        return secret if row["found"] else None

    async def test(self, endpoint: int) -> int | None:
        """Plan an event `test`; return the delivery's id, None also if it is not active."""
        return await self._id("test", endpoint)

    async def replay(self, endpoint: int, delivery: int) -> int | None:
        """Plan a delivery again; return the new one's id, None also if it is pending."""
        return await self._id("replay", endpoint, delivery)

    async def deliveries(
        self, endpoint: int, *, state: str | None = None, below: int | None = None, limit: int
    ) -> DeliveriesPage:
        """Return a page of an endpoint's deliveries in a state, or in any."""
        start = _MAX_ID if below is None else below
        rows = await self._run(_QUERIES["deliveries"], endpoint, state, start, limit + 1)
        shown = [dict(row) for row in rows[:limit]]
        return DeliveriesPage(shown, shown[-1]["id"] if len(rows) > limit else None)

    async def delivery(self, endpoint: int, delivery: int) -> dict[str, Any] | None:
        """Return one delivery."""
        below = min(delivery, _MAX_ID - 1) + 1
        page = await self.deliveries(endpoint, below=below, limit=1)
        return next((each for each in page.deliveries if each["id"] == delivery), None)

    async def _set_state(self, endpoint: int, state: str) -> bool:
        [row] = await self._run(_QUERIES["set_state"], endpoint, state)
        found: bool = row["found"]
        return found

    async def _id(self, query: str, *args: int) -> int | None:
        [row] = await self._run(_QUERIES[query], *args)
        number: int | None = row["id"]
        return number


def _new_secret() -> tuple[str, tuple[bytes, bytes]]:
    """Return a secret as text, and the two keys of HMAC-SHA256 that the database signs with."""
    key = secrets.token_bytes(_SECRET_BYTES)
    block = key.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (_INNER, _OUTER))
    return _PREFIX + base64.b64encode(key).decode(), (inner, outer)
