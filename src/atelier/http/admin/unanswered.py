"""The questions that wait for an answer: the shop's to-do list."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, cast, get_args

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.authorization import Authorizer
from atelier.http.common.errors import ApiError
from atelier.http.common.moderation.cursors import unanswered_position
from atelier.store.connections.database import DatabaseTimeoutError
from atelier.store.tokens import Scope
from atelier.store.unanswered import (
    EARLIEST,
    LATEST,
    STARTS,
    Filters,
    FirstAnswers,
    Order,
    Page,
    Position,
    UnansweredReader,
)

_PERIOD = timedelta(days=90)
_CURSOR_RULE = "the `next` of the page before"
_DATE_RULE = "a date such as 2026-11-27, or a time such as 2026-11-27T09:00:00Z"


class Unanswered:
    """`/admin/v1/unanswered`."""

    def __init__(self, authorizer: Authorizer, reader: UnansweredReader) -> None:
        """Take the authorizer of requests and the reader of questions."""
        self._authorizer = authorizer
        self._reader = reader

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of questions; with the first page, how long questions waited so far."""
        await self._authorizer.require(req, Scope.READ)
        order = cast("Order", params.one_of(req, "sort", *get_args(Order)) or "oldest")
        after = params.parse(req, "after", unanswered_position, _CURSOR_RULE)
        order, position = after or (order, STARTS[order])
        try:
            page = await self._page(req, order, position)
            first_answers = None if after else await self._reader.first_answers(_PERIOD)
        except DatabaseTimeoutError as error:
            raise _too_many() from error
        resp.media = {
            "results": page.questions,
            "next": page.next and f"{order}.{page.next.key}.{page.next.id}",
            "time_to_first_answer": first_answers and _json(first_answers),
        }

    on_head = on_get

    async def _page(self, req: falcon.asgi.Request, order: Order, after: Position) -> Page:
        filters = Filters(
            params.identifier(req, "product_id"),
            params.parse(req, "asked_from", _time, _DATE_RULE) or EARLIEST,
            params.parse(req, "asked_before", _time, _DATE_RULE) or LATEST,
        )
        return await self._reader.page(order, after, params.limit(req), filters)


def _time(text: str) -> datetime:
    """Return a date, as its begin in UTC, or a time with an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None and len(text) > len("2026-11-27"):
        raise ValueError
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(waited: FirstAnswers) -> dict[str, Any]:
    return {"days": _PERIOD.days, **waited._asdict()}


def _too_many() -> ApiError:
    return ApiError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "There are too many questions to search in time: try again, sort=oldest, or narrow it "
        "with product_id or with asked_from and asked_before.",
        {"Retry-After": "5"},
    )
