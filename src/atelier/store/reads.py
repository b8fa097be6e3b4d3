"""Reads pages of questions and of answers as the bytes of the stored JSON."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import NamedTuple

from atelier.store.batcher import Batcher, Waiter
from atelier.store.connections.database import Database
from atelier.store.queries import queries

MAX_BATCHED_ROWS = 100
"""A page with more rows than this is streamed, so that it does not delay a batch."""
MAX_BATCHED_OFFSET = 1000
"""A page with a larger offset than this is streamed, too."""

_QUERIES = queries("atelier.store")
_ROWS_PER_CHUNK = 100


class PageKey(NamedTuple):
    """The id of a product or question, and the limit and offset of its rows."""

    parent: int
    limit: int
    offset: int


class PageResult(NamedTuple):
    """The documents of a page, separated by commas, and their number."""

    documents: bytes
    length: int


class LargePage:
    """A page in chunks. The first is read in advance, so that an error can still be a 503."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        """Take the first chunk and a generator of the others."""
        self._first = first
        self._rest = rest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the chunks; together they are the documents, separated by commas."""
        yield self._first
        async for chunk in self._rest:
            yield chunk

    async def close(self) -> None:
        """Release the connection before the end."""
        await self._rest.aclose()


class PageReader:
    """Reads pages of one kind: small ones in batches, large ones as streams."""

    def __init__(self, kind: str, database: Database, streams: Database) -> None:
        """Take the kind (`questions` or `answers`), and the pools for batches and for streams."""
        self._page = _QUERIES[f"{kind}_page"]
        self._stream = _QUERIES[f"{kind}_stream"]
        self._database = database
        self._streams = streams
        self._batcher = Batcher(kind, self._run, max_batch=200)

    async def read(self, page: PageKey) -> bytes | LargePage:
        """Return the documents of a page, separated by commas; a large page in chunks.

        Raises DatabaseUnavailableError.
        """
        if page.offset > MAX_BATCHED_OFFSET:
            return await self._large_page(page)
        limit = min(page.limit, MAX_BATCHED_ROWS + 1)
        result = await self._batcher.submit(page._replace(limit=limit))
        if result.length > MAX_BATCHED_ROWS:
            return await self._large_page(page)
        return result.documents

    def start(self, page: PageKey, waiter: Waiter[PageResult]) -> bool:
        """Start reading a page for a waiter; return False if the page may be large.

        Raises OverloadedError; the waiter may be given DatabaseUnavailableError.
        """
        if page.limit > MAX_BATCHED_ROWS or page.offset > MAX_BATCHED_OFFSET:
            return False
        self._batcher.add(page, waiter)
        return True

    async def _run(self, batch: Mapping[PageKey, int]) -> dict[PageKey, PageResult]:
        rows = await self._database.read(self._page, *map(list, zip(*batch, strict=True)))
        return dict(zip(batch, map(PageResult._make, rows), strict=True))

    async def _large_page(self, page: PageKey) -> LargePage:
        chunks = self._chunks(page)
        return LargePage(await anext(chunks, b""), chunks)

    async def _chunks(self, page: PageKey) -> AsyncGenerator[bytes, None]:
        comma, clock = b"", asyncio.get_running_loop().time
        started_at = clock()
        async for rows in self._streams.stream(self._stream, *page, rows=_ROWS_PER_CHUNK):
            pause = clock() - started_at
            yield comma + b",".join(row[0] for row in rows)
            comma = b","
            await asyncio.sleep(pause)  # leaves half of the time to small requests
            started_at = clock()
