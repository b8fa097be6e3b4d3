"""Responses with pages: their headers, and the address under which a browser knows them."""

import re
from collections.abc import Callable
from hashlib import blake2b

import falcon
import falcon.asgi

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""No script at all: what a shopper wrote could not run even if it were not escaped."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?", re.ASCII)


def send(
    req: falcon.asgi.Request,
    resp: falcon.asgi.Response,
    render: Callable[[], bytes],
    *versions: str,
    policy: str = POLICY,
) -> None:
    """Send a page with an ETag of the versions of all its parts; or a 304, without rendering it.

    The ETag is weak, because nginx may compress the body.
    """
    tag = blake2b(" ".join(versions).encode(), digest_size=12).hexdigest()
    resp.content_type = falcon.MEDIA_HTML
    resp.etag = f'W/"{tag}"'
    resp.set_headers({"Cache-Control": "no-cache", "Content-Security-Policy": policy})
    if any(known in ("*", tag) for known in req.if_none_match or ()):
        resp.status = falcon.HTTP_NOT_MODIFIED
    else:
        resp.data = render()


def origin(req: falcon.asgi.Request) -> str:
    """Return the scheme and host that the client requested; "" if the host is malformed."""
    host = req.get_header("Host", default="")
    scheme = req.get_header("X-Forwarded-Proto", default=req.scheme)
    is_valid = _HOST.fullmatch(host) and scheme in ("http", "https")
    return f"{scheme}://{host}" if is_valid else ""
