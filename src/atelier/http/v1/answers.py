"""The answers of a question, and single answers."""

import falcon.asgi

from atelier.http.common.ids import target_id as parse_id
from atelier.http.v1 import params, responses
from atelier.http.v1.posts import Posting
from atelier.store.lists.reader import ListReader


class QuestionAnswers:
    """`/v1/questions/{target_id}/answers`."""

    def __init__(self, reader: ListReader, posting: Posting) -> None:
        """Take the reader of lists, and what adds posts."""
        self._reader = reader
        self._posting = posting

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Send a page of a question's answers."""
        request = params.answers(req.params, target_id)
        page = await self._reader.answers(request.key)
        body = responses.answers_body(request, page)
        responses.send(req, resp, body, responses.etag(page.version))

    on_head = on_get

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Add an answer to a question."""
        await self._posting.add_answer(req, resp, target_id)


class Answer:
    """`/v1/answers/{target_id}`."""

    def __init__(self, reader: ListReader) -> None:
        """Take the reader of lists."""
        self._reader = reader

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Send an answer."""
        answer = await self._reader.answer(parse_id("answer", target_id))
        if answer.document is None:
            raise responses.unknown("answer")
        responses.send(req, resp, answer.document, responses.etag(answer.version))

    on_head = on_get
