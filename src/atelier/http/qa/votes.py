"""Votes and reports on questions and answers."""

import falcon
import falcon.asgi

from atelier.http.common.ids import target_id as parse_id
from atelier.http.common.writing import idempotency
from atelier.http.common.writing.votes import Counter
from atelier.http.qa import bodies
from atelier.store.writes import Target, Vote


class Helpful:
    """`/qa/{questions,answers}/{id}/helpful`: one object per target."""

    def __init__(self, counter: Counter, target: Target) -> None:
        """Take the counter of votes, and the target of this route."""
        self._counter = counter
        self._target = target

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count one vote; the body is ignored."""
        number = parse_id(self._target, target_id)
        vote = Vote(self._target, number, "helpful", idempotency.key(req))
        await self._counter.count(req, resp, vote)
        resp.status = falcon.HTTP_NO_CONTENT


class Report:
    """`/qa/{questions,answers}/{id}/report`: one object per target."""

    def __init__(self, counter: Counter, target: Target) -> None:
        """Take the counter of reports, and the target of this route."""
        self._counter = counter
        self._target = target

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count one report; a reason in the body is optional."""
        reason = await bodies.reason(req)
        number = parse_id(self._target, target_id)
        vote = Vote(self._target, number, "report", idempotency.key(req))
        await self._counter.count(req, resp, vote, reason)
        resp.status = falcon.HTTP_NO_CONTENT
