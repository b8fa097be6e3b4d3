"""A question's answers: read a page, add an answer."""

import falcon.asgi

from atelier.http.common.ids import target_id as parse_id
from atelier.http.common.responses import send_created, send_page
from atelier.http.common.writing.posts import PostWriter
from atelier.http.qa import bodies, params
from atelier.store.reads import PageReader


class Answers:
    """`/qa/questions/{target_id}/answers`; the router requires one name per path segment."""

    def __init__(self, reader: PageReader, posts: PostWriter) -> None:
        """Take the reader of answers, and the writer of posts."""
        self._reader = reader
        self._posts = posts

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Send a page of a question's answers."""
        page = params.answers_page(req.params, target_id)
        await send_page(req, resp, page.opening, await self._reader.read(page.key))

    on_head = on_get

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Add an answer to a question."""
        question_id = parse_id("question", target_id)
        with bodies.entries("Answer"):
            answer = self._posts.answer(await bodies.fields(req))
            await self._posts.add_answer(req, resp, question_id, answer)
        send_created(resp)
