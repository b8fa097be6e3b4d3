"""Writes questions, answers, votes and reports; each is committed when its call returns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import Literal, NamedTuple

import asyncpg

from atelier.store.batcher import Batcher
from atelier.store.connections.database import Database
from atelier.store.limits import UNLIMITED, Quota
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")

Target = Literal["question", "answer"]
Action = Literal["helpful", "report"]


class Key(NamedTuple):
    """An idempotency key: the client's name for a write, and a digest of the request."""

    name: str
    fingerprint: bytes


class Vote(NamedTuple):
    """A vote for, or a report of, a question or an answer."""

    target: Target
    id: int
    action: Action
    key: Key | None = None


class Outcome(Enum):
    """The result of a write."""

    DONE = auto()
    REPLAYED = auto()
    """The same write was applied before under this key."""
    CONFLICT = auto()
    """Another write was applied under this key."""
    NO_TARGET = auto()
    """The question or answer does not exist."""
    LIMITED = auto()
    """The client's daily quota is used up."""


class Writer:
    """Writes to the database; concurrent votes are committed in one transaction."""

    def __init__(self, database: Database, key_lifetime: timedelta) -> None:
        """Take the database, and how long a key is kept."""
        self._database = database
        self._key_lifetime = key_lifetime
        self._votes = Batcher("votes", self._commit_votes, max_batch=200)

    async def add_question(  # noqa: PLR0913 - one parameter per field
        self,
        product_id: int,
        body: str,
        name: str,
        email: str,
        *,
        key: Key | None = None,
        quota: Quota = UNLIMITED,
    ) -> Outcome:
        """Add a question to a product."""
        return await self._add("add_question", key, quota, product_id, body, name, email)

    async def add_answer(  # noqa: PLR0913 - one parameter per field
        self,
        question_id: int,
        body: str,
        name: str,
        email: str,
        photos: Sequence[str],
        *,
        key: Key | None = None,
        quota: Quota = UNLIMITED,
    ) -> Outcome:
        """Add an answer and its photos to a question."""
        try:
            values = (question_id, body, name, email, photos)
            return await self._add("add_answer", key, quota, *values)
        except asyncpg.ForeignKeyViolationError:  # the question was deleted concurrently
            return Outcome.NO_TARGET

    async def vote(self, vote: Vote, quota: Quota = UNLIMITED) -> Outcome:
        """Count a vote or a report; one with a quota is committed by itself."""
        if quota.client is None:
            return await self._votes.submit(vote)
        columns = ([value] for value in _row(vote, 1))
        query = _QUERIES["limited_vote"]
        [row] = await self._database.write(query, *columns, self._key_lifetime, *quota)
        return await self._outcome(vote.key, row["position"], is_allowed=row["is_allowed"])

    async def delete_expired_keys(self) -> None:
        """Delete the expired idempotency keys."""
        await self._database.write(_QUERIES["delete_expired_keys"], self._key_lifetime)

    async def _add(self, query: str, key: Key | None, quota: Quota, *values: object) -> Outcome:
        claim = (*(key or (None, None)), self._key_lifetime)
        rows = await self._database.write(_QUERIES[query], *values, *claim, *quota)
        new_id, is_allowed = (rows[0]["id"], rows[0]["is_allowed"]) if rows else (None, True)
        return await self._outcome(key, new_id, is_allowed=is_allowed)

    async def _outcome(self, key: Key | None, done: int | None, *, is_allowed: bool) -> Outcome:
        """Return the outcome of one write; a replay is one even if the quota is used up."""
        if done is not None:
            return Outcome.DONE
        reason = _why_not_applied(key, await self._claimed_keys([key]))
        is_limited = reason is Outcome.NO_TARGET and not is_allowed
        return Outcome.LIMITED if is_limited else reason

    async def _commit_votes(self, batch: Mapping[Vote, int]) -> dict[Vote, Outcome]:
        votes = list(batch)
        columns = zip(*(_row(vote, batch[vote]) for vote in votes), strict=True)
        rows = await self._database.write(
            _QUERIES["votes"], *map(list, columns), self._key_lifetime
        )
        counted = {votes[row["position"] - 1] for row in rows}
        claimed = await self._claimed_keys(vote.key for vote in votes if vote not in counted)
        return {
            vote: Outcome.DONE if vote in counted else _why_not_applied(vote.key, claimed)
            for vote in votes
        }

    async def _claimed_keys(self, keys: Iterable[Key | None]) -> dict[str, bytes]:
        names = [key.name for key in keys if key]
        if not names:
            return {}
        rows = await self._database.read(_QUERIES["claimed_keys"], names)
        return {row["key"]: row["fingerprint"] for row in rows}


def _row(vote: Vote, count: int) -> tuple[object, ...]:
    """Return the statement's columns for a vote; one with a key counts once, even if repeated."""
    return (*vote[:3], 1 if vote.key else count, *(vote.key or (None, None)))


def _why_not_applied(key: Key | None, claimed: Mapping[str, bytes]) -> Outcome:
    if key is None or key.name not in claimed:
        return Outcome.NO_TARGET
    return Outcome.REPLAYED if claimed[key.name] == key.fingerprint else Outcome.CONFLICT
