"""What can be read under /v1 without a search: how each response is read and put together.

Requests reach it through Falcon's resources and on the fast path.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from atelier.http.common.ids import target_id
from atelier.http.v1 import params, responses
from atelier.http.v1.params import QuestionsRequest, Values
from atelier.http.v1.responses import Reading
from atelier.store.lists.reader import ListReader, QuestionsPage


class Readings:
    """Starts reading, given the parameters of a query and the id of a path.

    Everything raises ApiError for invalid parameters, and OverloadedError; the future raises
    DatabaseUnavailableError.
    """

    def __init__(self, reader: ListReader) -> None:
        """Take the reader of lists."""
        self._reader = reader

    def questions(self, values: Values, product_id: str) -> Reading:
        """Start reading a page of a product's questions."""
        request = params.questions(values, product_id)
        return Reading(
            self._reader.questions(request.sort, request.key),
            partial(responses.questions_body, request),
        )

    def questions_of_products(self, values: Values) -> Reading:
        """Start reading the first pages of several products' questions, as one batch."""
        requests = params.questions_of_products(values)
        pages = (self._reader.questions(each.sort, each.key) for each in requests)
        return Reading(asyncio.gather(*pages), partial(_bodies, requests))

    def question(self, values: Values, question_id: str) -> Reading:
        """Start reading a question."""
        key = params.question(values, question_id)
        return Reading(self._reader.question(key), partial(_existing, "question"))

    def answers(self, values: Values, question_id: str) -> Reading:
        """Start reading a page of a question's answers."""
        request = params.answers(values, question_id)
        return Reading(self._reader.answers(request.key), partial(responses.answers_body, request))

    def answer(self, _values: Values, answer_id: str) -> Reading:
        """Start reading an answer."""
        number = target_id("answer", answer_id)
        return Reading(self._reader.answer(number), partial(_existing, "answer"))

    def summary(self, _values: Values, product_id: str) -> Reading:
        """Start reading how many questions and answers a product has."""
        return Reading(self._reader.summary(params.product_id(product_id)), bytes)

    def summaries(self, values: Values) -> Reading:
        """Start reading the summaries of several products, as one batch."""
        summaries = map(self._reader.summary, params.product_ids(values))
        return Reading(asyncio.gather(*summaries), _results)


def _bodies(requests: Sequence[QuestionsRequest], pages: Iterable[QuestionsPage]) -> bytes:
    return _results(
        responses.questions_body(request, page, b'{"product_id":%d,' % request.key.product_id)
        for request, page in zip(requests, pages, strict=True)
    )


def _results(parts: Iterable[bytes]) -> bytes:
    return b'{"results":[%b]}' % b",".join(parts)


def _existing(target: str, document: bytes | None) -> bytes:
    if document is None:
        raise responses.unknown(target)
    return document
