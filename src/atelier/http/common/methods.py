"""405 responses to methods that Falcon does not know."""

from collections.abc import Mapping
from http import HTTPStatus

import falcon
import falcon.asgi
from falcon.routing import map_http_methods

from atelier.http.common.errors import ApiError


class UnknownMethod:
    """Middleware that responds as Falcon does to a known method that a route does not support."""

    async def process_resource(
        self,
        req: falcon.asgi.Request,
        _resp: falcon.asgi.Response,
        resource: object,
        _params: Mapping[str, object],
    ) -> None:
        """Raise a 405 with the `Allow` header if Falcon does not know the method."""
        if req.method not in falcon.COMBINED_METHODS:
            raise ApiError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "Error: Method Not Allowed",
                {"Allow": ", ".join([*map_http_methods(resource), "OPTIONS"])},
            )
