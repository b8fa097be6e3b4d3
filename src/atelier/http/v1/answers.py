"""The answers of a question."""

import falcon.asgi

from atelier.http.v1.posts import Posting


class QuestionAnswers:
    """`/v1/questions/{target_id}/answers`."""

    def __init__(self, posting: Posting) -> None:
        """Take what adds posts."""
        self._posting = posting

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Add an answer to a question."""
        await self._posting.add_answer(req, resp, target_id)
