"""The fast path: simple requests are served without a parser, a task, ASGI messages or Falcon.

All other requests, and those that fail on the fast path, take the ASGI path
(docs/decisions/0010-fast-path.md).
"""

import re
from collections.abc import Mapping
from typing import Any

import falcon.asgi

from atelier.http.common.responses import page_body
from atelier.http.fast_votes import FastVotes
from atelier.http.pending import Pending, Respond
from atelier.http.qa import params
from atelier.http.request_head import SimpleRequest
from atelier.http.v1 import responses
from atelier.http.v1.readings import Readings
from atelier.store.batcher import OverloadedError
from atelier.store.reads import PageReader, PageResult

_NUMBER = r"[a-z_]+=[0-9]{1,18}"
_SIMPLE_QUERY = re.compile(rf"(?:{_NUMBER}(?:&{_NUMBER})*)?")
_PAIR = re.compile(r"([a-z_]+)=([0-9]{1,18})")
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


class PendingPage(Pending):
    """A page that is being read; it waits for its batch."""

    _documents = b""
    _error: Exception | None = None

    def __init__(self, opening: str, route: str, respond: Respond) -> None:
        """Take the beginning of the body, the route, and what to call."""
        super().__init__(route)
        self._opening = opening
        self._respond = respond

    def done(self) -> bool:
        """Return False: whether the client still waits is known to the connection."""
        return False

    def set_result(self, result: PageResult, /) -> None:
        """Respond with the page."""
        self._documents = result.documents
        self._respond(self)

    def set_exception(self, error: Exception, /) -> None:
        """Respond with the error."""
        self._error = error
        self._respond(self)

    def response(self) -> tuple[bytes, bytes]:
        """See Pending."""
        if self._error:
            raise self._error
        body = page_body(self._opening, self._documents)
        self.record("200")
        return _OK % len(body), body


class PendingReading(Pending):
    """A response under /v1 that is being read."""

    def __init__(
        self, reading: responses.Reading, route: str, known: str | None, respond: Respond
    ) -> None:
        """Take what is read, the route, the header If-None-Match, and what to call."""
        super().__init__(route)
        self._reading = reading
        self._known = known
        reading.result.add_done_callback(lambda _result: respond(self))

    def response(self) -> tuple[bytes, bytes]:
        """See Pending; raises ApiError if there is nothing to show."""
        content = self._reading.content(self._reading.result.result())
        tag = content.etag
        values = (responses.CACHE_CONTROL.encode(), tag.encode())
        if responses.is_known(tag, self._known):
            self.record("304")
            return _NOT_MODIFIED % values, b""
        self.record("200")
        return _V1_OK % (len(content.body), *values), content.body


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

    def start(
        self, request: SimpleRequest, connection: Mapping[str, Any], respond: Respond
    ) -> Pending | None:
        """Start reading the page or counting the vote of a request; return None if not eligible.

        Takes the connection's part of the ASGI scope. `respond` is called later, once, with what
        is returned here.
        """
        if request.method == "PUT":
            return self._votes.start(request, connection, respond)
        try:
            if request.path.startswith("/v1/"):
                return self._start_v1(request, respond)
            return self._start_page(request, respond)
        except (falcon.HTTPError, OverloadedError):  # the ASGI path responds with the error
            return None

    def _start_page(self, request: SimpleRequest, respond: Respond) -> PendingPage | None:
        values = simple_params(request.query)
        if values is None:
            return None
        if request.path == "/qa/questions":
            reader, page, route = self._questions, params.questions_page(values), request.path
        elif match := _ANSWERS.fullmatch(request.path):
            reader, page = self._answers, params.answers_page(values, match[1])
            route = "/qa/questions/{target_id}/answers"
        else:
            return None
        pending = PendingPage(page.opening, route, respond)
        return pending if reader.start(page.key, pending) else None

    def _start_v1(self, request: SimpleRequest, respond: Respond) -> PendingReading | None:
        values = simple_v1_params(request.query)
        if values is None or _SEARCH in values:
            return None
        if read_list := self._lists.get(request.path):
            reading, route = read_list(values), request.path
        elif (match := _V1_PATH.fullmatch(request.path)) and (
            part := self._parts.get((match[1], match[3]))
        ):
            template, read = part
            reading = read(values, match[2])
            route = f"{match[1]}{template}{match[3] or ''}"
        else:
            return None
        return PendingReading(reading, route, request.header("if-none-match"), respond)


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
            page.response()


def simple_params(query: str) -> dict[str, str] | None:
    """Return the query parameters if all are short numbers and none is repeated, else None."""
    if match := _PAIR.fullmatch(query):  # most requests
        return {match[1]: match[2]}
    if not _SIMPLE_QUERY.fullmatch(query):
        return None
    values = dict(_PAIR.findall(query))
    return values if len(values) == query.count("=") else None


def simple_v1_params(query: str) -> dict[str, str] | None:
    """Return the query parameters if nothing in them is encoded and none is repeated, else None."""
    if not query:  # of most requests
        return {}
    if not _SIMPLE_V1_QUERY.fullmatch(query):
        return None
    values = dict(_V1_PAIR.findall(query))
    return values if len(values) == query.count("=") else None
