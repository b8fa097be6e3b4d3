"""The comparison of documents and summaries with the views that define them.

The views are slow for many questions. Documents whose checksums are those of the import's own
statement are therefore taken as correct, except in a sample: there, and wherever the checksums
differ, the views decide.
"""

from collections.abc import Iterable

import asyncpg

from atelier.store.queries import queries
from atelier.transfer.database.documents import BUILT_DOCUMENTS
from atelier.transfer.database.partitions import Partition
from atelier.transfer.verifier.report import Check

IDS_SHOWN = 5
"""The number of differing ids that the report names."""

_QUERIES = queries("atelier.transfer.verifier")
_BUILT = _QUERIES["built_checksums"].format(built=BUILT_DOCUMENTS)
_STORED = _QUERIES["stored_checksums"]


class DocumentComparison:
    """The comparison of all documents and summaries, partition by partition."""

    def __init__(self) -> None:
        """Compare nothing yet."""
        self._derived = [_Derived("documents"), _Derived("summaries")]

    async def compare(
        self, connection: asyncpg.Connection, partition: Partition, *, by_view: bool
    ) -> int:
        """Compare a partition, `by_view` in any case; return its number of documents."""
        counts = None if by_view else await self._counts_if_as_built(connection, partition)
        if counts is None:
            counts = [await derived.compare(connection, partition) for derived in self._derived]
        for derived, count in zip(self._derived, counts, strict=True):
            derived.count += count
        return counts[0]

    def checks(self) -> Iterable[Check]:
        """Return the results."""
        return (derived.check() for derived in self._derived)

    async def _counts_if_as_built(
        self, connection: asyncpg.Connection, partition: Partition
    ) -> list[int] | None:
        built = await connection.fetch(_BUILT, partition.first, partition.last)
        stored = await connection.fetch(_STORED, partition.first, partition.last)
        if built != stored:
            return None
        ((documents, _, summaries, _),) = stored
        return [documents, summaries]


class _Derived:
    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.count = 0
        self._differing = 0
        self._ids: list[int] = []

    async def compare(self, connection: asyncpg.Connection, partition: Partition) -> int:
        """Compare the rows of a partition with the view; return how many there are."""
        count: int
        ((count, differing, ids),) = await connection.fetch(
            _QUERIES[f"differing_{self._kind}"], partition.first, partition.last
        )
        self._differing += differing
        self._ids += ids
        return count

    def check(self) -> Check:
        return Check(
            self._kind,
            f"question_{self._kind}",
            f"{self.count:,}",
            f"{self.count - self._differing:,} equal",
            ok=self._differing == 0,
            ids=sorted(self._ids)[:IDS_SHOWN],
        )
