"""The HTTP API: parse and validate requests, query the store, send responses. Contains no SQL."""

from typing import TypeAlias

import falcon.asgi

App: TypeAlias = falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response]
