"""Keeps the comparable texts of large products; those of others are computed by each search."""

import asyncio
import logging

from atelier.errors import describe_error
from atelier.store.connections.database import Database, DatabaseUnavailableError
from atelier.store.queries import queries

KEPT_ABOVE = 500
"""The texts of products with more questions than this are kept."""

_QUERIES = queries("atelier.store.search")
_KEPT, _COMPUTED = "search_texts", "search_text_view"
_QUESTIONS_PER_BATCH = 500
_POLL_SECONDS = 0.1
_MAX_POLLS = 300

_log = logging.getLogger(__name__)


class KeptTexts:
    """Knows where the texts of a product are; fills the table when a large product is searched.

    One product is filled at a time.
    Triggers keep the filled rows up to date. An import that replaces all tables leaves none, and
    the next search fills them again.
    """

    def __init__(self, database: Database) -> None:
        """Take the pool for searches."""
        self._database = database
        self._filling: asyncio.Task[None] | None = None

    async def source(self, product_id: int) -> str:
        """Return the relation with the texts of a product. Raises DatabaseUnavailableError."""
        [row] = await self._database.read(_QUERIES["search_state"], product_id, KEPT_ABOVE)
        if row["is_filled"]:
            return _KEPT
        if row["is_large"] and (self._filling is None or self._filling.done()):
            self._filling = asyncio.create_task(self._fill(product_id))
        return _COMPUTED

    async def close(self) -> None:
        """Stop filling."""
        if self._filling:
            self._filling.cancel()
            await self.wait()

    async def wait(self) -> None:
        """Wait until no product is being filled."""
        if self._filling:
            await asyncio.wait([self._filling])

    async def _fill(self, product_id: int) -> None:
        try:
            await self._database.write(_QUERIES["register_product"], product_id)
            await self._database.write(_QUERIES["set_horizon"], product_id)
            if await self._is_past_horizon(product_id):
                await self._fill_batches(product_id)
        except DatabaseUnavailableError as error:
            _log.warning("texts of a product not kept for searches: %s", describe_error(error))

    async def _is_past_horizon(self, product_id: int) -> bool:
        """Wait for the transactions that may have missed that the product's texts are kept."""
        for _ in range(_MAX_POLLS):
            [row] = await self._database.read(_QUERIES["is_past_horizon"], product_id)
            if row["is_past"]:
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _fill_batches(self, product_id: int) -> None:
        last: int | None = -(2**63)
        while last is not None:
            [row] = await self._database.write(
                _QUERIES["fill_texts"], product_id, last, _QUESTIONS_PER_BATCH
            )
            last = row["last"]
        await self._database.write(_QUERIES["complete_product"], product_id)
