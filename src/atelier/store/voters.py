"""Votes and reports of identified voters: one per voter on each question and answer."""

import asyncio
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from atelier.store.batcher import Batcher
from atelier.store.connections.database import Database
from atelier.store.limits import UNLIMITED, Quota
from atelier.store.queries import queries
from atelier.store.writes import Outcome, Vote, claimed_keys, earlier_outcome, why_not_applied

_QUERIES = queries("atelier.store")
_DELETE_BATCH_SIZE = 10_000
_SECRET_BYTES = 32


class Voter(NamedTuple):
    """A voter as concatenated 16-byte hashes, valid for one action on one question or answer."""

    checked: bytes
    """The vote does not count if one of these is stored."""
    stored: bytes
    """The hashes to store if the vote counts; the first is the voter's own."""


class VoterVote(NamedTuple):
    """A vote or a report, its voter, and the reason of a report."""

    vote: Vote
    voter: Voter
    reason: str | None = None


class VoterRules(NamedTuple):
    """The rules by which identified votes count."""

    retention: timedelta
    """The minimum time for which a voter is stored."""
    reports_to_hide: int = 1
    """The number of different reporters that hides a question or an answer."""
    every_report_hides: bool = False
    """Whether a repeated report hides too, as in the original API."""


class VoterWriter:
    """Counts the votes of identified voters; waiting votes are committed together."""

    def __init__(self, database: Database, rules: VoterRules, key_lifetime: timedelta) -> None:
        """Take the database, the rules, and how long an Idempotency-Key is remembered."""
        self._database = database
        self._rules = rules
        self._key_lifetime = key_lifetime
        self._votes: Batcher[VoterVote, Outcome] = Batcher("voters", self._commit, max_batch=200)

    def start(self, vote: VoterVote) -> asyncio.Future[Outcome]:
        """Start counting a voter's first vote or report without a quota.

        Raises OverloadedError if too many are waiting.
        """
        return self._votes.submit(vote)

    def vote(self, vote: VoterVote, quota: Quota = UNLIMITED) -> Awaitable[Outcome]:
        """Count a voter's first vote or report; one with a quota is committed by itself."""
        return self.start(vote) if quota.client is None else self._limited_vote(vote, quota)

    async def take_back(self, vote: Vote, own: Sequence[bytes], shared: Sequence[bytes]) -> Outcome:
        """Take back the vote of the voter with one of these own hashes; DUPLICATE if there is none.

        `shared` are hashes of the address by which the voter's votes are checked, too.
        """
        target, number, _, key = vote
        parameters = (target, number, own, shared, *(key or (None, None)), self._key_lifetime)
        [row] = await self._database.write(_QUERIES["take_back_vote"], *parameters)
        outcome = Outcome[row["outcome"]]
        if outcome is Outcome.NO_TARGET:
            return await earlier_outcome(self._database, key) or outcome
        return outcome

    async def delete_expired(self) -> None:
        """Delete the expired voters and reports."""
        await self._database.write(_QUERIES["delete_expired_reports"], self._rules.retention)
        deleted = _DELETE_BATCH_SIZE
        while deleted == _DELETE_BATCH_SIZE:
            [[deleted]] = await self._database.write(
                _QUERIES["delete_expired_voters"], self._rules.retention, _DELETE_BATCH_SIZE
            )

    async def secret(self) -> bytes:
        """Return the secret in the database, shared by all instances; create it if absent."""
        rows = await self._database.read(_QUERIES["voter_secret"])
        if not rows:
            new_secret = secrets.token_bytes(_SECRET_BYTES)
            await self._database.write(_QUERIES["insert_voter_secret"], new_secret)
            rows = await self._database.read(_QUERIES["voter_secret"])
        [[secret]] = rows
        return bytes(secret)

    async def _commit(self, batch: Mapping[VoterVote, int]) -> dict[VoterVote, Outcome]:
        votes = list(batch)
        rows = await self._database.write(_QUERIES["votes_once"], *self._parameters(votes))
        applied = {votes[position - 1]: _OUTCOMES[is_counted] for position, is_counted in rows}
        claimed = await claimed_keys(
            self._database, (each.vote.key for each in votes if each not in applied)
        )
        return {
            each: applied.get(each) or why_not_applied(each.vote.key, claimed) for each in votes
        }

    async def _limited_vote(self, vote: VoterVote, quota: Quota) -> Outcome:
        parameters = self._parameters([vote])
        [row] = await self._database.write(_QUERIES["limited_vote_once"], *parameters, *quota)
        if row["is_counted"] is not None:
            return _OUTCOMES[row["is_counted"]]
        outcome = Outcome.NO_TARGET if row["is_allowed"] else Outcome.LIMITED
        return await earlier_outcome(self._database, vote.vote.key) or outcome

    def _parameters(self, votes: Sequence[VoterVote]) -> tuple[object, ...]:
        """Return the parameters of the statement that counts votes."""
        columns = map(list, zip(*map(_row, votes), strict=True))
        rules = (self._rules.reports_to_hide, self._rules.every_report_hides)
        return (*columns, *rules, self._key_lifetime)


_OUTCOMES = {True: Outcome.DONE, False: Outcome.DUPLICATE}
"""The outcome of an applied vote, by whether it was counted."""


def _row(each: VoterVote) -> tuple[object, ...]:
    vote, voter, reason = each
    return (*vote[:3], *(vote.key or (None, None)), reason, *voter)
