"""The moderation queue."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.errors import invalid_parameter
from atelier.http.common.moderation import cursors
from atelier.http.console import form_decisions
from atelier.http.console.form_decisions import FormDecisions
from atelier.http.console.pages import Pages, drop_empty, pairs, query
from atelier.http.console.session import Visitor
from atelier.store.moderation.decisions import Action
from atelier.store.moderation.queue import NewestPosition, Page, Position, Queue, State

_NEWEST = "newest"
_MAX_REASON_LENGTH = 200
_CURSOR_RULE = "the end of the page before"
REASONS = ("spam", "off_topic", "offensive", "personal_data", "false_claim", "duplicate", "other")
"""The reasons that the page offers for hiding a post."""


class QueuePage:
    """`/console/queue`."""

    def __init__(self, pages: Pages, queue: Queue, decisions: FormDecisions) -> None:
        """Take the pages, the queue, and what makes decisions."""
        self._pages = pages
        self._queue = queue
        self._decisions = decisions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of the queue."""
        await self._send(req, resp, await self._pages.guard.admit(req))

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Decide about one post or those selected, or undo; send the page with what came of it."""
        sent = await pairs(req, form_decisions.MAX_BYTES)
        fields = dict(sent)
        visitor = await self._pages.guard.admit_change(req, fields.get("csrf", ""))
        if "undo" in fields:
            notices = await self._decisions.undo(visitor, fields["undo"])
        else:
            notices = await self._decisions.decide(visitor, _decisions(sent))
        await self._send(req, resp, visitor, notices)

    async def _send(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        visitor: Visitor,
        notices: Sequence[dict[str, Any]] = (),
    ) -> None:
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
            req,
            resp,
            visitor,
            "queue",
            items=page.items,
            filter=chosen,
            product_id=product_id,
            reason=reason,
            next=following,
            here=query(**req.params),
            notices=notices,
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


def _decisions(sent: Iterable[tuple[str, str]]) -> Iterator[dict[str, object]]:
    """Yield the fields of each decision: about one post, or by `all` about those selected."""
    fields = dict(sent)
    action, _, one = fields.get("one", "").partition(" ")
    chosen = [one] if one else [value for name, value in sent if name == "post"]
    action = action or fields.get("all", "")
    why = {
        "reason": "acceptable" if action == Action.RESTORE else fields.get("reason"),
        "note": fields.get("note", "").strip() or None,
    }
    for value in chosen:
        yield {"action": action, **form_decisions.post(value), **why}
