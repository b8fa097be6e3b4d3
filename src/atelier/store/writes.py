"""New questions, new answers, votes and reports: each is committed when its call returns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import asyncpg

from atelier.store.batcher import Batcher
from atelier.store.database import Database
from atelier.store.sql import queries

_QUERIES = queries("atelier.store")

Target = Literal["question", "answer"]
Action = Literal["helpful", "report"]


class Vote(NamedTuple):
    """A voice of a shopper on a question or an answer."""

    target: Target
    id: int
    action: Action


class Writer:
    """Writes; votes that wait together are committed together."""

    def __init__(self, database: Database) -> None:
        """Take the database to write to."""
        self._database = database
        # One lane: a second group would only wait for the first one's locks.
        self._votes = Batcher(self._commit_votes, lanes=1, largest=200)

    async def add_question(self, product_id: int, body: str, name: str, email: str) -> None:
        """Add a question to a product."""
        await self._database.write(_QUERIES["add_question"], product_id, body, name, email)

    async def add_answer(
        self, question_id: int, body: str, name: str, email: str, photos: Sequence[str]
    ) -> bool:
        """Add an answer and its photos; return False if there is no such question."""
        try:
            added = await self._database.write(
                _QUERIES["add_answer"], question_id, body, name, email, photos
            )
        except asyncpg.ForeignKeyViolationError:  # deleted in this very moment
            return False
        return bool(added)

    async def vote(self, vote: Vote) -> bool:
        """Count a vote or a report; return False if there is nothing to vote on."""
        return await self._votes.submit(vote)

    async def _commit_votes(self, batch: Mapping[Vote, int]) -> dict[Vote, bool]:
        rows = await self._database.write(
            _QUERIES["votes"], *_columns(batch, "question"), *_columns(batch, "answer")
        )
        found = {(row["target"], row["id"]) for row in rows}
        return {vote: (vote.target, vote.id) in found for vote in batch}


def _columns(batch: Mapping[Vote, int], target: Target) -> tuple[list[int], list[int], list[bool]]:
    ids = _unique(vote.id for vote in batch if vote.target == target)
    return (
        ids,
        [batch.get(Vote(target, id_, "helpful"), 0) for id_ in ids],
        [Vote(target, id_, "report") in batch for id_ in ids],
    )


def _unique(ids: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(ids))
