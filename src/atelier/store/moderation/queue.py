"""The queue of questions and answers for moderators, a page at a time."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store.moderation")
_MAX_ID = 2**63 - 1
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class State(StrEnum):
    """Why a question or an answer is in the queue."""

    REPORTED = "reported"
    """Reported by shoppers, hidden or not, or hidden before it was imported."""
    HELD = "held"
    """Held for review."""
    REMOVED = "removed"


class Position(NamedTuple):
    """The place of an item in the queue."""

    since: datetime = _END_OF_TIME
    id: int = _MAX_ID
    target: str = "question"


class NewestPosition(NamedTuple):
    """The place in the list of all posts: the lowest ids so far."""

    question: int = _MAX_ID
    answer: int = _MAX_ID


class Page(NamedTuple):
    """Items, and the position of the next page; None: there is none."""

    items: list[dict[str, Any]]
    next: Position | NewestPosition | None


class Queue:
    """Reads the queue."""

    def __init__(self, database: Database) -> None:
        """Take the database: the primary, because an item's version must be the current one."""
        self._database = database

    async def page(
        self,
        state: State,
        *,
        product_id: int | None = None,
        reason: str | None = None,
        after: Position,
        limit: int,
    ) -> Page:
        """Return the items in a state, the latest first, of a product or reported for a reason."""
        rows = await self._database.read(
            _QUERIES["queue"], state, product_id, reason, *after, limit + 1
        )
        shown = rows[:limit]
        items = [json.loads(row["item"]) for row in shown]
        has_more = len(rows) > limit
        return Page(items, Position(*shown[-1][1:]) if has_more else None)

    async def newest(self, *, after: NewestPosition, limit: int) -> Page:
        """Return questions and answers of any state, the newest first."""
        rows = await self._database.read(_QUERIES["newest_posts"], *after, limit + 1)
        shown = rows[:limit]
        items = [json.loads(row["item"]) for row in shown]
        lowest = {**after._asdict(), **{row["target"]: row["target_id"] for row in shown}}
        return Page(items, NewestPosition(**lowest) if len(rows) > limit else None)
