"""The moderation queue."""

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.errors import invalid_parameter
from atelier.http.common.moderation import cursors
from atelier.http.console.pages import Pages, drop_empty, query
from atelier.store.moderation.queue import NewestPosition, Page, Position, Queue, State

_NEWEST = "newest"
_MAX_REASON_LENGTH = 200
_CURSOR_RULE = "the end of the page before"
REASONS = ("spam", "off_topic", "offensive", "personal_data", "false_claim", "duplicate", "other")
"""The reasons that the page offers for hiding a post."""


class QueuePage:
    """`/console/queue`."""

    def __init__(self, pages: Pages, queue: Queue) -> None:
        """Take the pages and the queue."""
        self._pages = pages
        self._queue = queue

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of the queue."""
        visitor = await self._pages.guard.admit(req)
        drop_empty(req)
        chosen = params.one_of(req, "filter", *State, _NEWEST) or State.REPORTED
        product_id = params.identifier(req, "product_id")
        reason = params.text(req, "reason", _MAX_REASON_LENGTH)
        if chosen == _NEWEST:
            if product_id is not None or reason is not None:
                raise invalid_parameter("filter", "another one with a product or a reason")
            page = await self._newest(req)
        else:
            page = await self._state(req, State(chosen), product_id, reason)
        following = page.next and query(
            filter=chosen, product_id=product_id, reason=reason, after=cursors.encode(page.next)
        )
        await self._pages.send(
            resp,
            visitor,
            "queue",
            items=page.items,
            filter=chosen,
            product_id=product_id,
            reason=reason,
            next=following,
            reasons=REASONS,
        )

    async def _state(
        self, req: falcon.asgi.Request, state: State, product_id: int | None, reason: str | None
    ) -> Page:
        after = params.parse(req, "after", cursors.position, _CURSOR_RULE)
        return await self._queue.page(
            state,
            product_id=product_id,
            reason=reason,
            after=after or Position(),
            limit=params.limit(req),
        )

    async def _newest(self, req: falcon.asgi.Request) -> Page:
        after = params.parse(req, "after", cursors.newest_position, _CURSOR_RULE)
        return await self._queue.newest(after=after or NewestPosition(), limit=params.limit(req))
