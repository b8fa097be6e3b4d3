"""Keeps the words of large products in an index; a search computes the texts of others."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, NamedTuple

from atelier.errors import describe_error
from atelier.store.connections.database import Database, DatabaseUnavailableError
from atelier.store.queries import queries

INDEXED_ABOVE = 500
"""Products with more questions than this are indexed."""
NEWEST = 1000
"""A search in a large product that is not indexed yet looks in so many questions, the newest."""

_QUERIES = queries("atelier.store.search")
_QUESTIONS_PER_BATCH = 500
_CHANGES_PER_BATCH = 1000
_MAX_CHANGES = 100
"""The index of a product follows once more texts than this have changed; until then, a search reads
them one by one."""
_POLL_SECONDS = 0.1
_MAX_POLLS = 300
_ROUND_SECONDS = 5.0

_log = logging.getLogger(__name__)


class State(NamedTuple):
    """What is known of a product's texts when a search begins."""

    is_indexed: bool
    size: int
    """The numbers of the questions in the index are below it."""
    changed: list[int]
    """The questions whose texts are not in the index, or were others when they were indexed."""
    outdated: list[int]
    """The numbers of these questions."""
    is_partial: bool = False
    """Whether there are more questions than a search without an index looks in."""


_NOT_INDEXED = State(is_indexed=False, size=0, changed=[], outdated=[])


class Indexer:
    """Knows whether a product is indexed, and indexes large products in the background.

    Triggers register large products and mark what changes. One product is indexed at a time; of
    several instances, any may do it. An import that replaces all tables registers them again.
    """

    def __init__(self, database: Database) -> None:
        """Take the pool for searches."""
        self._database = database
        self._running: asyncio.Task[None] | None = None
        self._rounds: asyncio.Task[None] | None = None

    async def state(self, product_id: int) -> State:
        """Return the state of a product, and start to index what a search has to wait for."""
        [row] = await self._database.read(
            _QUERIES["search_state"], product_id, INDEXED_ABOVE, NEWEST
        )
        if not row["is_filled"]:
            if row["is_large"]:
                self._start(self._fill(product_id))
            return _NOT_INDEXED._replace(is_partial=row["is_partial"])
        if len(row["changed"]) > _MAX_CHANGES:
            self._start(self.follow(product_id))
        return State(True, row["size"], row["changed"], row["outdated"])  # noqa: FBT003 - named

    def open(self) -> None:
        """Begin to look periodically for what waits to be indexed."""
        self._rounds = asyncio.create_task(self._repeat())

    async def close(self) -> None:
        """Stop indexing."""
        for task in filter(None, (self._rounds, self._running)):
            task.cancel()
            await asyncio.wait([task])

    async def wait(self) -> None:
        """Wait until nothing is being indexed."""
        if self._running:
            await asyncio.wait([self._running])

    async def index_all(self) -> None:
        """Index all that waits for it."""
        rows = await self._database.read(_QUERIES["waiting_products"], _MAX_CHANGES)
        for row in rows:
            await self.wait()
            product_id = row["product_id"]
            self._start(self.follow(product_id) if row["is_filled"] else self._fill(product_id))
        await self.wait()

    async def follow(self, product_id: int) -> None:
        """Bring the index up to date; what another instance has locked is left to it."""
        texts = _CHANGES_PER_BATCH
        while texts == _CHANGES_PER_BATCH:
            [row] = await self._database.write(
                _QUERIES["index_texts"], product_id, _CHANGES_PER_BATCH
            )
            texts = row["texts"]

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(_ROUND_SECONDS)
            try:
                await self.index_all()
            except DatabaseUnavailableError as error:
                _log.debug("nothing indexed for searches: %s", describe_error(error))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._try(work))
        else:
            work.close()

    async def _try(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except DatabaseUnavailableError as error:
            _log.warning("a product is not indexed for searches: %s", describe_error(error))

    async def _fill(self, product_id: int) -> None:
        await self._database.write(_QUERIES["register_product"], product_id)
        await self._database.write(_QUERIES["set_horizon"], product_id)
        if await self._is_past_horizon(product_id):
            await self._fill_texts(product_id)
            await self.follow(product_id)
            await self._database.write(_QUERIES["complete_product"], product_id, _CHANGES_PER_BATCH)

    async def _is_past_horizon(self, product_id: int) -> bool:
        """Wait for the transactions that may have missed that the product is indexed."""
        for _ in range(_MAX_POLLS):
            [row] = await self._database.read(_QUERIES["is_past_horizon"], product_id)
            if row["is_past"]:
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _fill_texts(self, product_id: int) -> None:
        last: int | None = -(2**63)
        while last is not None:
            [row] = await self._database.write(
                _QUERIES["fill_texts"], product_id, last, _QUESTIONS_PER_BATCH
            )
            last = row["last"]
