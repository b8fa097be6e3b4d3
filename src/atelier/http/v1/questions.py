"""The questions of a product or of several, and single questions."""

import falcon.asgi

from atelier.http.v1 import responses
from atelier.http.v1.posts import Posting
from atelier.http.v1.readings import Readings
from atelier.http.v1.searching import Search


class ProductQuestions:
    """`/v1/products/{product_id}/questions`."""

    def __init__(self, readings: Readings, search: Search, posting: Posting) -> None:
        """Take what reads, the search, and what adds posts."""
        self._readings = readings
        self._search = search
        self._posting = posting

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send a page of a product's questions, or of those that `q` finds, with first answers."""
        if "q" in req.params:
            await self._search.send_page(req, resp, product_id)
            return
        await responses.send_read(req, resp, self._readings.questions(req.params, product_id))

    on_head = on_get

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Add a question to a product."""
        await self._posting.add_question(req, resp, product_id)


class QuestionsOfProducts:
    """`/v1/questions`: the first questions of several products."""

    def __init__(self, readings: Readings) -> None:
        """Take what reads."""
        self._readings = readings

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the first page of each product's questions."""
        await responses.send_read(req, resp, self._readings.questions_of_products(req.params))

    on_head = on_get


class Question:
    """`/v1/questions/{target_id}`."""

    def __init__(self, readings: Readings) -> None:
        """Take what reads."""
        self._readings = readings

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Send a question with its first answers."""
        await responses.send_read(req, resp, self._readings.question(req.params, target_id))

    on_head = on_get
