"""Samples of the instances' metrics: each instance adds its own, every instance reads them all."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store.console")
_MOST_COUNTED = 1000
_GAP = timedelta(seconds=30)
"""How far before the first step the sample may be that it is compared with."""
KEPT = timedelta(hours=6)


class Sample(NamedTuple):
    """The state and the counters of an instance's process."""

    instance: str
    started_at: datetime
    requests: int
    errors: int
    buckets: list[int]
    """Responses within each bound of atelier.metrics.SECONDS, cumulative; the last is all."""
    batches: int
    batch_keys: int
    waiting: int
    connections: int
    idle_connections: int
    cpu_seconds: float
    memory_bytes: int
    version: str


class Samples:
    """Adds and reads samples."""

    def __init__(self, database: Database) -> None:
        """Take the primary."""
        self._database = database

    async def add(self, sample: Sample) -> None:
        """Store a sample of now, with PostgreSQL's counters."""
        await self._database.write(_QUERIES["add_sample"], *sample)

    async def delete_old(self) -> None:
        """Delete the samples that are not kept any more."""
        await self._database.write(_QUERIES["delete_old_samples"], datetime.now(UTC) - KEPT)

    async def series(self, after: datetime, step_seconds: float) -> list[dict[str, Any]]:
        """Return one row per step after a time: rates and histograms of all instances together."""
        rows = await self._database.read(_QUERIES["series"], after, after - _GAP, step_seconds)
        return [dict(row) for row in rows]

    async def instances(self, within: timedelta, over: timedelta) -> list[dict[str, Any]]:
        """Return the processes that reported `within` a time, with their rates `over` another."""
        since = datetime.now(UTC) - within
        return [dict(row) for row in await self._database.read(_QUERIES["instances"], since, over)]

    async def database(self) -> dict[str, Any]:
        """Return the state of PostgreSQL."""
        [row] = await self._database.read(_QUERIES["database"])
        return dict(row)

    async def queue_counts(self) -> dict[str, int]:
        """Return how many posts wait in each state, at most 1000."""
        rows = await self._database.read(_QUERIES["queue_counts"], _MOST_COUNTED)
        return {row["state"]: row["count"] for row in rows}

    async def question_versions(self, ids: list[int]) -> dict[int, str]:
        """Return the versions of questions, as decisions about them name them."""
        rows = await self._database.read(_QUERIES["question_versions"], ids)
        return {row["id"]: row["version"] for row in rows}
