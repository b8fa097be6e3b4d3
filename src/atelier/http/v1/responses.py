"""Responses with the database's own JSON, and ETags."""

import asyncio
from collections.abc import Callable, Sequence
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, NamedTuple

import falcon.asgi

from atelier import __version__
from atelier.http.common.errors import ApiError
from atelier.http.v1 import cursors
from atelier.http.v1.params import AnswersRequest, QuestionsRequest, SearchRequest
from atelier.store.lists.reader import AnswersPage, Document, Position, QuestionsPage

CACHE_CONTROL = "no-cache"
"""A client may keep a response, but must ask whether it is still current."""
_ETAG_BYTES = 12
_RELEASE = __version__.encode()[: blake2b.PERSON_SIZE]
"""Part of each ETag: another release may show the same rows differently."""


class Content(NamedTuple):
    """A body, and its version: what changes whenever the body does."""

    body: bytes
    version: bytes

    @property
    def etag(self) -> str:
        """The ETag. It is weak, because nginx may compress the body."""
        digest = blake2b(self.version, digest_size=_ETAG_BYTES, person=_RELEASE).hexdigest()
        return f'W/"{digest}"'


class Reading(NamedTuple):
    """A response that is being read."""

    result: asyncio.Future[Any]
    content: Callable[[Any], Content]
    """Returns the content for the result; raises ApiError if there is nothing to show."""


def questions(request: QuestionsRequest, page: QuestionsPage, opening: bytes = b"{") -> Content:
    """Return the JSON object of a page of questions; `opening` is its beginning."""
    end = b'],"next":%b,"totals":{%b}}' % (
        next_cursor(page.next, request),
        page.totals,
    )
    body = b"".join((opening, b'"results":[', page.documents, end))
    return Content(body, page.version + end)


def answers(request: AnswersRequest, page: AnswersPage) -> Content:
    """Return the JSON object of a page of answers; raise the 404 for an unknown question."""
    if page.total is None:
        raise unknown("question")
    body = b'{"results":[%b],"next":%b,"totals":{"answers":%d}}' % (
        page.documents,
        next_cursor(page.next, request),
        page.total,
    )
    return Content(body, page.version)


def document(target: str, found: Document | None) -> Content:
    """Return a question or an answer (the target); raise the 404 if there is none to show."""
    if found is None:
        raise unknown(target)
    return Content(*found)


def summary(found: bytes) -> Content:
    """Return what a product's questions amount to, which is so short that it is its own version."""
    return Content(found, found)


def results(parts: Sequence[Content]) -> Content:
    """Return the JSON object of several results."""
    body = b'{"results":[%b]}' % b",".join(part.body for part in parts)
    return Content(body, b",".join(part.version for part in parts))


def is_known(tag: str, known: str | None) -> bool:
    """Return whether an If-None-Match header, if there is one, names this ETag, weak or strong."""
    return known is not None and (tag.removeprefix("W/") in known or known.strip() == "*")


def send(req: falcon.asgi.Request, resp: falcon.asgi.Response, content: Content) -> None:
    """Send a body with its ETag; a 304 without it to a client that has the same."""
    tag = content.etag
    resp.set_header("ETag", tag)
    resp.set_header("Cache-Control", CACHE_CONTROL)
    if is_known(tag, req.get_header("If-None-Match")):
        resp.status = falcon.HTTP_NOT_MODIFIED
    else:
        resp.data = content.body


async def send_read(req: falcon.asgi.Request, resp: falcon.asgi.Response, reading: Reading) -> None:
    """Wait for a response, and send it."""
    send(req, resp, reading.content(await reading.result))


def unknown(target: str) -> ApiError:
    """Return the error for a question or an answer that does not exist or is hidden."""
    return ApiError(HTTPStatus.NOT_FOUND, f"there is no visible {target} with this id")


def next_cursor(
    position: Position | None, request: QuestionsRequest | AnswersRequest | SearchRequest
) -> bytes:
    """Return the JSON of the cursor for the next page; null without one."""
    return b'"%b"' % cursors.encode(position, request.of_list).encode() if position else b"null"
