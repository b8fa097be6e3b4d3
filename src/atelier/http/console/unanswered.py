"""The questions that wait for an answer, with a place to answer them as the seller."""

from typing import Final

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.moderation.cursors import unanswered_position
from atelier.http.console.pages import Pages, drop_empty, query
from atelier.store.console.samples import Samples
from atelier.store.unanswered import STARTS, Filters, UnansweredReader

_ORDER: Final = "oldest"
_CURSOR_RULE = "the end of the page before"
_LIMIT = 25


class UnansweredPage:
    """`/console/unanswered`."""

    def __init__(self, pages: Pages, reader: UnansweredReader, samples: Samples) -> None:
        """Take the pages, the reader of questions, and the source of their versions."""
        self._pages = pages
        self._reader = reader
        self._samples = samples

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of questions, the oldest first."""
        visitor = await self._pages.guard.admit(req)
        drop_empty(req)
        product_id = params.identifier(req, "product_id")
        after = params.parse(req, "after", unanswered_position, _CURSOR_RULE)
        start = after[1] if after else STARTS[_ORDER]
        page = await self._reader.page(_ORDER, start, _LIMIT, Filters(product_id))
        versions = await self._samples.question_versions([each["id"] for each in page.questions])
        await self._pages.send(
            resp,
            visitor,
            "unanswered",
            questions=page.questions,
            versions=versions,
            product_id=product_id,
            next=page.next
            and query(product_id=product_id, after=f"{_ORDER}.{page.next.key}.{page.next.id}"),
        )
