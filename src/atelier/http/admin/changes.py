"""The change feed: events after a cursor, as a long poll."""

import re
from http import HTTPStatus
from typing import NamedTuple

import falcon.asgi

from atelier.http.common.authorization import Authorizer
from atelier.http.common.errors import ApiError, invalid_parameter
from atelier.store.changes import ChangeFeed, ChangesPage, Cursor, ExpiredCursorError
from atelier.store.tokens import Scope

MAX_WAIT_SECONDS = 30
_MAX_LIMIT = 1000
_DEFAULT_LIMIT = 100
_NOW = "now"
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
_NATURAL = re.compile(r"0*[0-9]{1,4}", re.ASCII)
_EXPIRED = (
    "The events after this cursor are no longer kept: get a cursor with after=now, read everything "
    "again, then follow that cursor"
)


class _Request(NamedTuple):
    after: str | None
    limit: int
    wait: int


class Changes:
    """`/admin/v1/changes`."""

    def __init__(self, authorizer: Authorizer, feed: ChangeFeed) -> None:
        """Take the authorizer of requests, and the feed."""
        self._authorizer = authorizer
        self._feed = feed

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the events after a cursor, and the next cursor; wait for one if asked to."""
        await self._authorizer.require(req, Scope.READ)
        request = _request(req)
        after = await self._cursor(request.after)
        try:
            page = await self._feed.read(after, request.limit, wait=request.wait)
        except ExpiredCursorError as error:
            raise ApiError(HTTPStatus.GONE, _EXPIRED) from error
        resp.text = _body(page)

    on_head = on_get

    async def _cursor(self, text: str | None) -> Cursor | None:
        if text is None:
            return None
        return await self._feed.end() if text == _NOW else _parsed(text)


def _request(req: falcon.asgi.Request) -> _Request:
    after = req.params.get("after")
    if not (
        after is None or after == _NOW or (isinstance(after, str) and _CURSOR.fullmatch(after))
    ):
        raise invalid_parameter("after", f"the `next` of an earlier answer, or {_NOW}")
    return _Request(
        after,
        _natural(req, "limit", _DEFAULT_LIMIT, 1, _MAX_LIMIT),
        _natural(req, "wait", 0, 0, MAX_WAIT_SECONDS),
    )


def _natural(req: falcon.asgi.Request, name: str, default: int, minimum: int, maximum: int) -> int:
    text = req.params.get(name)
    if text is None:
        return default
    match = _NATURAL.fullmatch(text) if isinstance(text, str) else None
    if match is None or not minimum <= int(match[0]) <= maximum:
        raise invalid_parameter(name, f"a whole number from {minimum} to {maximum}")
    return int(match[0])


def _parsed(text: str) -> Cursor:
    position, _, event_id = text.partition("-")
    return Cursor(int(position), int(event_id))


def _body(page: ChangesPage) -> str:
    cursor = f"{page.next.position}-{page.next.id}"
    return f'{{"results":[{",".join(page.events)}],"next":"{cursor}"}}'
