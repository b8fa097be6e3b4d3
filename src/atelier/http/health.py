"""Whether the process runs, and whether it can serve."""

from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.errors import Refusal
from atelier.store.database import Database
from atelier.store.health import pending_migrations


class Live:
    """`/live`: the process runs."""

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send `live`."""
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "live"

    on_head = on_get


class Ready:
    """`/ready`: the database answers and its schema is this version's."""

    def __init__(self, database: Database) -> None:
        """Take the database that requests are served from."""
        self._database = database

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send `ready`, or 503 and the reason."""
        if pending := await pending_migrations(self._database):
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Error: run `atelier migrate`; pending: {', '.join(pending)}",
                {"Retry-After": "5"},
            )
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "ready"

    on_head = on_get
