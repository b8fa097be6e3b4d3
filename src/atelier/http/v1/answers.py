"""The answers of a question, and single answers."""

import falcon.asgi

from atelier.http.v1 import responses
from atelier.http.v1.posts import Posting
from atelier.http.v1.readings import Readings


class QuestionAnswers:
    """`/v1/questions/{target_id}/answers`."""

    def __init__(self, readings: Readings, posting: Posting) -> None:
        """Take what reads, and what adds posts."""
        self._readings = readings
        self._posting = posting

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Send a page of a question's answers."""
        await responses.send_read(req, resp, self._readings.answers(req.params, target_id))

    on_head = on_get

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Add an answer to a question."""
        await self._posting.add_answer(req, resp, target_id)


class Answer:
    """`/v1/answers/{target_id}`."""

    def __init__(self, readings: Readings) -> None:
        """Take what reads."""
        self._readings = readings

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Send an answer."""
        await responses.send_read(req, resp, self._readings.answer(req.params, target_id))

    on_head = on_get
