"""The imports: how far a running one is, what the last ones did, and what was rejected."""

import falcon.asgi

from atelier.http.console.pages import Pages
from atelier.store.imports import Imports

_SHOWN = 20


class ImportsPage:
    """`/console/imports`."""

    def __init__(self, pages: Pages, imports: Imports) -> None:
        """Take the pages, and the records of imports."""
        self._pages = pages
        self._imports = imports

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the last imports; a script reads the page again while one is running."""
        visitor = await self._pages.guard.admit(req)
        runs = await self._imports.recent(_SHOWN)
        is_running = any(run.state == "running" for run in runs)
        await self._pages.send(
            req, resp, visitor, "imports", runs=runs, is_running=is_running, most=_SHOWN
        )
