"""How many questions and answers products have."""

import falcon.asgi

from atelier.http.v1 import responses
from atelier.http.v1.readings import Readings


class ProductSummary:
    """`/v1/products/{product_id}/summary`."""

    def __init__(self, readings: Readings) -> None:
        """Take what reads."""
        self._readings = readings

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send how many questions and answers a product has."""
        await responses.send_read(req, resp, self._readings.summary(req.params, product_id))

    on_head = on_get


class Summaries:
    """`/v1/summaries`: the summaries of several products."""

    def __init__(self, readings: Readings) -> None:
        """Take what reads."""
        self._readings = readings

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the summary of each product."""
        await responses.send_read(req, resp, self._readings.summaries(req.params))

    on_head = on_get
