"""Responses with the database's own JSON, and their versions as ETags."""

from hashlib import blake2s
from http import HTTPStatus

import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.v1 import cursors
from atelier.http.v1.params import AnswersRequest, QuestionsRequest
from atelier.store.lists.reader import AnswersPage, Position, QuestionsPage

_CACHE_CONTROL = "no-cache"
"""A client may keep a response, but must ask whether it is still current."""


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


def etag(*versions: str) -> str:
    """Return the value of an ETag for the versions of all parts of a response."""
    return blake2s(" ".join(versions).encode(), digest_size=12).hexdigest()


def send(req: falcon.asgi.Request, resp: falcon.asgi.Response, body: bytes, tag: str) -> None:
    """Send a body with its ETag; a 304 without it to a client that has this version.

    The ETag is weak, because nginx may compress the body.
    """
    resp.etag = f'W/"{tag}"'
    resp.set_header("Cache-Control", _CACHE_CONTROL)
    if any(known in ("*", tag) for known in req.if_none_match or ()):
        resp.status = falcon.HTTP_NOT_MODIFIED
    else:
        resp.data = body


def unknown(target: str) -> ApiError:
    """Return the error for a question or an answer that does not exist or is hidden."""
    return ApiError(HTTPStatus.NOT_FOUND, f"there is no visible {target} with this id")


def next_cursor(position: Position | None, of_list: str) -> bytes:
    """Return the JSON of the cursor for the next page; null without one."""
    return b'"%b"' % cursors.encode(position, of_list).encode() if position else b"null"
