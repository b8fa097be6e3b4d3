"""The audit trail of moderation, with filters and an export."""

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.moderation.results import JSON_LINES, lines
from atelier.http.console.pages import Pages, drop_empty, query
from atelier.http.console.session import Guard
from atelier.store.moderation.decisions import MAX_ID, UNDO, Action, Decisions, Filter

_MAX_NAME_LENGTH = 60
_ACTIONS = (*(str(action) for action in Action), UNDO)


class AuditPage:
    """`/console/audit`."""

    def __init__(self, pages: Pages, decisions: Decisions) -> None:
        """Take the pages and the decisions."""
        self._pages = pages
        self._decisions = decisions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of decisions, the newest first."""
        visitor = await self._pages.guard.admit(req)
        chosen, limit = _filter(req), params.limit(req)
        before = params.identifier(req, "after")
        page = await self._decisions.page(
            chosen, before=MAX_ID if before is None else before, limit=limit + 1
        )
        shown, fields = page[:limit], chosen._asdict()
        await self._pages.send(
            req,
            resp,
            visitor,
            "audit",
            decisions=shown,
            chosen=fields,
            actions=_ACTIONS,
            next=query(**fields, after=shown[-1]["id"]) if len(page) > limit else None,
            export=f"/console/audit/export{query(**fields)}",
        )


class AuditExport:
    """`/console/audit/export`."""

    def __init__(self, guard: Guard, decisions: Decisions) -> None:
        """Take who admits requests, and the decisions."""
        self._guard = guard
        self._decisions = decisions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send all decisions of the filters as JSON Lines, the oldest first."""
        await self._guard.admit(req)
        resp.content_type = JSON_LINES
        resp.downloadable_as = "audit-trail.jsonl"
        resp.stream = lines(self._decisions.all(_filter(req)))


def _filter(req: falcon.asgi.Request) -> Filter:
    drop_empty(req)
    return Filter(
        params.text(req, "actor", _MAX_NAME_LENGTH),
        params.one_of(req, "action", *_ACTIONS),
        params.one_of(req, "target", "question", "answer"),
        params.identifier(req, "target_id"),
    )
