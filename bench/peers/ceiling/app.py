"""A bare ASGI application that always sends the same JSON of PAGE_BYTES bytes."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]

_EMPTY = b'{"product_id":"1","results":[""]}'
_PADDING = int(os.environ["PAGE_BYTES"]) - len(_EMPTY)
_BODY = _EMPTY[:-3] + b"x" * _PADDING + _EMPTY[-3:]
_START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BODY)).encode()),
    ],
}
_SEND: Message = {"type": "http.response.body", "body": _BODY}


async def app(
    _scope: Message,
    _receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Send the constant response."""
    await send(_START)
    await send(_SEND)
