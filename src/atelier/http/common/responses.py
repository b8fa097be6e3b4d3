"""How answers are sent: the database's documents go through untouched."""

from collections.abc import AsyncGenerator

import falcon
import falcon.asgi

from atelier.store.reads import LargePage

_CLOSING = b"]}"


def page_body(opening: str, documents: bytes) -> bytes:
    """Return a page's envelope with the documents in it."""
    return b"".join((opening.encode(), documents, _CLOSING))


async def send_page(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, opening: str, found: bytes | LargePage
) -> None:
    """Send the opening of the envelope, the documents, and the envelope's end."""
    if isinstance(found, bytes):
        resp.data = page_body(opening, found)
    elif req.method == "HEAD":
        await found.close()
    else:
        resp.stream = _stream(opening, found)


async def _stream(opening: str, pieces: LargePage) -> AsyncGenerator[bytes, None]:
    yield opening.encode()
    async for piece in pieces:
        yield piece
    yield _CLOSING


def send_created(resp: falcon.asgi.Response) -> None:
    """Send the answer to a successful POST."""
    resp.status = falcon.HTTP_CREATED
    resp.content_type = falcon.MEDIA_TEXT
    resp.text = "Created"
