"""Votes and reports on questions and answers."""

from datetime import timedelta

import falcon
import falcon.asgi

from atelier.http.common.identity import Clock, VoterIdentifier
from atelier.http.qa import bodies, idempotency, params
from atelier.http.qa.daily_limits import DailyLimit
from atelier.settings import Settings
from atelier.store.limits import UNLIMITED
from atelier.store.voters import VoterRules, VoterVote, VoterWriter
from atelier.store.writes import Action, Outcome, Target, Vote, Writer


class Votes:
    """`/qa/{questions,answers}/{id}/{helpful,report}`: one object per target and action."""

    def __init__(
        self, writer: Writer, target: Target, action: Action, limit: DailyLimit | None = None
    ) -> None:
        """Take the writer, the target and action of this route, and its daily limit."""
        self._writer = writer
        self._target = target
        self._action = action
        self._limit = limit

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count one vote; the body is ignored."""
        number = params.target_id(self._target, target_id)
        vote = Vote(self._target, number, self._action, idempotency.key(req))
        quota = await self._limit.quota(req) if self._limit else UNLIMITED
        outcome = await self._writer.vote(vote, quota)
        if self._limit:
            self._limit.check(outcome)
        idempotency.apply_outcome(outcome, resp, self._target)
        resp.status = falcon.HTTP_NO_CONTENT


class VotesOnce:
    """The same routes, with one vote per person."""

    def __init__(
        self,
        writer: VoterWriter,
        identifier: VoterIdentifier,
        target: Target,
        action: Action,
        limit: DailyLimit | None = None,
    ) -> None:
        """Take the same as Votes, and what identifies voters."""
        self._writer = writer
        self._identifier = identifier
        self._target = target
        self._action = action
        self._limit = limit

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count one vote if it is the voter's first; store the reason of a report."""
        reason = await bodies.reason(req) if self._action == "report" else None
        await self.count(req, resp, target_id, reason)

    async def count(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        target_id: str,
        reason: str | None,
    ) -> None:
        """Count one vote if it is the voter's first, with the reason of a report."""
        number = params.target_id(self._target, target_id)
        vote = Vote(self._target, number, self._action, idempotency.key(req))
        scope = f"{self._target} {number} {self._action}"
        voter, new_cookie = await self._identifier.identify(req, scope)
        quota = await self._limit.quota(req) if self._limit else UNLIMITED
        outcome = await self._writer.vote(VoterVote(vote, voter, reason), quota)
        if self._limit:
            self._limit.check(outcome)
        idempotency.apply_outcome(outcome, resp, self._target)
        if new_cookie and outcome is Outcome.DONE:
            await self._identifier.set_cookie(req, resp, new_cookie)
        resp.status = falcon.HTTP_NO_CONTENT


class Reports:
    """The report routes if every report hides: a reporter is identified only to store a reason."""

    def __init__(self, without_reason: Votes, with_reason: VotesOnce) -> None:
        """Take the handlers of reports without and with a reason."""
        self._without_reason = without_reason
        self._with_reason = with_reason

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Hide the question or answer; store the reason."""
        reason = await bodies.reason(req)
        if reason is None:
            await self._without_reason.on_put(req, resp, target_id)
        else:
            await self._with_reason.count(req, resp, target_id, reason)


class VoteRoutes:
    """Creates the resources of the vote routes for the settings in force."""

    def __init__(
        self,
        settings: Settings,
        writer: Writer,
        voters: VoterWriter,
        reports: DailyLimit,
        clock: Clock,
    ) -> None:
        """Take the writers of anonymous and of identified votes, and the daily limit of reports."""
        self._settings = settings
        self._writer = writer
        self._voters = voters
        self._report_limit = reports if reports.is_on else None
        retention = timedelta(days=settings.vote_memory_days).total_seconds()
        by_cookie = settings.vote_once == "cookie"
        self._identifier = VoterIdentifier(
            self._secret, retention, by_cookie=by_cookie, clock=clock
        )

    def helpful(self, target: Target) -> Votes | VotesOnce:
        """Return the resource for helpful votes on a target."""
        if self._settings.vote_once == "off":
            return Votes(self._writer, target, "helpful")
        return VotesOnce(self._voters, self._identifier, target, "helpful")

    def report(self, target: Target) -> Reports | VotesOnce:
        """Return the resource for reports of a target."""
        limit = self._report_limit
        once = VotesOnce(self._voters, self._identifier, target, "report", limit)
        if voter_rules(self._settings).every_report_hides:
            return Reports(Votes(self._writer, target, "report", limit), once)
        return once

    async def _secret(self) -> bytes:
        secret = self._settings.secret
        return secret.encode() if secret else await self._voters.secret()


def voter_rules(settings: Settings) -> VoterRules:
    """Return the rules for identified votes."""
    return VoterRules(
        timedelta(days=settings.vote_memory_days),
        settings.reports_to_hide,
        every_report_hides=settings.vote_once == "off" and settings.reports_to_hide == 1,
    )
