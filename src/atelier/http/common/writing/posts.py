"""Writes questions and answers within the limits of posts, and by the moderation rules."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

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
from atelier.http.common.writing.rules import RuleChecker
from atelier.http.common.writing.secret import LoadSecret
from atelier.http.common.writing.spam import SpamGuards
from atelier.http.common.writing.status_links import Post, StatusLinks
from atelier.store.connections.database import DatabaseUnavailableError
from atelier.store.limits import Quota
from atelier.store.moderation.rules import Target as RuleTarget
from atelier.store.writes import Checked, Outcome, Target, Writer, Written

_MAX_CHECKS = 5
"""How often a post is checked again because the rules have changed meanwhile."""
_EXPOSED = "Link, Location, Idempotency-Replayed"

_Write = Callable[[Quota, Checked], Awaitable[Written]]


class Posted(NamedTuple):
    """A post that was written, now or before with the same key."""

    id: int | None
    """None: it is unknown, because it was erased or is from before an update."""
    status_path: str | None
    """The path of the link with which the author sees its status."""


class PostWriter:
    """Writes posts by the spam guards, the rules, the daily limit and the key of their request."""

    def __init__(
        self,
        writer: Writer,
        guards: SpamGuards,
        limit: DailyLimit,
        rules: RuleChecker,
        secret: LoadSecret,
    ) -> None:
        """Take the writer, the guards, the daily limit, the rules, and what returns the secret."""
        self._writer = writer
        self._guards = guards
        self._limit = limit
        self._rules = rules
        self._secret = secret

    def question(self, sent: Fields) -> NewQuestion:
        """Return the question in these fields; or raise InvalidFieldsError."""
        return fields.new_question(sent, self._guards)

    def answer(self, sent: Fields) -> NewAnswer:
        """Return the answer in these fields; or raise InvalidFieldsError."""
        return fields.new_answer(sent, self._guards)

    async def add_question(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, question: NewQuestion
    ) -> Posted:
        """Add a question, and send the link to its status.

        Raises InvalidFieldsError if its text is repeated or a rule refuses it, ApiError as `apply`.
        """
        key, digest = idempotency.key(req, question), self._guards.digest(question.body)

        async def write(quota: Quota, checked: Checked) -> Written:
            return await self._writer.add_question(
                *question, key=key, digest=digest, quota=quota, checked=checked
            )

        return await self._apply(req, resp, "question", question, write)

    async def add_answer(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        question_id: int,
        answer: NewAnswer,
    ) -> Posted:
        """Add an answer to a question; as `add_question`."""
        key, digest = idempotency.key(req, answer), self._guards.digest(answer.body)

        async def write(quota: Quota, checked: Checked) -> Written:
            return await self._writer.add_answer(
                question_id, *answer, key=key, digest=digest, quota=quota, checked=checked
            )

        return await self._apply(req, resp, "answer", answer, write)

    async def _apply(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        target: Target,
        post: NewQuestion | NewAnswer,
        write: _Write,
    ) -> Posted:
        links = StatusLinks(await self._secret())  # before anything is written
        written = await self._checked(req, resp, target, post, write)
        if written.outcome is Outcome.REPEATED:
            raise InvalidFieldsError(REPEATED)
        if written.id is None:
            return Posted(None, None)
        path = links.path(Post(target, written.id))
        resp.set_header("Link", f'<{path}>; rel="status"')
        resp.set_header("Access-Control-Expose-Headers", _EXPOSED)
        return Posted(written.id, path)

    async def _checked(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        target: Target,
        post: NewQuestion | NewAnswer,
        write: _Write,
    ) -> Written:
        """Write a post that was checked with the rules in force."""
        texts = {"body": post.body, "name": post.name}
        for _ in range(_MAX_CHECKS):
            check = await self._rules.check(req, _RULE_TARGETS[target], texts)

            async def write_checked(quota: Quota, checked: Checked = check.checked) -> Written:
                return await write(quota, checked)

            written = await limited.apply(req, resp, _PARENT, write_checked, self._limit)
            if written.outcome is not Outcome.STALE:
                check.decided(written)
                return written
            await self._rules.reload()
        raise DatabaseUnavailableError


_PARENT: Target = "question"
"""What may be missing when a post is written."""
_RULE_TARGETS = {"question": RuleTarget.QUESTIONS, "answer": RuleTarget.ANSWERS}
