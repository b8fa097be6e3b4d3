"""Errors of pages for browsers, as pages."""

from http import HTTPStatus

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
    status = error.status_code
    title = falcon.code_to_http_status(status).partition(" ")[2]
    heading = "This page does not exist" if status == HTTPStatus.NOT_FOUND else title
    resp.content_type = falcon.MEDIA_HTML
    resp.set_headers({"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})
    resp.data = _TEMPLATES.render(
        "error.html", title=title, status=status, heading=heading, text=_sentence(error.description)
    )


def _sentence(description: str | None) -> str:
    text = (description or "").removeprefix("Error: ")
    return f"{text[:1].upper()}{text[1:]}." if text else ""
