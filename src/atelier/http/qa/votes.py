"""Votes and reports of shoppers, on questions and on answers."""

from datetime import timedelta

import falcon
import falcon.asgi

from atelier.http.common.identity import Clock, Identity
from atelier.http.qa import bodies, idempotency, params
from atelier.settings import Settings
from atelier.store.voters import VoterRules, VoterVote, VoterWriter
from atelier.store.writes import Action, Outcome, Target, Vote, Writer


class Votes:
    """`/qa/{questions,answers}/{id}/{helpful,report}`: one object for each pair."""

    def __init__(self, writer: Writer, target: Target, action: Action) -> None:
        """Take where votes are written to, and what this route votes on and how."""
        self._writer = writer
        self._target = target
        self._action = action

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count one vote; the body is ignored."""
        number = params.target_id(self._target, target_id)
        vote = Vote(self._target, number, self._action, idempotency.key(req))
        idempotency.apply_outcome(await self._writer.vote(vote), resp, self._target)
        resp.status = falcon.HTTP_NO_CONTENT


class VotesOnce:
    """The same routes where voters are told apart: each one's voice counts once."""

    def __init__(
        self, writer: VoterWriter, identity: Identity, target: Target, action: Action
    ) -> None:
        """Take where votes are written to, who tells voters apart, what is voted on and how."""
        self._writer = writer
        self._identity = identity
        self._target = target
        self._action = action

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count one vote, if it is its voter's first; keep the reason of a report."""
        reason = await bodies.reason(req) if self._action == "report" else None
        await self.count(req, resp, target_id, reason)

    async def count(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        target_id: str,
        reason: str | None,
    ) -> None:
        """Count one vote, given the reason of a report."""
        number = params.target_id(self._target, target_id)
        vote = Vote(self._target, number, self._action, idempotency.key(req))
        ballot = await self._identity.ballot(req, f"{self._target} {number} {self._action}")
        outcome = await self._writer.vote(VoterVote(vote, ballot.voter, reason))
        idempotency.apply_outcome(outcome, resp, self._target)
        if ballot.cookie and outcome is Outcome.DONE:
            await self._identity.give_cookie(req, resp, ballot.cookie)
        resp.status = falcon.HTTP_NO_CONTENT


class Reports:
    """The report routes where every report hides: who reports matters if there is a reason."""

    def __init__(self, plain: Votes, explained: VotesOnce) -> None:
        """Take what reports without a reason go to, and those with one."""
        self._plain = plain
        self._explained = explained

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Hide what is reported; keep the reason."""
        reason = await bodies.reason(req)
        if reason is None:
            await self._plain.on_put(req, resp, target_id)
        else:
            await self._explained.count(req, resp, target_id, reason)


class VoteRoutes:
    """Makes the objects of the routes, as the settings want votes to be counted."""

    def __init__(
        self, settings: Settings, writer: Writer, voters: VoterWriter, clock: Clock
    ) -> None:
        """Take the settings, where votes go without and with their voters, and the time."""
        self._settings = settings
        self._writer = writer
        self._voters = voters
        memory = timedelta(days=settings.vote_memory_days).total_seconds()
        by_cookie = settings.vote_once == "cookie"
        self._identity = Identity(self._secret, memory, by_cookie=by_cookie, clock=clock)

    def helpful(self, target: Target) -> Votes | VotesOnce:
        """Return the object of a route that counts helpful votes."""
        if self._settings.vote_once == "off":
            return Votes(self._writer, target, "helpful")
        return VotesOnce(self._voters, self._identity, target, "helpful")

    def report(self, target: Target) -> Reports | VotesOnce:
        """Return the object of a route that takes reports."""
        once = VotesOnce(self._voters, self._identity, target, "report")
        if voter_rules(self._settings).repeats_hide:
            return Reports(Votes(self._writer, target, "report"), once)
        return once

    async def _secret(self) -> bytes:
        given = self._settings.secret
        return given.encode() if given else await self._voters.secret()


def voter_rules(settings: Settings) -> VoterRules:
    """Return how the votes of known voters count."""
    return VoterRules(
        timedelta(days=settings.vote_memory_days),
        settings.reports_to_hide,
        repeats_hide=settings.vote_once == "off" and settings.reports_to_hide == 1,
    )
