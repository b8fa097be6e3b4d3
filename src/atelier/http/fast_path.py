"""The fast path: simple requests are served without a task, ASGI messages or Falcon.

All other requests, and those that fail on the fast path, take the ASGI path
(docs/decisions/0010-fast-path.md).
"""

import asyncio
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import falcon.asgi

from atelier.http.common.responses import page_body
from atelier.http.fast_votes import FastVotes, PendingVote
from atelier.http.ops.metrics import request_seconds
from atelier.http.qa import params
from atelier.http.v1 import responses
from atelier.http.v1.readings import Readings
from atelier.store.batcher import OverloadedError
from atelier.store.reads import PageReader, PageResult

_NUMBER = r"[a-z_]+=[0-9]{1,18}"
_SIMPLE_QUERY = re.compile(rf"(?:{_NUMBER}(?:&{_NUMBER})*)?")
_PAIR = re.compile(r"([a-z_]+)=([0-9]+)")
_ANSWERS = re.compile(r"/qa/questions/([0-9]{1,18})/answers")
_FAILED = "atelier.failed_page"

_WORD = r"[a-z_]+=[A-Za-z0-9_,-]+"
_SIMPLE_V1_QUERY = re.compile(rf"(?:{_WORD}(?:&{_WORD})*)?")
_V1_PAIR = re.compile(r"([a-z_]+)=([^&]+)")
_V1_PATH = re.compile(r"(/v1/[a-z]+/)([0-9]{1,18})(/[a-z]+)?")
_SEARCH = "q"

_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
_V1_OK = _OK + b"cache-control: %b\r\netag: %b\r\n"
_NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\ncache-control: %b\r\netag: %b\r\n"


class PendingPage(NamedTuple):
    """A page that is being read."""

    result: asyncio.Future[PageResult]
    opening: str
    route: str
    started_at: float

    def response(self) -> tuple[bytes, bytes]:
        """Return the beginning of the response's head, and its body, once the result is there.

        Records the response time.
        """
        body = page_body(self.opening, self.result.result().documents)
        request_seconds("GET", self.route, 200).observe(perf_counter() - self.started_at)
        return _OK % len(body), body


class PendingReading(NamedTuple):
    """A response under /v1 that is being read."""

    reading: responses.Reading
    route: str
    known: str | None
    """The header If-None-Match."""
    started_at: float

    @property
    def result(self) -> asyncio.Future[Any]:
        """What is being read."""
        return self.reading.result

    def response(self) -> tuple[bytes, bytes]:
        """Return the beginning of the response's head, and its body, once the result is there.

        Records the response time. Raises ApiError if there is nothing to show.
        """
        body = self.reading.body(self.reading.result.result())
        tag = responses.etag(body)
        values = (responses.CACHE_CONTROL.encode(), tag.encode())
        if responses.is_known(tag, self.known):
            status, head, body = 304, _NOT_MODIFIED % values, b""
        else:
            status, head = 200, _V1_OK % (len(body), *values)
        request_seconds("GET", self.route, status).observe(perf_counter() - self.started_at)
        return head, body


Pending: TypeAlias = PendingPage | PendingReading | PendingVote


class FastPath:
    """Starts reading the page of a simple request, or counting its vote."""

    def __init__(
        self, questions: PageReader, answers: PageReader, readings: Readings, votes: FastVotes
    ) -> None:
        """Take the readers of both kinds of pages, what reads under /v1, and what counts votes."""
        self._votes = votes
        self._questions = questions
        self._answers = answers
        self._lists = {
            "/v1/questions": readings.questions_of_products,
            "/v1/summaries": readings.summaries,
        }
        self._parts = {
            ("/v1/products/", "/questions"): ("{product_id}", readings.questions),
            ("/v1/products/", "/summary"): ("{product_id}", readings.summary),
            ("/v1/questions/", None): ("{target_id}", readings.question),
            ("/v1/questions/", "/answers"): ("{target_id}", readings.answers),
            ("/v1/answers/", None): ("{target_id}", readings.answer),
        }

    def start(self, scope: Mapping[str, Any]) -> Pending | None:
        """Start reading the page that a request asks for; return None if it is not eligible."""
        if scope["method"] != "GET":
            return self._votes.start(scope) if scope["method"] == "PUT" else None
        path: str = scope["path"]
        query = scope["query_string"].decode("latin-1")
        try:
            if path.startswith("/v1/"):
                return self._start_v1(path, query, scope)
            values = simple_params(query)
            if values is None:
                return None
            if path == "/qa/questions":
                reader, request, route = self._questions, params.questions_page(values), path
            elif match := _ANSWERS.fullmatch(path):
                reader, request = self._answers, params.answers_page(values, match[1])
                route = "/qa/questions/{target_id}/answers"
            else:
                return None
            result = reader.start(request.key)
        except (falcon.HTTPError, OverloadedError):  # the ASGI path responds with the error
            return None
        return PendingPage(result, request.opening, route, perf_counter()) if result else None

    def _start_v1(self, path: str, query: str, scope: Mapping[str, Any]) -> PendingReading | None:
        values = simple_v1_params(query)
        if values is None or _SEARCH in values:
            return None
        if read_list := self._lists.get(path):
            reading, route = read_list(values), path
        elif (match := _V1_PATH.fullmatch(path)) and (
            part := self._parts.get((match[1], match[3]))
        ):
            template, read = part
            reading = read(values, match[2])
            route = f"{match[1]}{template}{match[3] or ''}"
        else:
            return None
        return PendingReading(reading, route, _if_none_match(scope), perf_counter())


def fail_on_asgi_path(pending: Pending, scope: Mapping[str, Any]) -> None:
    """Let FastPathFailures raise a page's error on the ASGI path."""
    scope["state"][_FAILED] = pending


class FastPathFailures:
    """Middleware that raises, on the ASGI path, the error of a failed fast path."""

    async def process_resource(
        self,
        req: falcon.asgi.Request,
        _resp: falcon.asgi.Response,
        _resource: object,
        _params: Mapping[str, object],
    ) -> None:
        """Raise the error of a request that failed on the fast path; it is not tried again."""
        page: Pending | None = req.scope.get("state", {}).get(_FAILED)
        if page:
            req.context.started_at = page.started_at
            await page.result
            page.response()


def simple_params(query: str) -> dict[str, str] | None:
    """Return the query parameters if all are short numbers and none is repeated, else None."""
    if not _SIMPLE_QUERY.fullmatch(query):
        return None
    values = dict(_PAIR.findall(query))
    return values if len(values) == query.count("=") else None


def simple_v1_params(query: str) -> dict[str, str] | None:
    """Return the query parameters if nothing in them is encoded and none is repeated, else None."""
    if not _SIMPLE_V1_QUERY.fullmatch(query):
        return None
    values = dict(_V1_PAIR.findall(query))
    return values if len(values) == query.count("=") else None


def _if_none_match(scope: Mapping[str, Any]) -> str | None:
    values = (value for name, value in scope["headers"] if name == b"if-none-match")
    known: bytes | None = next(values, None)
    return known.decode("latin-1") if known else None
