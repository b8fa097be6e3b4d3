"""Slices of questions: jobs of about the same size, however the ids are spread."""

from dataclasses import dataclass
from itertools import pairwise

import asyncpg

from atelier.store.queries import queries

_QUERIES = queries("atelier.transfer.database")
_SAMPLE = 100_000
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Partition:
    """The questions with ids from `first` to `last`; all slices together hold every id."""

    first: int
    last: int


async def partitions(
    connection: asyncpg.Connection, *, number: int, questions: int
) -> list[Partition]:
    """Part the staged questions, whose number is given, into so many slices or fewer."""
    percent = min(100.0, 100 * _SAMPLE / max(questions, 1))
    fractions = [part / number for part in range(1, number)]
    found = await connection.fetchval(_QUERIES["partitions"], percent, fractions) or []
    bounds = [_SMALLEST - 1, *sorted(set(found)), _LARGEST]
    return [Partition(low + 1, high) for low, high in pairwise(bounds)]
