"""A question's answers: read a page, add an answer."""

import falcon.asgi

from atelier.http.common.responses import send_created, send_page
from atelier.http.qa import bodies, idempotency, params
from atelier.http.qa.daily_limits import DailyLimit
from atelier.http.qa.spam import SpamGuards
from atelier.store.reads import PageReader
from atelier.store.writes import Outcome, Writer


class Answers:
    """`/qa/questions/{target_id}/answers`; the router requires one name per path segment."""

    def __init__(
        self, reader: PageReader, writer: Writer, guards: SpamGuards, limit: DailyLimit
    ) -> None:
        """Take the reader and the writer of answers, and the guards and daily limit of posts."""
        self._reader = reader
        self._writer = writer
        self._guards = guards
        self._limit = limit

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
        question_id = params.target_id("question", target_id)
        answer = await bodies.new_answer(req, self._guards)
        key = idempotency.key(req, answer)
        outcome = await self._writer.add_answer(
            question_id,
            *answer,
            key=key,
            digest=self._guards.digest(answer.body),
            quota=await self._limit.quota(req),
        )
        self._limit.check(outcome)
        if outcome is Outcome.REPEATED:
            raise bodies.repeated("Answer")
        idempotency.apply_outcome(outcome, resp, "question")
        send_created(resp)
