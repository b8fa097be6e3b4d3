"""The questions of a product or of several, and single questions."""

import asyncio

import falcon.asgi

from atelier.http.v1 import params, responses
from atelier.http.v1.posts import Posting
from atelier.http.v1.searching import Search
from atelier.store.lists.reader import ListReader


class ProductQuestions:
    """`/v1/products/{product_id}/questions`."""

    def __init__(self, reader: ListReader, search: Search, posting: Posting) -> None:
        """Take the reader of lists, the search, and what adds posts."""
        self._reader = reader
        self._search = search
        self._posting = posting

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send a page of a product's questions, or of those that `q` finds, with first answers."""
        if "q" in req.params:
            await self._search.send_page(req, resp, product_id)
            return
        request = params.questions(req.params, product_id)
        page = await self._reader.questions(request.sort, request.key)
        tag = responses.etag(page.version, page.totals)
        responses.send(req, resp, responses.questions_body(request, page), tag)

    on_head = on_get

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Add a question to a product."""
        await self._posting.add_question(req, resp, product_id)


class QuestionsOfProducts:
    """`/v1/questions`: the first questions of several products."""

    def __init__(self, reader: ListReader) -> None:
        """Take the reader of lists."""
        self._reader = reader

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the first page of each product's questions; they are read as one batch."""
        requests = params.questions_of_products(req.params)
        pages = await asyncio.gather(
            *(self._reader.questions(request.sort, request.key) for request in requests)
        )
        bodies = [
            responses.questions_body(request, page, b'{"product_id":%d,' % request.key.product_id)
            for request, page in zip(requests, pages, strict=True)
        ]
        tag = responses.etag(*(part for page in pages for part in (page.version, page.totals)))
        responses.send(req, resp, b'{"results":[%b]}' % b",".join(bodies), tag)

    on_head = on_get


class Question:
    """`/v1/questions/{target_id}`."""

    def __init__(self, reader: ListReader) -> None:
        """Take the reader of lists."""
        self._reader = reader

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Send a question with its first answers."""
        question = await self._reader.question(params.question(req.params, target_id))
        if question.document is None:
            raise responses.unknown("question")
        responses.send(req, resp, question.document, responses.etag(question.version))

    on_head = on_get
