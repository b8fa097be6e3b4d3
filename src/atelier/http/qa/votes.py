"""Votes and reports on questions and answers."""

import falcon
import falcon.asgi

from atelier.http.qa import idempotency, params
from atelier.http.qa.daily_limits import DailyLimit
from atelier.store.writes import Action, Target, Vote, Writer


class Votes:
    """`/qa/{questions,answers}/{id}/{helpful,report}`: one object per target and action."""

    def __init__(
        self, writer: Writer, target: Target, action: Action, limit: DailyLimit | None = None
    ) -> None:
        """Take the writer, the target and action of this route, and its daily limit."""
        self._writer = writer
        self._target = target
        self._action = action
        self._limit = limit if limit and limit.is_on else None

    async def on_put(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count one vote; the body is ignored."""
        number = params.target_id(self._target, target_id)
        vote = Vote(self._target, number, self._action, idempotency.key(req))
        if self._limit:
            outcome = await self._writer.vote(vote, await self._limit.quota(req))
            self._limit.check(outcome)
        else:
            outcome = await self._writer.vote(vote)
        idempotency.apply_outcome(outcome, resp, self._target)
        resp.status = falcon.HTTP_NO_CONTENT
