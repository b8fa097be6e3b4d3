"""Writes questions and answers within the limits of posts."""

import falcon.asgi

from atelier.http.common.writing import fields, idempotency, limited
from atelier.http.common.writing.daily_limits import DailyLimit
from atelier.http.common.writing.fields import (
    REPEATED,
    Fields,
    InvalidFieldsError,
    NewAnswer,
    NewQuestion,
)
from atelier.http.common.writing.spam import SpamGuards
from atelier.store.limits import Quota
from atelier.store.writes import Outcome, Target, Writer, Written


class PostWriter:
    """Writes posts with the spam guards, the daily limit and the key of their request."""

    def __init__(self, writer: Writer, guards: SpamGuards, limit: DailyLimit) -> None:
        """Take the writer, and the guards and the daily limit of posts."""
        self._writer = writer
        self._guards = guards
        self._limit = limit

    def question(self, sent: Fields) -> NewQuestion:
        """Return the question in these fields; or raise InvalidFieldsError."""
        return fields.new_question(sent, self._guards)

    def answer(self, sent: Fields) -> NewAnswer:
        """Return the answer in these fields; or raise InvalidFieldsError."""
        return fields.new_answer(sent, self._guards)

    async def add_question(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, question: NewQuestion
    ) -> Written:
        """Add a question; raise InvalidFieldsError if its text is repeated, ApiError as `apply`."""
        key, digest = idempotency.key(req, question), self._guards.digest(question.body)

        async def write(quota: Quota) -> Written:
            return await self._writer.add_question(*question, key=key, digest=digest, quota=quota)

        return await self._apply(req, resp, write)

    async def add_answer(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        question_id: int,
        answer: NewAnswer,
    ) -> Written:
        """Add an answer to a question; raise as `add_question`."""
        key, digest = idempotency.key(req, answer), self._guards.digest(answer.body)

        async def write(quota: Quota) -> Written:
            return await self._writer.add_answer(
                question_id, *answer, key=key, digest=digest, quota=quota
            )

        return await self._apply(req, resp, write)

    async def _apply(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, write: limited.Write
    ) -> Written:
        written = await limited.apply(req, resp, _PARENT, write, self._limit)
        if written.outcome is Outcome.REPEATED:
            raise InvalidFieldsError(REPEATED)
        return written


_PARENT: Target = "question"
"""What may be missing when a post is written."""
