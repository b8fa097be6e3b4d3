"""Responses with the database's own JSON, and ETags."""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NamedTuple

import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.v1 import cursors
from atelier.http.v1.params import AnswersRequest, QuestionsRequest
from atelier.store.lists.reader import AnswersPage, Position, QuestionsPage

CACHE_CONTROL = "no-cache"
"""A client may keep a response, but must ask whether it is still current."""
_ETAG_DIGITS = 24


class Reading(NamedTuple):
    """A response that is being read."""

    result: asyncio.Future[Any]
    body: Callable[[Any], bytes]
    """Returns the body for the result; raises ApiError if there is nothing to show."""


def questions_body(request: QuestionsRequest, page: QuestionsPage, opening: bytes = b"{") -> bytes:
    """Return the JSON object of a page of questions; `opening` is its beginning."""
    return b"".join(
        (
            opening,
            b'"results":[',
            page.documents,
            b'],"next":%b,"totals":{%b}}'
            % (next_cursor(page.next, request.of_list), page.totals.encode()),
        )
    )


def answers_body(request: AnswersRequest, page: AnswersPage) -> bytes:
    """Return the JSON object of a page of answers; raise the 404 for an unknown question."""
    if page.total is None:
        raise unknown("question")
    return b'{"results":[%b],"next":%b,"totals":{"answers":%d}}' % (
        page.documents,
        next_cursor(page.next, request.of_list),
        page.total,
    )


def etag(body: bytes) -> str:
    """Return the ETag of a body. It is weak, because nginx may compress the body."""
    return f'W/"{sha256(body).hexdigest()[:_ETAG_DIGITS]}"'


def is_known(tag: str, known: str | None) -> bool:
    """Return whether an If-None-Match header, if there is one, names this ETag, weak or strong."""
    return known is not None and (tag.removeprefix("W/") in known or known.strip() == "*")


def send(req: falcon.asgi.Request, resp: falcon.asgi.Response, body: bytes) -> None:
    """Send a body with its ETag; a 304 without it to a client that has the same."""
    tag = etag(body)
    resp.set_header("ETag", tag)
    resp.set_header("Cache-Control", CACHE_CONTROL)
    if is_known(tag, req.get_header("If-None-Match")):
        resp.status = falcon.HTTP_NOT_MODIFIED
    else:
        resp.data = body


async def send_read(req: falcon.asgi.Request, resp: falcon.asgi.Response, reading: Reading) -> None:
    """Wait for a response, and send it."""
    send(req, resp, reading.body(await reading.result))


def unknown(target: str) -> ApiError:
    """Return the error for a question or an answer that does not exist or is hidden."""
    return ApiError(HTTPStatus.NOT_FOUND, f"there is no visible {target} with this id")


def next_cursor(position: Position | None, of_list: str) -> bytes:
    """Return the JSON of the cursor for the next page; null without one."""
    return b'"%b"' % cursors.encode(position, of_list).encode() if position else b"null"
