"""Methods that no route has, also those that Falcon does not know."""

from collections.abc import Mapping
from http import HTTPStatus

import falcon
import falcon.asgi
from falcon.routing import map_http_methods

from atelier.http.common.errors import ApiError


class UnknownMethod:
    """The middleware that answers them as Falcon answers a known method that a route lacks."""

    async def process_resource(
        self,
        req: falcon.asgi.Request,
        _resp: falcon.asgi.Response,
        resource: object,
        _params: Mapping[str, object],
    ) -> None:
        """Refuse the request, and name the methods there are, if Falcon does not know its."""
        if req.method not in falcon.COMBINED_METHODS:
            raise ApiError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "Error: Method Not Allowed",
                {"Allow": ", ".join([*map_http_methods(resource), "OPTIONS"])},
            )
