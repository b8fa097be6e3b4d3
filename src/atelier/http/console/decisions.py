"""Decisions made in the console, by its scripts."""

from collections.abc import Iterable
from typing import Any

import falcon
import falcon.asgi

from atelier.http.common import params
from atelier.http.common.errors import invalid_parameter
from atelier.http.common.ids import integer
from atelier.http.common.moderation import decision_bodies
from atelier.http.common.moderation.results import member, no_decision
from atelier.http.console.pages import Pages
from atelier.http.console.session import CSRF_HEADER
from atelier.http.pages.texts import Texts
from atelier.store.moderation.decisions import Decisions, Filter, Result

_HISTORY = 20


class DecisionsRoute:
    """`/console/decisions`."""

    def __init__(self, pages: Pages, decisions: Decisions) -> None:
        """Take the pages, and the decisions."""
        self._pages = pages
        self._decisions = decisions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the latest decisions about one post."""
        await self._pages.guard.admit(req)
        target = params.one_of(req, "target", "question", "answer")
        number = params.identifier(req, "target_id")
        if target is None or number is None:
            raise invalid_parameter("target and target_id", "those of a post")
        chosen = Filter(target=target, target_id=number)
        resp.media = {"results": await self._decisions.page(chosen, limit=_HISTORY)}

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Make decisions; each has its own status."""
        visitor = await self._pages.guard.admit_change(req, req.get_header(CSRF_HEADER, default=""))
        given = await decision_bodies.decisions(req)
        decisions = given if isinstance(given, list) else [given]
        results = await self._decisions.decide(visitor.name, decisions)
        resp.media = {"results": _members(results, self._pages.words.of(req, resp))}


class UndoRoute:
    """`/console/decisions/{decision_id}/undo`."""

    def __init__(self, pages: Pages, decisions: Decisions) -> None:
        """Take the pages, and the decisions."""
        self._pages = pages
        self._decisions = decisions

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, decision_id: str
    ) -> None:
        """Undo a decision; the result is that of a decision."""
        visitor = await self._pages.guard.admit_change(req, req.get_header(CSRF_HEADER, default=""))
        number, why = integer(decision_id), await decision_bodies.undo(req)
        if number is None:
            raise no_decision()
        result = await self._decisions.undo(visitor.name, number, *why)
        resp.media = {"results": _members([result], self._pages.words.of(req, resp))}


def _members(results: Iterable[Result], texts: Texts) -> list[dict[str, Any]]:
    """Return the results of decisions; what was wrong is said in the reader's language."""
    members = [member(result) for result in results]
    return [
        {**each, "detail": texts.said(each["detail"])} if "detail" in each else each
        for each in members
    ]
