"""A product's questions: read a page, add a question."""

import falcon.asgi

from atelier.http.common.responses import send_created, send_page
from atelier.http.qa import bodies, idempotency, params
from atelier.http.qa.daily_limits import DailyLimit
from atelier.http.qa.spam import SpamGuards
from atelier.store.reads import PageReader
from atelier.store.writes import Outcome, Writer


class Questions:
    """`/qa/questions`."""

    def __init__(
        self, reader: PageReader, writer: Writer, guards: SpamGuards, limit: DailyLimit
    ) -> None:
        """Take the reader and the writer of questions, and the guards and daily limit of posts."""
        self._reader = reader
        self._writer = writer
        self._guards = guards
        self._limit = limit

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send a page of a product's questions, each with all its answers."""
        page = params.questions_page(req.params)
        await send_page(req, resp, page.opening, await self._reader.read(page.key))

    on_head = on_get

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Add a question."""
        question = await bodies.new_question(req, self._guards)
        key = idempotency.key(req, question)
        outcome = await self._writer.add_question(
            *question,
            key=key,
            digest=self._guards.digest(question.body),
            quota=await self._limit.quota(req),
        )
        self._limit.check(outcome)
        if outcome is Outcome.REPEATED:
            raise bodies.repeated("Question")
        idempotency.apply_outcome(outcome, resp, "question")
        send_created(resp)
