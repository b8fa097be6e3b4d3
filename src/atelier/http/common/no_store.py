"""No cache may keep what a token's owner reads."""

import falcon.asgi

from atelier.http.common.paths import is_admin, is_console


class NoStore:
    """Middleware that forbids to store the responses under /admin, and the console's pages."""

    async def process_response(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        _resource: object,
        _succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Add the header."""
        is_page = is_console(req.path) and not req.path.startswith("/console/files/")
        if is_page or is_admin(req.path):
            resp.set_header("Cache-Control", "no-store")
