"""The API: parse and refuse, ask the store, send bytes. Knows no SQL."""

from typing import TypeAlias

import falcon.asgi

App: TypeAlias = falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response]
