"""Decisions of moderators: make, list, export and undo them."""

from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common import params
from atelier.http.common.authorization import Authorizer
from atelier.http.common.errors import ApiError
from atelier.http.common.ids import integer
from atelier.http.common.moderation import decision_bodies
from atelier.http.common.moderation.results import (
    CONFLICTS,
    JSON_LINES,
    NO_TARGET,
    lines,
    member,
    no_decision,
)
from atelier.store.moderation.decisions import (
    MAX_ID,
    UNDO,
    Action,
    Decisions,
    Filter,
    Outcome,
    Result,
)
from atelier.store.tokens import Scope

_MAX_NAME_LENGTH = 60


class DecisionsRoute:
    """`/admin/v1/decisions`."""

    def __init__(self, authorizer: Authorizer, decisions: Decisions) -> None:
        """Take the authorizer of requests, and the decisions."""
        self._authorizer = authorizer
        self._decisions = decisions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of the audit trail, the newest first; or all of it as JSON Lines."""
        await self._authorizer.require(req, Scope.READ)
        chosen = Filter(
            params.text(req, "actor", _MAX_NAME_LENGTH),
            params.one_of(req, "action", *Action, UNDO),
            params.one_of(req, "target", "question", "answer"),
            params.identifier(req, "target_id"),
        )
        limit = params.limit(req)
        before = params.identifier(req, "after")
        form = params.one_of(req, "format", "json", "jsonl")
        resp.append_header("Vary", "Accept")
        if form == "jsonl" or (form is None and JSON_LINES in req.accept.lower()):
            resp.content_type = JSON_LINES
            if req.method != "HEAD":
                resp.stream = lines(self._decisions.all(chosen))
            return
        page = await self._decisions.page(
            chosen, before=MAX_ID if before is None else before, limit=limit + 1
        )
        shown = page[:limit]
        has_more = len(page) > limit
        resp.media = {"results": shown, "next": str(shown[-1]["id"]) if has_more else None}

    on_head = on_get

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Make one decision, or several; each of several has its own status."""
        actor = await self._authorizer.require(req, Scope.MODERATE)
        given = await decision_bodies.decisions(req)
        if isinstance(given, list):
            results = await self._decisions.decide(actor.name, given)
            resp.media = {"results": list(map(member, results))}
        else:
            [result] = await self._decisions.decide(actor.name, [given])
            _send(resp, result)


class DecisionRoute:
    """`/admin/v1/decisions/{decision_id}`."""

    def __init__(self, authorizer: Authorizer, decisions: Decisions) -> None:
        """Take the authorizer of requests, and the decisions."""
        self._authorizer = authorizer
        self._decisions = decisions

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, decision_id: str
    ) -> None:
        """Send one decision."""
        await self._authorizer.require(req, Scope.READ)
        decision = await self._decisions.get(_id(decision_id))
        if decision is None:
            raise no_decision()
        resp.media = decision

    on_head = on_get


class UndoRoute:
    """`/admin/v1/decisions/{decision_id}/undo`."""

    def __init__(self, authorizer: Authorizer, decisions: Decisions) -> None:
        """Take the authorizer of requests, and the decisions."""
        self._authorizer = authorizer
        self._decisions = decisions

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, decision_id: str
    ) -> None:
        """Undo a decision, which is a decision itself."""
        actor = await self._authorizer.require(req, Scope.MODERATE)
        number, why = _id(decision_id), await decision_bodies.undo(req)
        result = await self._decisions.undo(actor.name, number, *why)
        if result.outcome is Outcome.NO_TARGET:
            raise no_decision()
        _send(resp, result)


def _id(text: str) -> int:
    number = integer(text)
    if number is None:
        raise no_decision()
    return number


def _send(resp: falcon.asgi.Response, result: Result) -> None:
    if result.outcome is Outcome.NO_TARGET:
        raise ApiError(HTTPStatus.NOT_FOUND, NO_TARGET)
    if result.outcome is not Outcome.DONE:
        raise ApiError(HTTPStatus.CONFLICT, CONFLICTS[result.outcome], decision=result.decision)
    resp.status = falcon.HTTP_CREATED
    resp.media = result.decision
    if result.decision:
        resp.location = f"/admin/v1/decisions/{result.decision['id']}"
