"""Votes and reports on questions and answers."""

from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common.errors import ApiError, not_found
from atelier.http.common.ids import target_id as parse_id
from atelier.http.common.writing import fields, idempotency
from atelier.http.common.writing.votes import Counters
from atelier.http.v1 import bodies
from atelier.store.writes import Target, Vote
from atelier.store.written import Standing, WrittenReader

_EXPOSED = "Location, Vote-Counted, Idempotency-Replayed"


class OwnVote:
    """`/v1/{questions,answers}/{id}/vote`: one object per target."""

    def __init__(self, target: Target, counters: Counters, reader: WrittenReader) -> None:
        """Take the target of this route, the counters of votes, and the reader of their number."""
        self._target = target
        self._votes = counters.votes
        self._persons = counters.persons
        self._reader = reader

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count a vote; the body is ignored."""
        vote = self._vote(req, target_id)
        await self._votes.count(req, resp, vote)
        await self._send(resp, vote)

    async def on_delete(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Take back the person's vote."""
        vote = self._vote(req, target_id)
        if self._persons is None:
            raise ApiError(
                HTTPStatus.CONFLICT,
                "votes cannot be taken back here: every vote counts, whoever sends it, "
                "because ATELIER_VOTE_ONCE is off",
            )
        await self._persons.take_back(req, resp, vote)
        await self._send(resp, vote)

    def _vote(self, req: falcon.asgi.Request, target_id: str) -> Vote:
        number = parse_id(self._target, target_id)
        return Vote(self._target, number, "helpful", idempotency.key(req))

    async def _send(self, resp: falcon.asgi.Response, vote: Vote) -> None:
        standing = _existing(vote, await self._reader.standing(vote.target, vote.id))
        _name(resp, vote)
        resp.media = {"id": vote.id, "helpful": standing.helpful}


class Reports:
    """`/v1/{questions,answers}/{id}/reports`: one object per target."""

    def __init__(self, target: Target, counters: Counters, reader: WrittenReader) -> None:
        """Take the target of this route, the counters, and the reader of what is hidden."""
        self._target = target
        self._reports = counters.reports
        self._reader = reader

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count a report with its reason."""
        number = parse_id(self._target, target_id)
        with bodies.problems():
            reason = fields.reason(await bodies.fields(req))
        vote = Vote(self._target, number, "report", idempotency.key(req, reason))
        await self._reports.count(req, resp, vote, reason)
        standing = _existing(vote, await self._reader.standing(vote.target, vote.id))
        resp.status = falcon.HTTP_CREATED
        _name(resp, vote)
        resp.media = {"id": vote.id, "hidden": standing.is_hidden}


def _name(resp: falcon.asgi.Response, vote: Vote) -> None:
    """Tell the address of what was changed."""
    resp.set_header("Location", f"/v1/{vote.target}s/{vote.id}")
    resp.set_header("Access-Control-Expose-Headers", _EXPOSED)


def _existing(vote: Vote, standing: Standing | None) -> Standing:
    if standing is None:  # deleted since it was counted
        raise not_found(vote.target)
    return standing
