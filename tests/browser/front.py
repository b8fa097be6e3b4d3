"""A shop's pages with the widget, on an origin of their own."""

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page

from tests.support.browser import Visit
from tests.support.cluster import Cluster

_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>A product</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">{head}</head>
<body><main><h1>A product</h1>
<atelier-questions product-id="{product}" {attributes}>{content}</atelier-questions></main>
<script type="module" src="{service}/widget/atelier-questions.js"></script></body></html>"""

_LISTEN = """
    window.told = [];
    for (const name of ["asked", "answered", "voted"])
        document.addEventListener(`atelier:${name}`, ({detail}) => told.push([name, detail]));
"""


class Shop:
    """A web server of its own. A real one: browsers protect local addresses from others."""

    def __init__(self) -> None:
        self.origin = ""
        self._pages: dict[str, bytes] = {}

    async def start(self) -> asyncio.Server:
        """Listen on a free port."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    def add(self, html: str, policy: str) -> str:
        """Add a page with a Content-Security-Policy, or none; return its address."""
        path = f"/{len(self._pages)}"
        header = f"Content-Security-Policy: {policy}\r\n" if policy else ""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{header}Connection: close\r\n\r\n"
        self._pages[path] = (head + html).encode()
        return self.origin + path

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            nothing = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
            writer.write(self._pages.get(request.split(" ")[1], nothing))
            await writer.drain()
        writer.close()


@dataclass
class Front:
    """Opens pages of a shop that embed the widget."""

    context: BrowserContext
    service: Cluster
    shop: Shop

    async def open(  # noqa: PLR0913 - what pages differ in
        self,
        product: int | str,
        attributes: str = "",
        *,
        lang: str = "en",
        head: str = "",
        content: str = "",
        policy: str = "",
    ) -> Visit:
        """Open a page with the widget, and record what its events told in `window.told`.

        `{}` in the policy stands for the address of the service.
        """
        html = _PAGE.format(
            lang=lang,
            head=head,
            product=product,
            attributes=attributes,
            content=content,
            service=self.service.base_url,
        )
        visit = Visit(await self.context.new_page())
        await visit.page.add_init_script(_LISTEN)
        await visit.page.goto(self.shop.add(html, policy.format(self.service.base_url)))
        return visit


def question(page: Page, text: str) -> Locator:
    """Return the question with a text."""
    heading = page.get_by_role("heading", name=text, exact=True)
    return page.locator(".lists .question:visible").filter(has=heading)


def votes(item: Locator, number: int) -> Locator:
    """Return the button of a vote, showing a number of votes."""
    return item.get_by_role("button", name=re.compile(rf"^Yes\s*\({number}\)$")).first


async def told(page: Page) -> list[Any]:
    """Return the events of the widget so far."""
    return list(await page.evaluate("window.told"))


async def fill(page: Page, **fields: str) -> None:
    """Fill the fields of the open form, by name, and send it."""
    for name, text in fields.items():
        await page.locator(f"dialog [name={name}]").fill(text)
    await page.locator("dialog button[type=submit]").click()


NEW: dict[str, str] = {"body": "Does it shrink?", "name": "jane", "email": "jane@example.com"}
