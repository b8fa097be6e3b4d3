"""Pages of questions and of answers: the bytes of the JSON that the database holds."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import NamedTuple

from atelier.store.batcher import Batcher
from atelier.store.connections.database import Database
from atelier.store.queries import queries

LARGEST_PAGE = 100
"""A page with more rows than this travels alone, as a stream: nobody waits behind it."""
DEEPEST_PAGE = 1000
"""So does one that skips more rows than this."""

_QUERIES = queries("atelier.store")
_ROWS_A_CHUNK = 100


class PageKey(NamedTuple):
    """What is asked of a batch: so many rows of a product or question, after so many others."""

    parent: int
    take: int
    skip: int


class Found(NamedTuple):
    """The documents of a page, parted by commas, and how many there are."""

    documents: bytes
    length: int


class LargePage:
    """A page in pieces. The first is read beforehand, so that a failure is known in time."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        """Take the first piece and where the others come from."""
        self._first = first
        self._rest = rest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces; the documents are parted by commas across them too."""
        yield self._first
        async for piece in self._rest:
            yield piece

    async def close(self) -> None:
        """Give the connection back before the end."""
        await self._rest.aclose()


class PageReader:
    """Reads pages of one kind, many at a time; a large one alone."""

    def __init__(self, kind: str, database: Database, streams: Database) -> None:
        """Take the kind (`questions` or `answers`), and the pools for batches and for streams."""
        self._page = _QUERIES[f"{kind}_page"]
        self._stream = _QUERIES[f"{kind}_stream"]
        self._database = database
        self._streams = streams
        self._batcher = Batcher(kind, self._run, max_batch=200)

    async def read(self, page: PageKey) -> bytes | LargePage:
        """Return the documents of a page, parted by commas; a large one in pieces.

        Raises DatabaseUnavailableError.
        """
        if page.skip > DEEPEST_PAGE:
            return await self._large_page(page)
        found = await self._batcher.submit(page._replace(take=min(page.take, LARGEST_PAGE + 1)))
        if found.length > LARGEST_PAGE:
            return await self._large_page(page)
        return found.documents

    def begin(self, page: PageKey) -> asyncio.Future[Found] | None:
        """Return what will be found of a page, or None if it may be a large one.

        Raises OverloadedError; the future DatabaseUnavailableError.
        """
        if page.take > LARGEST_PAGE or page.skip > DEEPEST_PAGE:
            return None
        return self._batcher.submit(page)

    async def _run(self, batch: Mapping[PageKey, int]) -> dict[PageKey, Found]:
        rows = await self._database.read(self._page, *map(list, zip(*batch, strict=True)))
        return dict(zip(batch, (Found(*row) for row in rows), strict=True))

    async def _large_page(self, page: PageKey) -> LargePage:
        pieces = self._pieces(page)
        return LargePage(await anext(pieces, b""), pieces)

    async def _pieces(self, page: PageKey) -> AsyncGenerator[bytes, None]:
        comma, clock = b"", asyncio.get_running_loop().time
        asked_at = clock()
        async for rows in self._streams.stream(self._stream, *page, rows=_ROWS_A_CHUNK):
            pause = clock() - asked_at
            yield comma + b",".join(row[0] for row in rows)
            comma = b","
            await asyncio.sleep(pause)  # half of the time is for those who want little
            asked_at = clock()
