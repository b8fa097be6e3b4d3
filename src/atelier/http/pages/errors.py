"""Errors of pages for browsers, as pages."""

from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common import errors
from atelier.http.common.languages import ENGLISH, translated
from atelier.http.common.paths import is_page
from atelier.http.pages.responses import POLICY
from atelier.http.pages.templates import Templates
from atelier.http.pages.texts import Words

_TEMPLATES = Templates("pages")


class ErrorPages:
    """Writes errors in the reader's language."""

    def __init__(self, words: Words) -> None:
        """Take the words of pages."""
        self._words = words

    def serialize(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError
    ) -> None:
        """Write an error as a page if the path is that of one, otherwise as the API does."""
        if not is_page(req.path):
            errors.serialize(req, resp, error)
            return
        texts = self._words.of(req, resp)
        heading, sentence = texts.error(HTTPStatus(error.status_code))
        detail = (error.description or "").removeprefix("Error: ")
        if texts.language != ENGLISH:
            detail = translated(detail, texts.language) or sentence
        resp.content_type = falcon.MEDIA_HTML
        resp.set_headers({"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})
        resp.data = _TEMPLATES.render(
            "error.html",
            texts=texts,
            title=heading,
            status=error.status_code,
            heading=heading,
            text=_sentence(detail or sentence),
        )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}." if text else ""
