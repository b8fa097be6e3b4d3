"""Counts votes and reports, of everybody or once per person, as the settings say."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

import falcon.asgi

from atelier.http.common.writing import limited
from atelier.http.common.writing.daily_limits import DailyLimit
from atelier.http.common.writing.identity import Clock, Identity, VoterIdentifier
from atelier.http.common.writing.secret import SharedSecret
from atelier.settings import Settings
from atelier.store.limits import Quota
from atelier.store.voters import VoterRules, VoterVote, VoterWriter
from atelier.store.writes import Outcome, Vote, Writer, Written


class StartedVote(NamedTuple):
    """A vote that is being counted."""

    result: asyncio.Future[Outcome]
    set_cookie: bytes | None = None
    """The header to send if the vote counts."""


class Counter(Protocol):
    """Counts votes, or reports, of one target."""

    async def count(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        vote: Vote,
        reason: str | None = None,
    ) -> None:
        """Count a vote, or a report and its reason; set the headers of its outcome.

        Raises ApiError as `limited.apply`.
        """

    def start(
        self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes], vote: Vote
    ) -> StartedVote | None:
        """Start counting the vote of a request without a body or a key, for the fast path.

        Takes its ASGI scope and headers; returns None if `count` must do it. Raises
        OverloadedError if too many are waiting.
        """


class EveryVote:
    """Counts every vote."""

    def __init__(self, writer: Writer, limit: DailyLimit | None = None) -> None:
        """Take the writer and the daily limit of these votes."""
        self._writer = writer
        self._limit = limit

    async def count(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        vote: Vote,
        reason: str | None = None,  # noqa: ARG002 - stored by the other counters
    ) -> None:
        """Count one vote."""

        async def write(quota: Quota) -> Written:
            return Written(await self._writer.vote(vote, quota))

        await limited.apply(req, resp, vote.target, write, self._limit)

    def start(
        self,
        scope: Mapping[str, Any],  # noqa: ARG002 - identifies a voter in the other counters
        headers: Mapping[bytes, bytes],  # noqa: ARG002
        vote: Vote,
    ) -> StartedVote | None:
        """Start counting one vote."""
        return None if self._limit else StartedVote(self._writer.start(vote))


class FirstVotes:
    """Counts one vote per person."""

    def __init__(
        self, writer: VoterWriter, identifier: VoterIdentifier, limit: DailyLimit | None = None
    ) -> None:
        """Take the writer, what identifies voters, and the daily limit of these votes."""
        self._writer = writer
        self._identifier = identifier
        self._limit = limit

    async def count(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        vote: Vote,
        reason: str | None = None,
    ) -> None:
        """Count one vote if it is the voter's first, with the reason of a report."""
        identity = await self._identify(req, vote)

        async def write(quota: Quota) -> Written:
            return Written(await self._writer.vote(VoterVote(vote, identity.voter, reason), quota))

        written = await limited.apply(req, resp, vote.target, write, self._limit)
        if identity.new_cookie and written.outcome is Outcome.DONE:
            await self._identifier.set_cookie(req, resp, identity.new_cookie)

    def start(
        self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes], vote: Vote
    ) -> StartedVote | None:
        """Start counting one vote if it is the voter's first."""
        if self._limit:
            return None
        identity = self._identifier.identify_at_once(scope, headers, _scope(vote))
        if not identity:
            return None
        cookie = identity.new_cookie and self._identifier.cookie_header(
            scope, headers, identity.new_cookie
        )
        return StartedVote(self._writer.start(VoterVote(vote, identity.voter)), cookie)

    async def take_back(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, vote: Vote
    ) -> None:
        """Take back the voter's vote, if there is one."""
        identity = await self._identify(req, vote)

        async def write(_quota: Quota) -> Written:
            return Written(await self._writer.take_back(vote, identity.own, identity.shared))

        await limited.apply(req, resp, vote.target, write)

    async def _identify(self, req: falcon.asgi.Request, vote: Vote) -> Identity:
        return await self._identifier.identify(req, _scope(vote))


def _scope(vote: Vote) -> str:
    """Return what a voter's hashes are valid for."""
    return f"{vote.target} {vote.id} {vote.action}"


class EveryReport:
    """Counts reports if every report hides: a reporter is identified only to store a reason."""

    def __init__(self, without_reason: EveryVote, with_reason: FirstVotes) -> None:
        """Take the counters of reports without and with a reason."""
        self._without_reason = without_reason
        self._with_reason = with_reason

    async def count(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        vote: Vote,
        reason: str | None = None,
    ) -> None:
        """Hide the question or answer; store the reason."""
        counter = self._without_reason if reason is None else self._with_reason
        await counter.count(req, resp, vote, reason)

    def start(
        self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes], vote: Vote
    ) -> StartedVote | None:
        """Start hiding the question or answer; a request without a body gives no reason."""
        return self._without_reason.start(scope, headers, vote)


class Counters:
    """The counters of votes and of reports for the settings in force."""

    def __init__(  # noqa: PLR0913, PLR0917 - one per kind of vote, and what they need
        self,
        settings: Settings,
        writer: Writer,
        voters: VoterWriter,
        reports: DailyLimit,
        secret: SharedSecret,
        clock: Clock,
    ) -> None:
        """Take the writers of anonymous and of identified votes, and the daily limit of reports.

        And what returns the secret, and the clock by which its keys rotate.
        """
        limit = reports if reports.is_on else None
        identifier = _identifier(settings, secret, clock)
        self.persons: FirstVotes | None = None
        """The counter of votes, if it knows persons."""
        if settings.vote_once != "off":
            self.persons = FirstVotes(voters, identifier)
        self.votes: Counter = self.persons or EveryVote(writer)
        first_reports = FirstVotes(voters, identifier, limit)
        self.reports: Counter = first_reports
        if voter_rules(settings).every_report_hides:
            self.reports = EveryReport(EveryVote(writer, limit), first_reports)


def _identifier(settings: Settings, secret: SharedSecret, clock: Clock) -> VoterIdentifier:
    retention = timedelta(days=settings.vote_memory_days).total_seconds()
    by_cookie = settings.vote_once == "cookie"
    return VoterIdentifier(secret, retention, by_cookie=by_cookie, clock=clock)


def voter_rules(settings: Settings) -> VoterRules:
    """Return the rules for identified votes."""
    return VoterRules(
        timedelta(days=settings.vote_memory_days),
        settings.reports_to_hide,
        every_report_hides=settings.vote_once == "off" and settings.reports_to_hide == 1,
    )
