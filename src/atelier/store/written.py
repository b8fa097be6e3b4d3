"""What a client gets that has just written: the new post, or the votes now."""

import json
from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple

from atelier.store.batcher import Batcher
from atelier.store.connections.database import Database
from atelier.store.queries import queries
from atelier.store.writes import Target

_QUERIES = queries("atelier.store")


class WrittenPost(NamedTuple):
    """What the database added to a question or an answer when it was written."""

    id: int
    created_at: str
    """The date as in JSON."""
    photos: list[int]
    """The ids of the photos, in their order."""
    status: str
    """`published`, `held` or `removed`."""


class Standing(NamedTuple):
    """The votes of a question or an answer, and whether it is hidden."""

    helpful: int
    is_hidden: bool


_Key = tuple[Target, int]


class WrittenReader:
    """Reads from the primary what was written; concurrent reads of votes are one statement."""

    def __init__(self, database: Database) -> None:
        """Take the database that writes go to."""
        self._database = database
        self._standings: Batcher[_Key, Standing | None] = Batcher(
            "standings", self._read_standings, max_batch=200
        )

    async def post(self, target: Target, number: int) -> WrittenPost | None:
        """Return what was added to a post; None if it was deleted."""
        rows = await self._database.read(_QUERIES[f"written_{target}"], number)
        return WrittenPost(number, *rows[0]) if rows else None

    async def own(self, target: Target, number: int) -> dict[str, Any] | None:
        """Return what the author of a post sees of it; None if it was deleted."""
        rows = await self._database.read(_QUERIES["own_post"], target, number)
        return json.loads(rows[0]["post"]) if rows and rows[0]["post"] else None

    def standing(self, target: Target, number: int) -> Awaitable[Standing | None]:
        """Return the votes of a question or an answer; None if it was deleted."""
        return self._standings.submit((target, number))

    async def _read_standings(self, batch: Mapping[_Key, int]) -> dict[_Key, Standing | None]:
        targets, ids = map(list, zip(*batch, strict=True))
        rows = await self._database.read(_QUERIES["standing"], targets, ids)
        found = {(row["target"], row["id"]): Standing(*row[2:]) for row in rows}
        return {key: found.get(key) for key in batch}
