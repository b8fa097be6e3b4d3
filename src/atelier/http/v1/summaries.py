"""How many questions and answers products have."""

import asyncio

import falcon.asgi

from atelier.http.v1 import params, responses
from atelier.store.lists.reader import ListReader


class ProductSummary:
    """`/v1/products/{product_id}/summary`."""

    def __init__(self, reader: ListReader) -> None:
        """Take the reader of lists."""
        self._reader = reader

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send how many questions and answers a product has."""
        summary = await self._reader.summary(params.product_id(product_id))
        responses.send(req, resp, summary, responses.etag(summary.decode()))

    on_head = on_get


class Summaries:
    """`/v1/summaries`: the summaries of several products."""

    def __init__(self, reader: ListReader) -> None:
        """Take the reader of lists."""
        self._reader = reader

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the summary of each product; they are read as one batch."""
        ids = params.product_ids(req.params)
        summaries = b",".join(await asyncio.gather(*map(self._reader.summary, ids)))
        body = b'{"results":[%b]}' % summaries
        responses.send(req, resp, body, responses.etag(summaries.decode()))

    on_head = on_get
