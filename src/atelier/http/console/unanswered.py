"""The questions that wait for an answer, with a place to answer them as the seller."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.moderation.cursors import unanswered_position
from atelier.http.console import form_decisions
from atelier.http.console.form_decisions import FormDecisions
from atelier.http.console.pages import Pages, drop_empty, form, query
from atelier.http.console.session import Visitor
from atelier.store.console.samples import Samples
from atelier.store.unanswered import STARTS, Filters, UnansweredReader

_ORDER: Final = "oldest"
_CURSOR_RULE = "the end of the page before"
_LIMIT = 25


class UnansweredPage:
    """`/console/unanswered`."""

    def __init__(
        self,
        pages: Pages,
        reader: UnansweredReader,
        samples: Samples,
        decisions: FormDecisions,
    ) -> None:
        """Take the pages, the reader of questions, the source of their versions, and decisions."""
        self._pages = pages
        self._reader = reader
        self._samples = samples
        self._decisions = decisions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of questions, the oldest first."""
        await self._send(req, resp, await self._pages.guard.admit(req))

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Publish an answer, or undo one; send the page with what came of it."""
        fields = await form(req, form_decisions.MAX_BYTES)
        visitor = await self._pages.guard.admit_change(req, fields.get("csrf", ""))
        if "undo" in fields:
            notices = await self._decisions.undo(visitor, fields["undo"])
        else:
            notices = await self._answer(visitor, fields)
        if any(notice["status"] != HTTPStatus.CREATED for notice in notices):
            resp.status = HTTPStatus.CONFLICT
        await self._send(req, resp, visitor, notices, fields.get("text"))

    async def _answer(self, visitor: Visitor, fields: Mapping[str, str]) -> list[dict[str, Any]]:
        question = form_decisions.post(fields.get("question", ""))
        why = {"action": "answer_as_seller", "reason": "answered"}
        text = fields.get("text", "").replace("\r\n", "\n")
        return await self._decisions.decide(visitor, [{**question, **why, "text": text}])

    async def _send(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        visitor: Visitor,
        notices: Sequence[dict[str, Any]] = (),
        text: str | None = None,
    ) -> None:
        """Send a page of questions; `text` is an answer just sent."""
        drop_empty(req)
        product_id = params.identifier(req, "product_id")
        after = params.parse(req, "after", unanswered_position, _CURSOR_RULE)
        start = after[1] if after else STARTS[_ORDER]
        page = await self._reader.page(_ORDER, start, _LIMIT, Filters(product_id))
        versions = await self._samples.question_versions([each["id"] for each in page.questions])
        await self._pages.send(
            req,
            resp,
            visitor,
            "unanswered",
            questions=page.questions,
            versions=versions,
            product_id=product_id,
            here=query(**req.params),
            notices=notices,
            text=text,
            next=page.next
            and query(product_id=product_id, after=f"{_ORDER}.{page.next.key}.{page.next.id}"),
        )
