"""CORS, on the ASGI path and on the fast path."""

from collections.abc import Sequence

import falcon
import falcon.asgi
from falcon import CORSMiddleware

from atelier.http.common.paths import is_admin, is_console

_ALLOW_ORIGIN = b"access-control-allow-origin: %b\r\n"
_VARY = b"vary: Origin\r\n"


class CorsPolicy(CORSMiddleware[falcon.asgi.Request, falcon.asgi.Response]):
    """Middleware that also adds `Vary: Origin` where responses depend on the origin."""

    def __init__(self, origins: Sequence[str]) -> None:
        """Take the allowed origins; `*` allows all."""
        self._allows_all = "*" in origins
        super().__init__("*" if self._allows_all else origins)
        self._headers = {origin: _ALLOW_ORIGIN % origin.encode() + _VARY for origin in origins}
        self.default_headers = _ALLOW_ORIGIN % b"*" if self._allows_all else _VARY
        """The raw response headers if the origin is unknown."""

    def headers(self, origin: str | None) -> bytes:
        """Return the raw response headers for the value of a request's Origin header, if any."""
        if self._allows_all:
            return b"" if origin is None else self.default_headers
        return self._headers.get(origin, _VARY) if origin else _VARY

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Add the response headers; none under /admin and /console.

        Pages of no other origin may call these.
        """
        if is_admin(req.path) or is_console(req.path):
            return
        if not self._allows_all:
            resp.append_header("Vary", "Origin")
        super().process_response(req, resp, resource, req_succeeded)
