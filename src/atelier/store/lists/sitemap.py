"""The questions that search engines should know, in parts: those with a visible answer."""

from typing import NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store.lists")
PART = 10_000
"""The ids of a part, and so the most questions of one."""

_MAX_PARTS = 50_000  # of an index, by the protocol
_MAX_ID = 2**63 - 1


class Entry(NamedTuple):
    """A question."""

    id: int
    changed_on: str | None
    """The day of its last answer, as `2018-10-18`; None outside the years 1 to 9999."""


class SitemapReader:
    """Reads the parts. Questions with negative ids are in none."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def parts(self) -> list[int]:
        """Return the numbers of the parts that have questions, the first 50,000."""
        rows = await self._database.read(_QUERIES["sitemap_parts"], PART, _MAX_PARTS)
        return [row["part"] for row in rows]

    async def part(self, number: int) -> list[Entry]:
        """Return the questions of a part in the order of their ids."""
        first = number * PART
        if not 0 <= first <= _MAX_ID:
            return []
        last = min(first + PART - 1, _MAX_ID)
        rows = await self._database.read(_QUERIES["sitemap_questions"], first, last)
        return [Entry(*row) for row in rows]
