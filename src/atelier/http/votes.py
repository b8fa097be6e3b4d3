"""Votes and reports of shoppers, on questions and on answers."""

import falcon
import falcon.asgi

from atelier.http import params
from atelier.http.errors import not_found
from atelier.store.writes import Action, Target, Vote, Writer


class Votes:
    """`/qa/{questions,answers}/{id}/{helpful,report}`: one object for each pair."""

    def __init__(self, writer: Writer, target: Target, action: Action) -> None:
        """Take where votes are written to, and what this route votes on and how."""
        self._writer = writer
        self._target = target
        self._action = action

    async def on_put(
        self, _req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Count one vote; the body is ignored."""
        vote = Vote(self._target, params.target_id(self._target, target_id), self._action)
        if not await self._writer.vote(vote):
            raise not_found(self._target)
        resp.status = falcon.HTTP_NO_CONTENT
