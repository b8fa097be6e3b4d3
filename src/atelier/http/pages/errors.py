"""Errors of pages for browsers, as pages."""

import falcon
import falcon.asgi

from atelier.http.common import errors
from atelier.http.common.paths import is_page
from atelier.http.pages.responses import POLICY
from atelier.http.pages.templates import Templates

_TEMPLATES = Templates("pages")


def serialize(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError
) -> None:
    """Write an error as a page if the path is that of one, otherwise as the API does."""
    if not is_page(req.path):
        errors.serialize(req, resp, error)
        return
    heading = falcon.code_to_http_status(error.status_code).partition(" ")[2]
    text = (error.description or "").removeprefix("Error: ")
    resp.content_type = falcon.MEDIA_HTML
    resp.set_headers({"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})
    resp.data = _TEMPLATES.render(
        "error.html", title=heading, status=error.status_code, heading=heading, text=text
    )
