"""What an author sees of his own post with its status link, whether or not it is published."""

from http import HTTPStatus

import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.common.writing.secret import LoadSecret
from atelier.http.common.writing.status_links import StatusLinks
from atelier.store.written import WrittenReader


class OwnPost:
    """`/v1/posts/{token}`."""

    def __init__(self, reader: WrittenReader, secret: LoadSecret) -> None:
        """Take the reader of posts, and what returns the secret."""
        self._reader = reader
        self._secret = secret

    async def on_get(
        self, _req: falcon.asgi.Request, resp: falcon.asgi.Response, token: str
    ) -> None:
        """Send a post and its status."""
        post = StatusLinks(await self._secret()).post(token)
        if post is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "there is no post with this link")
        own = await self._reader.own(*post)
        if own is None:
            raise ApiError(HTTPStatus.GONE, f"the {post.target} was deleted")
        resp.set_header("Cache-Control", "no-store")
        resp.media = own

    on_head = on_get
