"""The questions of a product."""

import falcon.asgi

from atelier.http.v1.posts import Posting


class ProductQuestions:
    """`/v1/products/{product_id}/questions`."""

    def __init__(self, posting: Posting) -> None:
        """Take what adds posts."""
        self._posting = posting

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Add a question to a product."""
        await self._posting.add_question(req, resp, product_id)
