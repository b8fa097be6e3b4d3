"""The documentation: /openapi.yaml, and /docs, which renders it without Internet access."""

from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import falcon
import falcon.asgi
from swagger_ui_bundle import swagger_ui_path

from atelier.http import App

_CSS, _HTML, _JS, _YAML = "text/css", "text/html", "text/javascript", "application/yaml"
_REVALIDATE, _ONE_HOUR = "no-cache", "public, max-age=3600"
# data: for Swagger UI's arrows and icons.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CHECKOUT = Path(__file__).parents[4]


class File:
    """A file served from memory, with an ETag."""

    def __init__(self, source: Traversable, content_type: str, cache_control: str) -> None:
        """Read the file; take its Content-Type and Cache-Control."""
        self._content = source.read_bytes()
        self._etag = blake2b(self._content, digest_size=8).hexdigest()
        self._headers = {
            "Content-Type": f"{content_type}; charset=utf-8",
            "Cache-Control": cache_control,
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
        }

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Respond with 200 and the file, or with 304."""
        resp.set_headers(self._headers)
        resp.etag = self._etag
        if self._etag in (req.if_none_match or ()):
            resp.status = falcon.HTTP_NOT_MODIFIED
        else:
            resp.data = self._content

    on_head = on_get


def add_documentation(app: App) -> None:
    """Add the routes of /openapi.yaml, /docs and the files of that page."""
    page = files("atelier") / "web" / "docs"
    app.add_route("/openapi.yaml", File(specification(), _YAML, _REVALIDATE))
    app.add_route("/docs", File(page / "index.html", _HTML, _REVALIDATE))
    app.add_route("/docs/page.css", File(page / "page.css", _CSS, _ONE_HOUR))
    app.add_route("/docs/page.js", File(page / "page.js", _JS, _ONE_HOUR))
    for name, content_type in (("swagger-ui.css", _CSS), ("swagger-ui-bundle.js", _JS)):
        app.add_route(f"/docs/{name}", File(swagger_ui_path / name, content_type, _ONE_HOUR))


def specification() -> Traversable:
    """Return openapi.yaml: from the built package's copy, else from the checkout."""
    built = files("atelier") / "contract" / "openapi.yaml"
    return built if built.is_file() else _CHECKOUT / "contract" / "openapi.yaml"
