"""What robots read first: `/robots.txt` and the sitemap of all answered questions."""

from collections.abc import Iterable
from http import HTTPStatus
from importlib.resources import files
from xml.sax.saxutils import escape

import falcon
import falcon.asgi

from atelier.http import App
from atelier.http.common.errors import ApiError
from atelier.http.common.ids import integer
from atelier.http.pages.addresses import Addresses
from atelier.store.lists.sitemap import Entry, SitemapReader

_ONE_HOUR = "public, max-age=3600"
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"


class Robots:
    """`/robots.txt`."""

    def __init__(self, addresses: Addresses) -> None:
        """Take where pages are."""
        self._addresses = addresses
        file = files("atelier") / "web" / "pages" / "robots.txt"
        self._rules = file.read_text(encoding="utf-8")

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the rules, and where the sitemap is."""
        sitemap = self._addresses.absolute(req, "/sitemap.xml")
        _send(resp, falcon.MEDIA_TEXT, f"{self._rules}\nSitemap: {sitemap}\n")

    on_head = on_get


class SitemapIndex:
    """`/sitemap.xml`: the addresses of the parts."""

    def __init__(self, reader: SitemapReader, addresses: Addresses) -> None:
        """Take the reader of parts, and where pages are."""
        self._reader = reader
        self._addresses = addresses

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the index."""
        base = escape(self._addresses.absolute(req, "/sitemap"))
        parts = await self._reader.parts()
        entries = (f"<sitemap><loc>{base}/{part}.xml</loc></sitemap>" for part in parts)
        _send_xml(resp, "sitemapindex", entries)

    on_head = on_get


class SitemapPart:
    """`/sitemap/{part}.xml`: the permalinks of a part."""

    def __init__(self, reader: SitemapReader, addresses: Addresses) -> None:
        """Take the reader of parts, and where pages are."""
        self._reader = reader
        self._addresses = addresses

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, part: str) -> None:
        """Send the part, or 404 if it has no question."""
        number = integer(part)
        entries = [] if number is None else await self._reader.part(number)
        if not entries:
            raise ApiError(HTTPStatus.NOT_FOUND, "Error: Not Found")
        base = escape(self._addresses.absolute(req, "/questions"))
        _send_xml(resp, "urlset", (_url(base, entry) for entry in entries))

    on_head = on_get


def add_sitemap(app: App, reader: SitemapReader, addresses: Addresses) -> None:
    """Add the routes that only robots request."""
    app.add_route("/robots.txt", Robots(addresses))
    app.add_route("/sitemap.xml", SitemapIndex(reader, addresses))
    app.add_route("/sitemap/{part}.xml", SitemapPart(reader, addresses))


def _url(base: str, entry: Entry) -> str:
    changed = f"<lastmod>{entry.changed_on}</lastmod>" if entry.changed_on else ""
    return f"<url><loc>{base}/{entry.id}</loc>{changed}</url>"


def _send_xml(resp: falcon.asgi.Response, root: str, entries: Iterable[str]) -> None:
    lines = "\n".join(entries)
    opening = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_SCHEMA}">'
    _send(resp, falcon.MEDIA_XML, f"{opening}\n{lines}\n</{root}>\n")


def _send(resp: falcon.asgi.Response, media_type: str, text: str) -> None:
    resp.content_type = media_type
    resp.set_headers({"Cache-Control": _ONE_HOUR, "X-Content-Type-Options": "nosniff"})
    resp.text = text
