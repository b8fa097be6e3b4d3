"""Adds questions and answers, and sends what was added."""

from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.common.ids import target_id as parse_id
from atelier.http.common.writing.fields import NewAnswer, NewQuestion
from atelier.http.common.writing.posts import Posted, PostWriter
from atelier.http.v1 import bodies
from atelier.store.writes import Target
from atelier.store.written import WrittenPost, WrittenReader

_SELLER = "Seller"


class Posting:
    """Adds posts, for the routes of questions and of answers."""

    def __init__(self, posts: PostWriter, reader: WrittenReader) -> None:
        """Take the writer of posts, and the reader of what was written."""
        self._posts = posts
        self._reader = reader

    async def add_question(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Add a question to a product."""
        with bodies.problems():
            sent = {**await bodies.fields(req), "product_id": product_id}
            question = self._posts.question(sent)
            posted = await self._posts.add_question(req, resp, question)
        added = await self._added("question", posted)
        _send(resp, "questions", {**_question(question, added), **_status(posted, added)})

    async def add_answer(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Add an answer to a question."""
        question_id = parse_id("question", target_id)
        with bodies.problems():
            answer = self._posts.answer(await bodies.fields(req))
            posted = await self._posts.add_answer(req, resp, question_id, answer)
        added = await self._added("answer", posted)
        _send(resp, "answers", {**_answer(question_id, answer, added), **_status(posted, added)})

    async def _added(self, target: Target, posted: Posted) -> WrittenPost:
        """Return what was written, now or before with the same key."""
        added = None if posted.id is None else await self._reader.post(target, posted.id)
        if added is None:
            raise ApiError(
                HTTPStatus.GONE, f"the {target} posted with this Idempotency-Key no longer exists"
            )
        return added


def _question(question: NewQuestion, added: WrittenPost) -> dict[str, object]:
    """Return a question as it was when it was added: without votes and answers."""
    return {
        "id": added.id,
        "product_id": question.product_id,
        "body": question.body,
        "created_at": added.created_at,
        "author": question.name,
        "helpful": 0,
        "answer_count": 0,
        "answers": [],
    }


def _answer(question_id: int, answer: NewAnswer, added: WrittenPost) -> dict[str, object]:
    """Return an answer as it was when it was added: without votes."""
    photos = zip(added.photos, answer.photos, strict=False)  # those since deleted have no id
    return {
        "id": added.id,
        "question_id": question_id,
        "body": answer.body,
        "created_at": added.created_at,
        "author": answer.name,
        "is_seller": answer.name == _SELLER,
        "helpful": 0,
        "photos": [{"id": number, "url": url} for number, url in photos],
    }


def _status(posted: Posted, added: WrittenPost) -> dict[str, object]:
    """Return whether a post is published, and the link with which its author sees that later."""
    return {"status": added.status, "status_url": posted.status_path}


def _send(resp: falcon.asgi.Response, collection: str, post: dict[str, object]) -> None:
    resp.status = falcon.HTTP_CREATED
    resp.set_header("Location", f"/v1/{collection}/{post['id']}")
    resp.media = post
