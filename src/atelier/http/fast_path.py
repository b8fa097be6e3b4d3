"""The fast path of a page: a plain request for one needs no task, no ASGI message and no Falcon.

Whatever is asked in another manner goes the ASGI path, and so does what failed on the short one
(docs/decisions/0010-fast-path.md).
"""

import asyncio
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple

import falcon.asgi

from atelier.http.common.responses import page_body
from atelier.http.ops.metrics import series
from atelier.http.qa import params
from atelier.store.batcher import OverloadedError
from atelier.store.reads import Found, PageReader

_NUMBER = r"[a-z_]+=[0-9]{1,18}"
_PLAIN = re.compile(rf"(?:{_NUMBER}(?:&{_NUMBER})*)?")
_PAIR = re.compile(r"([a-z_]+)=([0-9]+)")
_ANSWERS = re.compile(r"/qa/questions/([0-9]{1,18})/answers")
_FAILED = "atelier.failed_page"


class PlainPage(NamedTuple):
    """A page that was asked for, and is on its way."""

    found: asyncio.Future[Found]
    opening: str
    route: str
    asked_at: float

    def body(self) -> bytes:
        """Return what is sent, once it is found; note how long that took."""
        series("GET", self.route, 200).observe(perf_counter() - self.asked_at)
        return page_body(self.opening, self.found.result().documents)

    def hand_over(self, scope: Mapping[str, Any]) -> None:
        """Have the request fail on the ASGI path with what this one failed with."""
        scope["state"][_FAILED] = self


class FastPath:
    """Knows which requests it is for."""

    def __init__(self, questions: PageReader, answers: PageReader) -> None:
        """Take where the two kinds of pages are read from."""
        self._questions = questions
        self._answers = answers

    def begin(self, scope: Mapping[str, Any]) -> PlainPage | None:
        """Ask for the page that a request wants; return None if it is not for this way."""
        if scope["method"] != "GET":
            return None
        values = plain_parameters(scope["query_string"].decode("latin-1"))
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
            found = reader.begin(request.key)
        except (falcon.HTTPError, OverloadedError):  # the ASGI path says so
            return None
        return PlainPage(found, request.opening, route, perf_counter()) if found else None


class FastPathFailures:
    """The middleware that answers, on the ASGI path, what failed on the short one."""

    async def process_resource(
        self,
        req: falcon.asgi.Request,
        _resp: falcon.asgi.Response,
        _resource: object,
        _params: Mapping[str, object],
    ) -> None:
        """Raise what the request failed with: it was tried, and is not tried again."""
        page: PlainPage | None = req.scope.get("state", {}).get(_FAILED)
        if page:
            req.context.started = page.asked_at
            await page.found


def plain_parameters(query: str) -> dict[str, str] | None:
    """Return the parameters of a query if each is a short number and none is repeated."""
    if not _PLAIN.fullmatch(query):
        return None
    values = dict(_PAIR.findall(query))
    return values if len(values) == query.count("=") else None
