"""Partitions of the questions: jobs of similar size, however the ids are distributed."""

from dataclasses import dataclass
from itertools import pairwise

import asyncpg

from atelier.store.queries import queries

_QUERIES = queries("atelier.transfer.database")
_SAMPLE_ROWS = 100_000
_MIN_ID, _MAX_ID = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Partition:
    """The questions with ids from `first` to `last`; the partitions together cover every id."""

    first: int
    last: int


async def partitions(
    connection: asyncpg.Connection, *, number: int, questions: int
) -> list[Partition]:
    """Divide the staged questions (`questions` rows) into at most `number` partitions."""
    percent = min(100.0, 100 * _SAMPLE_ROWS / max(questions, 1))
    fractions = [step / number for step in range(1, number)]
    quantiles = await connection.fetchval(_QUERIES["partitions"], percent, fractions) or []
    bounds = [_MIN_ID - 1, *sorted(set(quantiles)), _MAX_ID]
    return [Partition(low + 1, high) for low, high in pairwise(bounds)]
