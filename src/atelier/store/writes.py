"""New questions, new answers, votes and reports: each is committed when its call returns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import Literal, NamedTuple

import asyncpg

from atelier.store.batcher import Batcher
from atelier.store.connections.database import Database
from atelier.store.limits import UNLIMITED, Share
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
    LIMITED = auto()
    """Its client has done as much today as it may."""


class Writer:
    """Writes; votes that wait together are committed together."""

    def __init__(self, database: Database, key_lifetime: timedelta) -> None:
        """Take the database to write to, and how long a key is remembered."""
        self._database = database
        self._key_lifetime = key_lifetime
        self._votes = Batcher("votes", self._commit_votes, max_batch=200)

    async def add_question(  # noqa: PLR0913 - a question has as many parts
        self,
        product_id: int,
        body: str,
        name: str,
        email: str,
        *,
        key: Key | None = None,
        share: Share = UNLIMITED,
    ) -> Outcome:
        """Add a question to a product."""
        return await self._add("add_question", key, share, product_id, body, name, email)

    async def add_answer(  # noqa: PLR0913 - an answer has as many parts
        self,
        question_id: int,
        body: str,
        name: str,
        email: str,
        photos: Sequence[str],
        *,
        key: Key | None = None,
        share: Share = UNLIMITED,
    ) -> Outcome:
        """Add an answer and its photos to a question."""
        try:
            values = (question_id, body, name, email, photos)
            return await self._add("add_answer", key, share, *values)
        except asyncpg.ForeignKeyViolationError:  # deleted in this very moment
            return Outcome.NO_TARGET

    async def vote(self, vote: Vote, share: Share = UNLIMITED) -> Outcome:
        """Count a vote or a report; one of a limited client is committed by itself."""
        if share.client is None:
            return await self._votes.submit(vote)
        columns = ([value] for value in _row(vote, 1))
        query = _QUERIES["limited_vote"]
        [row] = await self._database.write(query, *columns, self._key_lifetime, *share)
        return await self._outcome(vote.key, row["position"], is_allowed=row["is_allowed"])

    async def forget_keys(self) -> None:
        """Delete the keys that have expired."""
        await self._database.write(_QUERIES["forget_keys"], self._key_lifetime)

    async def _add(self, query: str, key: Key | None, share: Share, *values: object) -> Outcome:
        claim = (*(key or (None, None)), self._key_lifetime)
        rows = await self._database.write(_QUERIES[query], *values, *claim, *share)
        made, is_allowed = (rows[0]["id"], rows[0]["is_allowed"]) if rows else (None, True)
        return await self._outcome(key, made, is_allowed=is_allowed)

    async def _outcome(self, key: Key | None, done: int | None, *, is_allowed: bool) -> Outcome:
        """Return what became of one write. What was done before is so whatever is allowed now."""
        if done is not None:
            return Outcome.DONE
        undone = _undone(key, await self._claimed([key]))
        is_limited = undone is Outcome.NO_TARGET and not is_allowed
        return Outcome.LIMITED if is_limited else undone

    async def _commit_votes(self, batch: Mapping[Vote, int]) -> dict[Vote, Outcome]:
        votes = list(batch)
        columns = zip(*(_row(vote, batch[vote]) for vote in votes), strict=True)
        rows = await self._database.write(
            _QUERIES["votes"], *map(list, columns), self._key_lifetime
        )
        counted = {votes[row["position"] - 1] for row in rows}
        claimed = await self._claimed(vote.key for vote in votes if vote not in counted)
        return {
            vote: Outcome.DONE if vote in counted else _undone(vote.key, claimed) for vote in votes
        }

    async def _claimed(self, keys: Iterable[Key | None]) -> dict[str, bytes]:
        names = [key.name for key in keys if key]
        if not names:
            return {}
        rows = await self._database.read(_QUERIES["claimed_keys"], names)
        return {row["key"]: row["fingerprint"] for row in rows}


def _row(vote: Vote, times: int) -> tuple[object, ...]:
    """Return a vote as the statement takes it; one with a key counts once, however often sent."""
    return (*vote[:3], 1 if vote.key else times, *(vote.key or (None, None)))


def _undone(key: Key | None, claimed: Mapping[str, bytes]) -> Outcome:
    if key is None or key.name not in claimed:
        return Outcome.NO_TARGET
    return Outcome.REPLAYED if claimed[key.name] == key.fingerprint else Outcome.CONFLICT
