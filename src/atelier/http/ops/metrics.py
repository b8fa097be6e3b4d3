"""Times every request, and shows the figures at `/metrics`, which nginx keeps to this machine."""

from functools import cache
from time import perf_counter

import falcon
import falcon.asgi
from prometheus_client import Histogram

from atelier import metrics


class Metrics:
    """`/metrics`, in Prometheus's format."""

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send what this instance has counted since it started."""
        resp.content_type = metrics.CONTENT_TYPE
        resp.data = metrics.exposition()


class RequestTimer:
    """The middleware that times requests."""

    async def process_request(self, req: falcon.asgi.Request, _resp: falcon.asgi.Response) -> None:
        """Note when a request came."""
        req.context.started = perf_counter()

    async def process_response(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        _resource: object,
        _succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Count its answer."""
        method = req.method if req.method in falcon.COMBINED_METHODS else "other"
        seconds = series(method, req.uri_template or "none", resp.status_code)
        seconds.observe(perf_counter() - req.context.started)


@cache
def series(method: str, route: str, status: int) -> Histogram:
    """Return where the seconds of a route's answers of one status are counted."""
    return metrics.REQUEST_SECONDS.labels(method, route, str(status))
