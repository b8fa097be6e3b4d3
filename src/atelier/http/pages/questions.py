"""The questions of a product and single questions as pages, for crawlers and without JavaScript."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import falcon.asgi

from atelier.http.pages import plain_text
from atelier.http.pages.addresses import Addresses
from atelier.http.pages.responses import send
from atelier.http.pages.structured_data import qa_page
from atelier.http.pages.templates import Templates
from atelier.http.pages.texts import Texts, Words
from atelier.http.v1 import cursors, params, responses
from atelier.http.v1.params import AnswersRequest, QuestionsRequest, Values
from atelier.store.lists.reader import AnswersPage, ListReader, Position, QuestionKey, QuestionsPage

QUESTIONS, FIRST_ANSWERS, ANSWERS = 10, 3, 30
"""The most questions of a page, answers to each of them, and answers to a single question.

They bound the time for which rendering a page keeps an instance from other requests.
"""
_TEMPLATES = Templates("pages")


class QuestionList:
    """Reads a page of a product's questions, for the templates that show one."""

    def __init__(self, reader: ListReader, addresses: Addresses) -> None:
        """Take the reader of lists, and where pages are."""
        self._reader = reader
        self._addresses = addresses
        self.version = _TEMPLATES.version
        """Part of the ETag of every page with such a list."""

    async def read(
        self, req: falcon.asgi.Request, product_id: str
    ) -> tuple[QuestionsRequest, QuestionsPage]:
        """Return the page after the request's cursor, if it has one."""
        asked = {"limit": str(QUESTIONS), "answers": str(FIRST_ANSWERS), **_after(req.params)}
        request = params.questions(asked, product_id)
        return request, await self._reader.questions(request.sort, request.key)

    def values(
        self,
        req: falcon.asgi.Request,
        request: QuestionsRequest,
        page: QuestionsPage,
        texts: Texts,
    ) -> dict[str, object]:
        """Return what the templates show, with their words."""
        product_id, after = request.key.product_id, req.get_param("after")
        path, totals = f"/products/{product_id}/questions", json.loads(b"{%b}" % page.totals)
        return {
            "texts": texts,
            "title": texts.fill("title", product_id),
            "description": plain_text.count(totals, texts),
            "canonical": self._addresses.absolute(req, path, after),
            "addresses": self._addresses,
            "path": path,
            "product_id": product_id,
            "questions": _parsed(page.documents),
            "after": after,
            "next": _cursor(page.next, request.of_list),
        }


class ProductQuestionsPage:
    """`/products/{product_id}/questions`."""

    def __init__(self, questions: QuestionList, addresses: Addresses, words: Words) -> None:
        """Take the reader of questions, where pages are, and their words."""
        self._questions = questions
        self._addresses = addresses
        self._words = words

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send a page of a product's questions, or with `fragment` its list alone."""
        request, page = await self._questions.read(req, product_id)
        is_fragment, texts = "fragment" in req.params, self._words.of(req, resp)
        if is_fragment or not page.documents:
            resp.set_header("X-Robots-Tag", "noindex")

        def render() -> bytes:
            name = "fragment.html" if is_fragment else "questions.html"
            return _TEMPLATES.render(name, **self._questions.values(req, request, page, texts))

        kind = f"{texts.language} {is_fragment}"
        versions = (self._questions.version, kind, page.version.decode(), page.totals.decode())
        send(req, resp, render, self._addresses.absolute(req, ""), *versions)

    on_head = on_get


class QuestionPage:
    """`/questions/{target_id}`: the permalink of a question."""

    def __init__(self, reader: ListReader, addresses: Addresses, words: Words) -> None:
        """Take the reader of lists, where pages are, and their words."""
        self._reader = reader
        self._addresses = addresses
        self._words = words

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, target_id: str
    ) -> None:
        """Send a question with its answers; on their first page with its schema.org data."""
        request = params.answers({"limit": str(ANSWERS), **_after(req.params)}, target_id)
        question, answers = await asyncio.gather(
            self._reader.question(QuestionKey(request.key.question_id, 0)),
            self._reader.answers(request.key),
        )
        if question is None or answers.total is None:
            raise responses.unknown("question")
        texts = self._words.of(req, resp)

        def render() -> bytes:
            values = self._values(req, request, json.loads(question.content), answers, texts)
            return _TEMPLATES.render("question.html", **values)

        versions = (
            _TEMPLATES.version,
            texts.language,
            question.version.decode(),
            answers.version.decode(),
        )
        send(req, resp, render, self._addresses.absolute(req, ""), *versions)

    on_head = on_get

    def _values(
        self,
        req: falcon.asgi.Request,
        request: AnswersRequest,
        question: Mapping[str, Any],
        answers: AnswersPage,
        texts: Texts,
    ) -> dict[str, object]:
        """Return what the template shows."""
        path, after = f"/questions/{request.key.question_id}", req.get_param("after")
        shown = {**question, "answers": _parsed(answers.documents)}
        return {
            "texts": texts,
            "title": plain_text.shortened(shown["body"], plain_text.TITLE),
            "description": plain_text.describe(shown, texts),
            "canonical": self._addresses.absolute(req, path, after),
            "addresses": self._addresses,
            "path": path,
            "question": shown,
            "data": None if after else qa_page(shown, self._addresses.absolute(req, path)),
            "after": after,
            "next": _cursor(answers.next, request.of_list),
        }


def _after(values: Values) -> Values:
    """Return the only parameter that a page takes over from its address."""
    return {name: value for name, value in values.items() if name == "after"}


def _parsed(documents: bytes) -> list[dict[str, Any]]:
    parsed: list[dict[str, Any]] = json.loads(b"[%b]" % documents)
    return parsed


def _cursor(position: Position | None, of_list: str) -> str | None:
    return cursors.encode(position, of_list) if position else None
