"""Successful responses. The database's JSON documents are sent unchanged."""

from collections.abc import AsyncGenerator

import falcon
import falcon.asgi

from atelier.store.reads import LargePage

_CLOSING = b"]}"


def page_body(opening: str, documents: bytes) -> bytes:
    """Return the complete body of a page: opening, documents and closing brackets."""
    return b"".join((opening.encode(), documents, _CLOSING))


async def send_page(
    req: falcon.asgi.Request,
    resp: falcon.asgi.Response,
    opening: str,
    documents: bytes | LargePage,
) -> None:
    """Send a page, streamed if it is large; `opening` is the JSON before the documents."""
    if isinstance(documents, bytes):
        resp.data = page_body(opening, documents)
    elif req.method == "HEAD":
        await documents.close()
    else:
        resp.stream = _stream(opening, documents)


async def _stream(opening: str, page: LargePage) -> AsyncGenerator[bytes, None]:
    yield opening.encode()
    async for chunk in page:
        yield chunk
    yield _CLOSING


def send_created(resp: falcon.asgi.Response) -> None:
    """Send the response to a successful POST."""
    resp.status = falcon.HTTP_CREATED
    resp.content_type = falcon.MEDIA_TEXT
    resp.text = "Created"
