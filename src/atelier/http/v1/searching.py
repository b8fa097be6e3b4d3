"""Public search in the questions and answers of one product."""

import json
from collections.abc import Awaitable, Sequence
from http import HTTPStatus
from typing import TypeVar

import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.common.logs import log_rejection
from atelier.http.v1 import params
from atelier.http.v1.responses import Content, next_cursor, results, send
from atelier.store.connections.database import DatabaseTimeoutError
from atelier.store.lists.reader import Document, ListReader, QuestionKey
from atelier.store.search.searcher import Found, Match, Searcher

T = TypeVar("T")


class Search:
    """What `q` does on `/v1/products/{product_id}/questions`, and the similar questions."""

    def __init__(self, searcher: Searcher, reader: ListReader) -> None:
        """Take what finds questions, and the reader of everything under /v1."""
        self._searcher = searcher
        self._reader = reader

    async def send_page(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send a page of the questions that contain all words of `q`, best first."""
        request = params.search(req.params, product_id)
        search = self._searcher.search(request.product_id, request.query, request.listing)
        found = await _in_time(req, search)
        questions = await self._results(found.found, request.answers)
        end = b',"next":%b,"totals":%b%b}' % (
            next_cursor(found.next, request),
            await self._totals(request.product_id),
            b',"is_partial":true' if found.is_partial else b"",
        )
        body = questions.body.removesuffix(b"}") + end
        send(req, resp, Content(body, questions.version + end))

    async def send_similar(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send the questions that are most like `text`, best first."""
        request = params.similar(req.params, product_id)
        search = self._searcher.similar(request.product_id, request.query, request.listing.limit)
        found = await _in_time(req, search)
        send(req, resp, await self._results(found, request.answers))

    async def _results(self, found: Sequence[Found], answers: int) -> Content:
        """Return the questions, without those that were hidden since they were found."""
        reads = [self._reader.question(QuestionKey(each.question_id, answers)) for each in found]
        documents = [await read for read in reads]
        return results(
            [
                _with_matches(document, each)
                for document, each in zip(documents, found, strict=True)
                if document
            ]
        )

    async def _totals(self, product_id: int) -> bytes:
        """Return the product's totals: its summary without the id, which is its first member."""
        return b"{" + (await self._reader.summary(product_id)).partition(b",")[2]


class SimilarQuestions:
    """`/v1/products/{product_id}/similar`."""

    def __init__(self, search: Search) -> None:
        """Take the search."""
        self._search = search

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send the questions like the one that somebody is typing."""
        await self._search.send_similar(req, resp, product_id)

    on_head = on_get


async def _in_time(req: falcon.asgi.Request, search: Awaitable[T]) -> T:
    """Return the results of a search; raise the 503 if the database stops it."""
    try:
        return await search
    except DatabaseTimeoutError as error:
        log_rejection("search took too long", req, error)
        raise ApiError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the search took too long; try again shortly, or with other words",
            {"Retry-After": "1"},
        ) from error


def _with_matches(document: Document, found: Found) -> Content:
    members = json.dumps(
        list(map(_match, found.matches)), ensure_ascii=False, separators=(",", ":")
    )
    matches = b',"matches":%b}' % members.encode()
    # The matches may be those of an older version of the question, so they are a version, too.
    version = b"%d %b%b" % (found.question_id, document.version, matches)
    return Content(document.content.removesuffix(b"}") + matches, version)


def _match(match: Match) -> dict[str, object]:
    part = {"part": "answer", "answer_id": match.answer_id} if match.answer_id else {}
    return {
        "part": "question",
        **part,
        "snippet": match.snippet.text,
        "ranges": match.snippet.ranges,
    }
