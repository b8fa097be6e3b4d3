"""Questions that wait for an answer, and how long answers took."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import asyncpg

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_MAX_ID = 2**63 - 1

Order = Literal["oldest", "newest", "helpful"]

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


class Position(NamedTuple):
    """A place in an order: the questions after it have larger numbers."""

    key: int
    id: int


STARTS: dict[Order, Position] = {
    "oldest": Position(-62_135_596_800_000_000, -_MAX_ID),  # the year 1 in microseconds
    "newest": Position(-253_402_300_800_000_000, -_MAX_ID),  # the end of the year 9999, negative
    "helpful": Position(-(2**31), -_MAX_ID),
}


class Page(NamedTuple):
    """Questions without a visible answer, and where the next page begins; None: there is none."""

    questions: list[dict[str, Any]]
    next: Position | None


class Filters(NamedTuple):
    """Which questions to read."""

    product_id: int | None = None
    asked_from: datetime = EARLIEST
    asked_before: datetime = LATEST


class FirstAnswers(NamedTuple):
    """How long the questions asked in a time waited for their first answer; times in seconds."""

    questions: int
    answered: int
    median_seconds: float | None
    p90_seconds: float | None


class Stats(NamedTuple):
    """Figures of all questions and answers."""

    totals: dict[str, Any]
    first_answers: FirstAnswers
    days: list[dict[str, Any]]
    """The posts of each of the last seven days."""
    rules: list[dict[str, Any]]
    """The posts that each rule of each version has held or refused, if it has any."""


_ALL = Filters()


class UnansweredReader:
    """Reads the visible questions without a visible answer."""

    def __init__(self, database: Database) -> None:
        """Take the database to read from."""
        self._database = database

    async def page(
        self, order: Order, after: Position, limit: int, filters: Filters = _ALL
    ) -> Page:
        """Return a page in an order; raise DatabaseTimeoutError if there are too many questions.

        By date or of one product it reads little more than the page; by votes it sorts all
        questions of the time range.
        """
        product_id, *times = filters
        values = (*times, *after, limit + 1)
        if product_id is None:
            rows = await self._database.read(_QUERIES[f"unanswered_{order}"], *values)
        else:
            query = _QUERIES["unanswered_of_product"]
            rows = await self._database.read(query, *values, order, product_id)
        found = [dict(row) for row in rows]
        keys = [question.pop("key") for question in found]
        if len(found) <= limit:
            return Page(found, None)
        last = found[limit - 1]["id"]
        return Page(found[:limit], Position(keys[limit - 1], last if order == "oldest" else -last))

    async def first_answers(self, period: timedelta) -> FirstAnswers:
        """Return how long the questions of the last period waited."""
        since = datetime.now(UTC) - period
        [row] = await self._database.read(_QUERIES["first_answers"], since)
        return FirstAnswers(**row)


async def stats(connection: asyncpg.Connection) -> Stats:
    """Return the figures of the whole database, which reads all of it."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        [totals] = await connection.fetch(_QUERIES["owner_totals"])
        [first_answers] = await connection.fetch(_QUERIES["first_answers"], EARLIEST)
        days = await connection.fetch(_QUERIES["owner_posts_per_day"])
        rules = await connection.fetch(_QUERIES["owner_rule_counts"])
    return Stats(
        dict(totals), FirstAnswers(**first_answers), list(map(dict, days)), list(map(dict, rules))
    )
