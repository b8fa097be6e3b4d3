"""The token of the request: what a client may do, and until when."""

import falcon.asgi

from atelier.http.common.authorization import Authorizer
from atelier.store.tokens import Scope


class OwnToken:
    """`/admin/v1/token`."""

    def __init__(self, authorizer: Authorizer) -> None:
        """Take the authorizer of requests."""
        self._authorizer = authorizer

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the token's name, scope and expiry."""
        actor = await self._authorizer.require(req, Scope.READ)
        resp.media = {
            "name": actor.name,
            "scope": actor.scope.text,
            "expires_at": actor.expires_at,
        }

    on_head = on_get
