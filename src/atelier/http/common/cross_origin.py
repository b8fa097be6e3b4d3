"""Which other origins' pages may read answers (CORS), on the ASGI path and on the fast path."""

from collections.abc import Iterable, Sequence

import falcon
import falcon.asgi
from falcon import CORSMiddleware

_FIELD = b"access-control-allow-origin: %b\r\n"
_VARY = b"vary: Origin\r\n"


class CrossOrigin(CORSMiddleware[falcon.asgi.Request, falcon.asgi.Response]):
    """The middleware; caches are told where the answer depends on the origin."""

    def __init__(self, origins: Sequence[str]) -> None:
        """Take the origins that are allowed, `*` for all."""
        self._all = "*" in origins
        super().__init__("*" if self._all else origins)
        self._fields = {origin.encode(): _FIELD % origin.encode() + _VARY for origin in origins}
        self.of_unknown = _FIELD % b"*" if self._all else _VARY
        """The header fields, as bytes, for a request whose origin cannot be read."""

    def fields(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Return the header fields, as bytes, of the answer to a request with these headers."""
        origin = next((value for name, value in headers if name == b"origin"), None)
        if self._all:
            return b"" if origin is None else self.of_unknown
        return self._fields.get(origin, _VARY) if origin else _VARY

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Add the header fields."""
        if not self._all:
            resp.append_header("Vary", "Origin")
        super().process_response(req, resp, resource, req_succeeded)
