"""Search in all questions and answers, whatever their state."""

import falcon.asgi

from atelier.http.common import params
from atelier.http.common.moderation import cursors
from atelier.http.console.pages import Pages, drop_empty, query
from atelier.store.connections.database import DatabaseTimeoutError
from atelier.store.moderation.queue import NewestPosition
from atelier.store.moderation.search import MAX_QUERY, FoundPosts, PostSearch, Status

_CURSOR_RULE = "the `after` of a link to the next page"
_NOTHING = FoundPosts([], None, is_indexed=True)
_NO_POST = -(2**63) + 1
"""Below all ids."""


class SearchPage:
    """`/console/search`."""

    def __init__(self, pages: Pages, search: PostSearch) -> None:
        """Take the pages and the search."""
        self._pages = pages
        self._search = search

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the form, and the posts that contain all words of `q`, the newest first."""
        visitor = await self._pages.guard.admit(req)
        drop_empty(req)
        text = params.text(req, "q", MAX_QUERY)
        status = Status(params.one_of(req, "status", *Status) or Status.ANY)
        after = params.parse(req, "after", cursors.newest_position, _CURSOR_RULE)
        found, is_late = _NOTHING, False
        try:
            if text is not None:
                start = after or NewestPosition()
                found = await self._search.page(text, status, start, params.limit(req))
        except DatabaseTimeoutError:
            is_late = True
        following = cursors.encode(found.next) if found.next else None
        await self._pages.send(
            req,
            resp,
            visitor,
            "search",
            text=text,
            status=status,
            statuses=[*Status],
            posts=found.items,
            index=await self._search.index(),
            alone=_alone,
            is_late=is_late,
            next=following and query(q=text, status=status, after=following),
        )


def _alone(target: str, number: int) -> str:
    """Return the query of the page of the queue that shows one post, to decide about it."""
    position = NewestPosition(**{"question": _NO_POST, "answer": _NO_POST, target: number + 1})
    return query(filter="newest", after=cursors.encode(position), limit=1)
