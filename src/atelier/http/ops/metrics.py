"""Request timing, and `/metrics`, which nginx does not expose."""

from time import perf_counter

import falcon
import falcon.asgi

from atelier import metrics


class Metrics:
    """`/metrics`, in the Prometheus text format."""

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send this instance's metrics since its start."""
        resp.content_type = metrics.CONTENT_TYPE
        resp.data = metrics.exposition()


class RequestTimer:
    """Middleware that measures response times."""

    async def process_request(self, req: falcon.asgi.Request, _resp: falcon.asgi.Response) -> None:
        """Record the time of the request's arrival."""
        req.context.started_at = perf_counter()

    async def process_response(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        _resource: object,
        _succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Record the response time."""
        method = req.method if req.method in falcon.COMBINED_METHODS else "other"
        route = req.uri_template or "none"
        seconds = metrics.REQUEST_SECONDS.labels(method, route, str(resp.status_code))
        seconds.observe_since(req.context.started_at)
