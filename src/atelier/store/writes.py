"""New questions, new answers, votes and reports: each is committed when its call returns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import Literal, NamedTuple

import asyncpg

from atelier.store.batcher import Batcher
from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")

Target = Literal["question", "answer"]
Action = Literal["helpful", "report"]


class Key(NamedTuple):
    """What makes a write repeatable: a client's name for it, and a digest of what it asks for."""

    name: str
    fingerprint: bytes


class Vote(NamedTuple):
    """A voice of a shopper on a question or an answer."""

    target: Target
    id: int
    action: Action
    key: Key | None = None


class Outcome(Enum):
    """What became of a write."""

    DONE = auto()
    REPLAYED = auto()
    """It was done before, under the same key."""
    CONFLICT = auto()
    """Something else was done under this key."""
    NO_TARGET = auto()
    """What it is about does not exist."""
    REPEATED = auto()
    """The voter had voted so before: nothing was counted."""


class Writer:
    """Writes; votes that wait together are committed together."""

    def __init__(self, database: Database, key_lifetime: timedelta) -> None:
        """Take the database to write to, and how long a key is remembered."""
        self._database = database
        self._key_lifetime = key_lifetime
        self._votes = Batcher("votes", self._commit_votes, max_batch=200)

    async def add_question(
        self, product_id: int, body: str, name: str, email: str, *, key: Key | None = None
    ) -> Outcome:
        """Add a question to a product."""
        return await self._add("add_question", key, product_id, body, name, email)

    async def add_answer(  # noqa: PLR0913 - an answer has as many parts
        self,
        question_id: int,
        body: str,
        name: str,
        email: str,
        photos: Sequence[str],
        *,
        key: Key | None = None,
    ) -> Outcome:
        """Add an answer and its photos to a question."""
        try:
            return await self._add("add_answer", key, question_id, body, name, email, photos)
        except asyncpg.ForeignKeyViolationError:  # deleted in this very moment
            return Outcome.NO_TARGET

    async def vote(self, vote: Vote) -> Outcome:
        """Count a vote or a report."""
        return await self._votes.submit(vote)

    async def forget_keys(self) -> None:
        """Delete the keys that have expired."""
        await self._database.write(_QUERIES["forget_keys"], self._key_lifetime)

    async def _add(self, query: str, key: Key | None, *values: object) -> Outcome:
        claim = key or (None, None)
        if await self._database.write(_QUERIES[query], *values, *claim, self._key_lifetime):
            return Outcome.DONE
        claimed = await claimed_keys(self._database, [key] if key else [])
        return undone(key, claimed)

    async def _commit_votes(self, batch: Mapping[Vote, int]) -> dict[Vote, Outcome]:
        votes = list(batch)
        columns = zip(*(_row(vote, batch[vote]) for vote in votes), strict=True)
        rows = await self._database.write(
            _QUERIES["votes"], *map(list, columns), self._key_lifetime
        )
        counted = {votes[row["position"] - 1] for row in rows}
        claimed = await claimed_keys(
            self._database, (vote.key for vote in votes if vote not in counted)
        )
        return {
            vote: Outcome.DONE if vote in counted else undone(vote.key, claimed) for vote in votes
        }


def _row(vote: Vote, times: int) -> tuple[object, ...]:
    """Return a vote as the statement takes it; one with a key counts once, however often sent."""
    return (*vote[:3], 1 if vote.key else times, *(vote.key or (None, None)))


async def claimed_keys(database: Database, keys: Iterable[Key | None]) -> dict[str, bytes]:
    """Return the fingerprints under which some keys were claimed, by the key's name."""
    names = [key.name for key in keys if key]
    if not names:
        return {}
    rows = await database.read(_QUERIES["claimed_keys"], names)
    return {row["key"]: row["fingerprint"] for row in rows}


def undone(key: Key | None, claimed: Mapping[str, bytes]) -> Outcome:
    """Return why a write with this key was not done, given the keys that are claimed."""
    if key is None or key.name not in claimed:
        return Outcome.NO_TARGET
    return Outcome.REPLAYED if claimed[key.name] == key.fingerprint else Outcome.CONFLICT
