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
from atelier.http.pages.texts import Texts, Words
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

    def __init__(self, guard: Guard, samples: Samples, words: Words) -> None:
        """Take who admits requests, the source of the navigation's numbers, and the words."""
        self.guard = guard
        self.words = words
        self._samples = samples

    async def send(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        visitor: Visitor,
        name: str,
        **values: object,
    ) -> None:
        """Send a page with its navigation."""
        counts = await self._samples.queue_counts()
        texts = self.words.of(req, resp)
        send_page(resp, texts, name, visitor=visitor, counts=counts, page=name, **values)


def send_page(resp: falcon.asgi.Response, texts: Texts, name: str, **values: object) -> None:
    """Send a page in the language of its texts."""
    resp.content_type = falcon.MEDIA_HTML
    resp.set_header("Content-Security-Policy", POLICY)
    resp.data = _TEMPLATES.render(f"{name}.html", texts=texts, version=__version__, **values)


def serializer(pages: ErrorPages, words: Words) -> ErrorSerializer:
    """Return what writes errors: of the console in its words, all others as `pages` does."""

    def serialize(
        req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError
    ) -> None:
        if not is_console(req.path):
            pages.serialize(req, resp, error)
            return
        texts = words.of(req, resp)
        detail = (error.description or "").removeprefix("Error: ")
        if errors.PROBLEM in req.accept:  # from a script
            error.description = texts.said(detail) or None
            errors.serialize(req, resp, error)
        else:
            heading, sentence = texts.error(HTTPStatus(error.status_code))
            values = {
                "heading": heading,
                "text": texts.said(detail, sentence),
                "status": error.status_code,
            }
            send_page(resp, texts, "error", **values)

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
