"""Writes questions, answers, votes and reports; each is committed when its call returns."""

import asyncio
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

_CLEARED = b""
"""The fingerprint of an erased post: a retry is answered as done, and reveals nothing."""

Target = Literal["question", "answer"]
Action = Literal["helpful", "report"]

MAX_REPEAT_WINDOW = timedelta(days=7)
"""The maximum time for which the digest of a text is kept."""


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
    """How a write ended."""

    DONE = auto()
    REPLAYED = auto()
    """The same write was applied before under this key."""
    CONFLICT = auto()
    """Another write was applied under this key."""
    NO_TARGET = auto()
    """The question or answer does not exist."""
    REPEATED = auto()
    """The same text was posted on the same product within the repeat window."""
    DUPLICATE = auto()
    """The voter had already voted; this vote was not counted. Or had no vote to take back."""
    LIMITED = auto()
    """The client's daily quota is used up."""
    REFUSED = auto()
    """A moderation rule refused the post."""
    STALE = auto()
    """The moderation rules changed after the post was checked: check it again."""


class Written(NamedTuple):
    """The result of a write."""

    outcome: Outcome
    id: int | None = None
    """The id of a post that was written, now or before with the same key; None if it is unknown."""
    rule: str | None = None
    """The name of the moderation rule that held or refused the post."""


class Checked(NamedTuple):
    """The moderation rules that a post was checked with: parameters of the statements."""

    change: int | None = None
    """The last change of the rules; None: there has been none."""
    post: str | None = None
    """The rules that may decide, and what they compare the post by, as JSON; None: no rules."""


UNCHECKED = Checked()
"""There have never been any rules."""


class Writer:
    """Writes to the database; concurrent votes are committed in one transaction."""

    def __init__(
        self,
        database: Database,
        key_lifetime: timedelta,
        repeat_window: timedelta = timedelta(),
    ) -> None:
        """Take the database, how long a key is kept, and how long a text cannot be repeated."""
        self._database = database
        self._key_lifetime = key_lifetime
        self._repeat_window = repeat_window
        self._votes = Batcher("votes", self._commit_votes, max_batch=200)

    async def add_question(  # noqa: PLR0913 - one parameter per field
        self,
        product_id: int,
        body: str,
        name: str,
        email: str,
        *,
        key: Key | None = None,
        digest: bytes | None = None,
        quota: Quota = UNLIMITED,
        checked: Checked = UNCHECKED,
    ) -> Written:
        """Add a question to a product; `digest` identifies its text within the repeat window."""
        claim = self._claim(key, digest, quota)
        return await self._add("add_question", key, product_id, body, name, email, *claim, *checked)

    async def add_answer(  # noqa: PLR0913 - one parameter per field
        self,
        question_id: int,
        body: str,
        name: str,
        email: str,
        photos: Sequence[str],
        *,
        key: Key | None = None,
        digest: bytes | None = None,
        quota: Quota = UNLIMITED,
        checked: Checked = UNCHECKED,
    ) -> Written:
        """Add an answer and photos to a question; `digest` identifies its text, as above."""
        values = (question_id, body, name, email, photos)
        claim = self._claim(key, digest, quota)
        try:
            return await self._add("add_answer", key, *values, *claim, *checked)
        except asyncpg.ForeignKeyViolationError:  # the question was deleted concurrently
            return Written(Outcome.NO_TARGET)

    def start(self, vote: Vote) -> asyncio.Future[Outcome]:
        """Start counting a vote or a report without a quota.

        Raises OverloadedError if too many are waiting.
        """
        return self._votes.submit(vote)

    async def vote(self, vote: Vote, quota: Quota = UNLIMITED) -> Outcome:
        """Count a vote or a report; one with a quota is committed by itself."""
        if quota.client is None:
            return await self.start(vote)
        columns = ([value] for value in _row(vote, 1))
        query = _QUERIES["limited_vote"]
        [row] = await self._database.write(query, *columns, self._key_lifetime, *quota)
        if row["position"] is not None:
            return Outcome.DONE
        outcome = Outcome.NO_TARGET if row["is_allowed"] else Outcome.LIMITED
        return await earlier_outcome(self._database, vote.key) or outcome

    async def delete_expired_keys(self) -> None:
        """Delete the expired idempotency keys."""
        await self._database.write(_QUERIES["delete_expired_keys"], self._key_lifetime)

    async def delete_expired_digests(self) -> None:
        """Delete the digests of texts that can be posted again."""
        window = self._repeat_window or MAX_REPEAT_WINDOW
        await self._database.write(_QUERIES["delete_expired_digests"], window)

    def _claim(self, key: Key | None, digest: bytes | None, quota: Quota) -> tuple[object, ...]:
        """Return what a post claims before it is written, as parameters of its statement."""
        return (*(key or (None, None)), self._key_lifetime, digest, self._repeat_window, *quota)

    async def _add(self, query: str, key: Key | None, *parameters: object) -> Written:
        rows = await self._database.write(_QUERIES[query], *parameters)
        outcome = Outcome[rows[0]["outcome"]] if rows else Outcome.NO_TARGET
        if outcome in (Outcome.NO_TARGET, Outcome.LIMITED):
            outcome = await earlier_outcome(self._database, key) or outcome
        if outcome is Outcome.REPLAYED and key:
            return Written(outcome, await self._post_of(key))
        return Written(outcome, rows[0]["id"], rows[0]["rule"]) if rows else Written(outcome)

    async def _post_of(self, key: Key) -> int | None:
        rows = await self._database.read(_QUERIES["post_of_key"], key.name)
        return rows[0]["post_id"] if rows else None

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
            vote: Outcome.DONE if vote in counted else why_not_applied(vote.key, claimed)
            for vote in votes
        }


def _row(vote: Vote, count: int) -> tuple[object, ...]:
    """Return the statement's columns for a vote; one with a key counts once, even if repeated."""
    return (*vote[:3], 1 if vote.key else count, *(vote.key or (None, None)))


async def claimed_keys(database: Database, keys: Iterable[Key | None]) -> dict[str, bytes]:
    """Return the fingerprints of those keys that are claimed, by the key's name."""
    names = [key.name for key in keys if key]
    if not names:
        return {}
    rows = await database.read(_QUERIES["claimed_keys"], names)
    return {row["key"]: row["fingerprint"] for row in rows}


async def earlier_outcome(database: Database, key: Key | None) -> Outcome | None:
    """Return REPLAYED or CONFLICT if a key is claimed, else None."""
    outcome = why_not_applied(key, await claimed_keys(database, [key]))
    return None if outcome is Outcome.NO_TARGET else outcome


def why_not_applied(key: Key | None, claimed: Mapping[str, bytes]) -> Outcome:
    """Return why a write with this key was not applied, given the claimed keys."""
    if key is None or key.name not in claimed:
        return Outcome.NO_TARGET
    is_same = claimed[key.name] in (key.fingerprint, _CLEARED)
    return Outcome.REPLAYED if is_same else Outcome.CONFLICT
