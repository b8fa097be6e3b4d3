"""Search in all questions and answers, for moderators."""

from http import HTTPStatus

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.authorization import Authorizer
from atelier.http.common.errors import ApiError, invalid_parameter
from atelier.http.common.logs import log_rejection
from atelier.http.common.moderation import cursors
from atelier.store.connections.database import DatabaseTimeoutError
from atelier.store.moderation.queue import NewestPosition
from atelier.store.moderation.search import MAX_QUERY, PostSearch, Status
from atelier.store.tokens import Scope

_CURSOR_RULE = "the `next` of a page of the same search"


class SearchRoute:
    """`/admin/v1/search`."""

    def __init__(self, authorizer: Authorizer, search: PostSearch) -> None:
        """Take the authorizer of requests, and the search."""
        self._authorizer = authorizer
        self._search = search

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of the posts that contain all words of `q`."""
        await self._authorizer.require(req, Scope.MODERATE)
        query = params.text(req, "q", MAX_QUERY)
        if query is None:
            raise invalid_parameter("q", f"a text of 1 to {MAX_QUERY} characters")
        status = Status(params.one_of(req, "status", *Status) or Status.ANY)
        after = params.parse(req, "after", cursors.newest_position, _CURSOR_RULE)
        limit = params.limit(req)
        try:
            page = await self._search.page(query, status, after or NewestPosition(), limit)
        except DatabaseTimeoutError as error:
            log_rejection("search took too long", req, error)
            raise ApiError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the search took too long; try more or longer words, and let an operator run"
                " `atelier search index build` if there is no index",
                {"Retry-After": "1"},
            ) from error
        resp.media = {
            "results": page.items,
            "next": cursors.encode(page.next) if page.next else None,
            "indexed": page.is_indexed,
        }

    on_head = on_get
