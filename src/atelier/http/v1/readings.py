"""What can be read under /v1 without a search: how each response is read and put together.

Requests reach it through Falcon's resources and on the fast path.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from atelier.http.common.ids import target_id
from atelier.http.v1 import params, responses
from atelier.http.v1.params import QuestionsRequest, Values
from atelier.http.v1.responses import Content, Reading
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
            partial(responses.questions, request),
        )

    def questions_of_products(self, values: Values) -> Reading:
        """Start reading the first pages of several products' questions, as one batch."""
        requests = params.questions_of_products(values)
        pages = (self._reader.questions(each.sort, each.key) for each in requests)
        return Reading(asyncio.gather(*pages), partial(_pages, requests))

    def question(self, values: Values, question_id: str) -> Reading:
        """Start reading a question."""
        key = params.question(values, question_id)
        return Reading(self._reader.question(key), partial(responses.document, "question"))

    def answers(self, values: Values, question_id: str) -> Reading:
        """Start reading a page of a question's answers."""
        request = params.answers(values, question_id)
        return Reading(self._reader.answers(request.key), partial(responses.answers, request))

    def answer(self, _values: Values, answer_id: str) -> Reading:
        """Start reading an answer."""
        number = target_id("answer", answer_id)
        return Reading(self._reader.answer(number), partial(responses.document, "answer"))

    def summary(self, _values: Values, product_id: str) -> Reading:
        """Start reading how many questions and answers a product has."""
        return Reading(self._reader.summary(params.product_id(product_id)), responses.summary)

    def summaries(self, values: Values) -> Reading:
        """Start reading the summaries of several products, as one batch."""
        summaries = map(self._reader.summary, params.product_ids(values))
        return Reading(asyncio.gather(*summaries), _summaries)


def _pages(requests: Sequence[QuestionsRequest], pages: Iterable[QuestionsPage]) -> Content:
    return responses.results(
        [
            responses.questions(request, page, b'{"product_id":%d,' % request.key.product_id)
            for request, page in zip(requests, pages, strict=True)
        ]
    )


def _summaries(found: Iterable[bytes]) -> Content:
    return responses.results(list(map(responses.summary, found)))
