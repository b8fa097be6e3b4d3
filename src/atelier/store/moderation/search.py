"""Search in all questions and answers, of any state, for moderators."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from math import ceil
from typing import Any, NamedTuple

import asyncpg

from atelier.store.connections.database import Database
from atelier.store.moderation.queue import NewestPosition
from atelier.store.queries import queries

MAX_QUERY = 200
"""The maximum number of characters to search for."""

_QUERIES = queries("atelier.store.moderation")
_TABLES = ("questions", "answers")
_SPAN, _SPAN_BEFORE_INDEX = 10_000, 2_000
"""How many posts of each kind a page is looked for in, without the index and before it is used."""
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_AFTER_ALL = -(2**63) + 1


class Status(StrEnum):
    """Which posts are searched."""

    ANY = "any"
    VISIBLE = "visible"
    REPORTED = "reported"
    HELD = "held"
    REMOVED = "removed"


class FoundPosts(NamedTuple):
    """A page of what is found, and the position of the next; None: there is none."""

    items: list[dict[str, Any]]
    next: NewestPosition | None
    is_indexed: bool
    """Whether all posts were searched; otherwise, a page may be empty although more follow."""


class Index(NamedTuple):
    """The index: its size, and how long its build took; None if that is not known."""

    bytes: int
    seconds: int | None


class _Kind(NamedTuple):
    """What was found of questions or answers, and the id that all others are below."""

    rows: list[asyncpg.Record]
    end: int


class PostSearch:
    """Finds posts in which words begin with each word of a query, the newest first.

    Pages are read one at a time: of the connections of the pool, one at most is in use.
    """

    def __init__(self, database: Database) -> None:
        """Take a pool, which others use, too."""
        self._database = database
        self._turn = asyncio.Semaphore(1)

    async def page(
        self, query: str, status: Status, after: NewestPosition, limit: int
    ) -> FoundPosts:
        """Return a page. Raises DatabaseTimeoutError if too many posts contain the words."""
        async with self._turn:
            return await self._page(query, status, after, limit)

    async def index(self) -> Index | None:
        """Return the index; None if there is none, or not all of it."""
        parts = await self._database.read(_QUERIES["search_indexes"])
        if [part["is_valid"] for part in parts] != [True] * len(_TABLES):
            return None
        seconds = [part["seconds"] for part in parts]
        took = None if None in seconds else sum(seconds)
        return Index(sum(part["bytes"] for part in parts), took)

    async def _page(
        self, query: str, status: Status, after: NewestPosition, limit: int
    ) -> FoundPosts:
        is_indexed = await self.index() is not None
        kinds = [
            await self._kind(target, is_indexed, query, status, before, limit + 1)
            for target, before in zip(("question", "answer"), after, strict=True)
        ]
        return FoundPosts(*_merged(kinds, after, limit), is_indexed)

    async def _kind(  # noqa: PLR0913, PLR0917 - of a page, and of one of its kinds
        self,
        target: str,
        is_indexed: bool,  # noqa: FBT001
        query: str,
        status: Status,
        before: int,
        most: int,
    ) -> _Kind:
        span = _SPAN_BEFORE_INDEX if is_indexed else _SPAN
        found = await self._read(target, query, status, before, span, most)
        if is_indexed and len(found.rows) < most and found.end != _AFTER_ALL:
            return await self._read(target, query, status, before, None, most)
        return found

    async def _read(self, target: str, *args: object) -> _Kind:
        rows = await self._database.read(_QUERIES["search_posts"], target, *args)
        ends = [row["target_id"] for row in rows if row["item"] is None]
        return _Kind([row for row in rows if row["item"]], *ends or [_AFTER_ALL])


def _merged(
    kinds: Sequence[_Kind], after: NewestPosition, limit: int
) -> tuple[list[dict[str, Any]], NewestPosition | None]:
    """Return the newest of both kinds, and the position after them.

    Each kind stays in the order of ids, because dates of imported posts are in no order.
    """
    places = []
    for number, kind in enumerate(kinds):
        place = _END_OF_TIME
        for index, row in enumerate(kind.rows):
            place = min(place, row["written"])
            places.append((place, -number, -index, row))
    shown = sorted(places, key=lambda each: each[:3], reverse=True)[:limit]
    ids = [
        _end(kind, [row for _, of_kind, _, row in shown if of_kind == -number], before)
        for number, (kind, before) in enumerate(zip(kinds, after, strict=True))
    ]
    is_over = all(number == _AFTER_ALL for number in ids)
    items = [json.loads(row["item"]) for *_, row in shown]
    return items, None if is_over else NewestPosition(*ids)


def _end(kind: _Kind, shown: Sequence[asyncpg.Record], before: int) -> int:
    if len(shown) == len(kind.rows):
        return kind.end
    return shown[-1]["target_id"] if shown else before


async def build_index(connection: asyncpg.Connection) -> AsyncIterator[str]:
    """Build the index, while others write; yield the name of each part before it is built.

    What an earlier build left unfinished is built again.
    """
    valid = {row["name"] for row in await index_state(connection) if row["is_valid"]}
    for table in _TABLES:
        name = f"{table}_search"
        if name not in valid:
            yield name
            started = time.monotonic()
            for step in ("drop_search_index", "create_search_index"):
                await connection.execute(_QUERIES[step].format(table=table))
            seconds = ceil(time.monotonic() - started)
            comment = _QUERIES["comment_search_index"].format(table=table, seconds=seconds)
            await connection.execute(comment)


async def drop_index(connection: asyncpg.Connection) -> None:
    """Drop the index, while others write."""
    for table in _TABLES:
        await connection.execute(_QUERIES["drop_search_index"].format(table=table))


async def index_state(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Return the name, validity, bytes and seconds of building of each part of the index."""
    rows: list[asyncpg.Record] = await connection.fetch(_QUERIES["search_indexes"])
    return rows


async def index_progress(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Return the name, the phase and the percentage of each part that is being built."""
    rows: list[asyncpg.Record] = await connection.fetch(_QUERIES["search_index_progress"])
    return rows
