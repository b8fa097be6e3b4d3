"""A product's questions: read a page, add a question."""

import falcon.asgi

from atelier.http.common.responses import send_created, send_page
from atelier.http.common.writing.posts import PostWriter
from atelier.http.qa import bodies, params
from atelier.store.reads import PageReader


class Questions:
    """`/qa/questions`."""

    def __init__(self, reader: PageReader, posts: PostWriter) -> None:
        """Take the reader of questions, and the writer of posts."""
        self._reader = reader
        self._posts = posts

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of a product's questions, each with all its answers."""
        page = params.questions_page(req.params)
        await send_page(req, resp, page.opening, await self._reader.read(page.key))

    on_head = on_get

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Add a question."""
        with bodies.entries("Question"):
            question = self._posts.question(await bodies.fields(req))
            await self._posts.add_question(req, resp, question)
        send_created(resp)
