"""The fast path: simple requests for pages are served without a task, ASGI messages or Falcon.

All other requests, and those that fail on the fast path, take the ASGI path
(docs/decisions/0010-fast-path.md).
"""

import asyncio
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple

import falcon.asgi

from atelier.http.common.responses import page_body
from atelier.http.ops.metrics import request_seconds
from atelier.http.qa import params
from atelier.store.batcher import OverloadedError
from atelier.store.reads import PageReader, PageResult

_NUMBER = r"[a-z_]+=[0-9]{1,18}"
_SIMPLE_QUERY = re.compile(rf"(?:{_NUMBER}(?:&{_NUMBER})*)?")
_PAIR = re.compile(r"([a-z_]+)=([0-9]+)")
_ANSWERS = re.compile(r"/qa/questions/([0-9]{1,18})/answers")
_FAILED = "atelier.failed_page"


class PendingPage(NamedTuple):
    """A page that is being read."""

    result: asyncio.Future[PageResult]
    opening: str
    route: str
    started_at: float

    def body(self) -> bytes:
        """Return the response body once the result is there, and record the response time."""
        request_seconds("GET", self.route, 200).observe(perf_counter() - self.started_at)
        return page_body(self.opening, self.result.result().documents)

    def fail_on_asgi_path(self, scope: Mapping[str, Any]) -> None:
        """Let FastPathFailures raise this page's error on the ASGI path."""
        scope["state"][_FAILED] = self


class FastPath:
    """Starts reading the page of a simple request."""

    def __init__(self, questions: PageReader, answers: PageReader) -> None:
        """Take the readers of both kinds of pages."""
        self._questions = questions
        self._answers = answers

    def start(self, scope: Mapping[str, Any]) -> PendingPage | None:
        """Start reading the page that a request asks for; return None if it is not eligible."""
        if scope["method"] != "GET":
            return None
        values = simple_params(scope["query_string"].decode("latin-1"))
        if values is None:
            return None
        path: str = scope["path"]
        try:
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
        page: PendingPage | None = req.scope.get("state", {}).get(_FAILED)
        if page:
            req.context.started_at = page.started_at
            await page.result


def simple_params(query: str) -> dict[str, str] | None:
    """Return the query parameters if all are short numbers and none is repeated, else None."""
    if not _SIMPLE_QUERY.fullmatch(query):
        return None
    values = dict(_PAIR.findall(query))
    return values if len(values) == query.count("=") else None
