"""The answers of a question: read a page, give one."""

import falcon.asgi

from atelier.http.common.responses import send_created, send_page
from atelier.http.qa import bodies, idempotency, params
from atelier.http.qa.daily_limits import DailyLimit
from atelier.store.reads import PageReader
from atelier.store.writes import Writer


class Answers:
    """`/qa/questions/{target_id}/answers`; the router wants one name for an id in a place."""

    def __init__(self, reader: PageReader, writer: Writer, limit: DailyLimit) -> None:
        """Take where answers are read from and written to, and how many one may give."""
        self._reader = reader
        self._writer = writer
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
        answer = await bodies.new_answer(req)
        key = idempotency.key(req, answer)
        share = await self._limit.share(req)
        outcome = await self._writer.add_answer(question_id, *answer, key=key, share=share)
        self._limit.check(outcome)
        idempotency.apply_outcome(outcome, resp, "question")
        send_created(resp)
