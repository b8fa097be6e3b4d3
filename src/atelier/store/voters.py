"""Votes and reports of voters who are told apart: each one's voice on a thing counts once."""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from atelier.store.batcher import Batcher
from atelier.store.connections.database import Database
from atelier.store.queries import queries
from atelier.store.writes import Outcome, Vote, claimed_keys, undone

_QUERIES = queries("atelier.store")
_FORGOTTEN_AT_ONCE = 10_000
_SECRET_BYTES = 32


class Voter(NamedTuple):
    """Who votes on a thing, as hashes of 16 bytes, joined, that say it of this thing only."""

    checked: bytes
    """The vote does not count if one of these is remembered."""
    kept: bytes
    """What is remembered of a vote that counts; the first is the voter's own."""


class VoterVote(NamedTuple):
    """A vote or a report, who gives it, and a reporter's reason."""

    vote: Vote
    voter: Voter
    reason: str | None = None


class VoterRules(NamedTuple):
    """What counts, and for how long."""

    memory: timedelta
    """How long a voter is remembered, at least."""
    reports_to_hide: int = 1
    """How many different reporters hide a thing."""
    repeats_hide: bool = False
    """Whether every report hides, whoever sends it: the contract's rule."""


class VoterWriter:
    """Counts the votes of known voters; those that wait together are committed together."""

    def __init__(self, database: Database, rules: VoterRules, key_lifetime: timedelta) -> None:
        """Take the database to write to, the rules, and how long an Idempotency-Key is known."""
        self._database = database
        self._rules = rules
        self._key_lifetime = key_lifetime
        self._votes: Batcher[VoterVote, Outcome] = Batcher("voters", self._commit, max_batch=200)

    def vote(self, vote: VoterVote) -> asyncio.Future[Outcome]:
        """Count a vote or a report, if it is its voter's first."""
        return self._votes.submit(vote)

    async def forget(self) -> None:
        """Delete the voters and the reports that have expired."""
        await self._database.write(_QUERIES["forget_reports"], self._rules.memory)
        forgotten = _FORGOTTEN_AT_ONCE
        while forgotten == _FORGOTTEN_AT_ONCE:
            [[forgotten]] = await self._database.write(
                _QUERIES["forget_voters"], self._rules.memory, _FORGOTTEN_AT_ONCE
            )

    async def secret(self) -> bytes:
        """Return the database's own secret, the same for all instances; the first makes it."""
        rows = await self._database.read(_QUERIES["voter_secret"])
        if not rows:
            made = secrets.token_bytes(_SECRET_BYTES)
            await self._database.write(_QUERIES["make_voter_secret"], made)
            rows = await self._database.read(_QUERIES["voter_secret"])
        [[secret]] = rows
        return bytes(secret)

    async def _commit(self, batch: Mapping[VoterVote, int]) -> dict[VoterVote, Outcome]:
        votes = list(batch)
        rows = await self._database.write(
            _QUERIES["votes_once"],
            *map(list, zip(*map(_row, votes), strict=True)),
            self._rules.reports_to_hide,
            self._rules.repeats_hide,
            self._key_lifetime,
        )
        done = {votes[place - 1]: _DONE[is_counted] for place, is_counted in rows}
        claimed = await claimed_keys(
            self._database, (each.vote.key for each in votes if each not in done)
        )
        return {each: done.get(each) or undone(each.vote.key, claimed) for each in votes}


_DONE = {True: Outcome.DONE, False: Outcome.REPEATED}


def _row(each: VoterVote) -> tuple[object, ...]:
    vote, voter, reason = each
    return (*vote[:3], *(vote.key or (None, None)), reason, *voter)
