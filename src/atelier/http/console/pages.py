"""Pages of the console: templates, headers and forms."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

import falcon
import falcon.asgi

from atelier import __version__
from atelier.http.common import errors
from atelier.http.common.errors import ApiError
from atelier.http.common.paths import is_console
from atelier.http.console.session import Guard, Visitor
from atelier.http.pages.errors import ErrorPages
from atelier.http.pages.templates import Templates
from atelier.store.console.samples import Samples

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ErrorSerializer = Callable[[falcon.asgi.Request, falcon.asgi.Response, falcon.HTTPError], None]

_TEMPLATES = Templates("console")
_MAX_FORM_BYTES = 8192


class Pages:
    """Renders the pages of a session."""

    def __init__(self, guard: Guard, samples: Samples) -> None:
        """Take who admits requests, and the source of the numbers in the navigation."""
        self.guard = guard
        self._samples = samples

    async def send(
        self,
        resp: falcon.asgi.Response,
        visitor: Visitor,
        name: str,
        **values: object,
    ) -> None:
        """Send a page with its navigation."""
        counts = await self._samples.queue_counts()
        send_page(resp, name, visitor=visitor, counts=counts, page=name, **values)


def send_page(resp: falcon.asgi.Response, name: str, **values: object) -> None:
    """Send a page."""
    resp.content_type = falcon.MEDIA_HTML
    resp.set_header("Content-Security-Policy", POLICY)
    resp.data = _TEMPLATES.render(f"{name}.html", version=__version__, **values)


def serializer(pages: ErrorPages) -> ErrorSerializer:
    """Return what writes errors: of the console as its pages, all others as `pages` does."""

    def serialize(
        req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError
    ) -> None:
        if not is_console(req.path):
            pages.serialize(req, resp, error)
        elif errors.PROBLEM in req.accept:  # from a script
            errors.serialize(req, resp, error)
        else:
            heading = falcon.code_to_http_status(error.status_code).partition(" ")[2]
            text = (error.description or "").removeprefix("Error: ")
            send_page(resp, "error", heading=heading, text=text, status=error.status_code)

    return serialize


async def form(req: falcon.asgi.Request, max_bytes: int = _MAX_FORM_BYTES) -> Mapping[str, str]:
    """Return the fields of a form, of each the last one; raise ApiError as `pairs`."""
    return dict(await pairs(req, max_bytes))


async def pairs(req: falcon.asgi.Request, max_bytes: int) -> list[tuple[str, str]]:
    """Return the names and values of a form; raise ApiError if it is none, or large."""
    media_type = (req.content_type or "").partition(";")[0].strip().lower()
    content = await req.stream.read(max_bytes + 1)
    if media_type != falcon.MEDIA_URLENCODED:
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {falcon.MEDIA_URLENCODED}")
    if len(content) > max_bytes:
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the form is too large")
    return parse_qsl(content.decode("ascii", "replace"), keep_blank_values=True)


def drop_empty(req: falcon.asgi.Request) -> None:
    """Remove the parameters that are the empty fields of a form."""
    given = cast("dict[str, object]", req.params)
    for name in [name for name, value in given.items() if value == ""]:
        del given[name]


def query(**values: Any) -> str:  # noqa: ANN401 - whatever has a text
    """Return a query string of the values that are not None, with a leading `?`."""
    given = {name: str(value) for name, value in values.items() if value is not None}
    return falcon.to_query_str(given) if given else ""
