"""The queue of questions and answers for moderators."""

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.authorization import Authorizer
from atelier.http.common.errors import invalid_parameter
from atelier.http.common.moderation import cursors
from atelier.store.moderation.queue import NewestPosition, Page, Position, Queue, State
from atelier.store.tokens import Scope

_NEWEST = "newest"
_MAX_REASON_LENGTH = 200
_CURSOR_RULE = "the `next` of a page of the same filter"


class QueueRoute:
    """`/admin/v1/queue`."""

    def __init__(self, authorizer: Authorizer, queue: Queue) -> None:
        """Take the authorizer of requests, and the queue."""
        self._authorizer = authorizer
        self._queue = queue

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of the queue."""
        await self._authorizer.require(req, Scope.READ)
        chosen = params.one_of(req, "filter", *State, _NEWEST) or State.REPORTED
        page = await (self._newest(req) if chosen == _NEWEST else self._state(req, State(chosen)))
        resp.media = {
            "results": page.items,
            "next": cursors.encode(page.next) if page.next else None,
        }

    on_head = on_get

    async def _state(self, req: falcon.asgi.Request, state: State) -> Page:
        return await self._queue.page(
            state,
            product_id=params.identifier(req, "product_id"),
            reason=params.text(req, "reason", _MAX_REASON_LENGTH),
            after=params.parse(req, "after", cursors.position, _CURSOR_RULE) or Position(),
            limit=params.limit(req),
        )

    async def _newest(self, req: falcon.asgi.Request) -> Page:
        for name in ("product_id", "reason"):
            if name in req.params:
                raise invalid_parameter(name, f"left out with filter={_NEWEST}")
        after = params.parse(req, "after", cursors.newest_position, _CURSOR_RULE)
        return await self._queue.newest(after=after or NewestPosition(), limit=params.limit(req))
