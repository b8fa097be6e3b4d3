"""Votes and reports of shoppers, on questions and on answers."""

import falcon
import falcon.asgi

from atelier.http.qa import idempotency, params
from atelier.store.writes import Action, Target, Vote, Writer


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
