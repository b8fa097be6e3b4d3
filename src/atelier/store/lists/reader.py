"""Reads what /v1 shows: lists of questions and answers, single questions, and summaries.

Every text is the database's own JSON.
"""

import asyncio
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import asyncpg

from atelier.store.batcher import Batcher
from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store.lists")
_MAX_BATCH = 100
MAX_BATCHED_POSTS = 500
"""A page that may have more posts than this does not delay a batch."""
_MAX_KEY = 9 * 10**18
_MIN_KEY = -2 * 10**17
"""As microseconds since 1970, both are dates of PostgreSQL, before and after all others."""


class Sort(StrEnum):
    """The orders of a product's questions; questions that are equal are in the order of ids."""

    HELPFUL = "helpful"
    NEWEST = "newest"
    OLDEST = "oldest"
    MOST_ANSWERS = "most_answers"


class Filter(StrEnum):
    """Which of a product's questions are listed."""

    ALL = "all"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    SELLER = "seller"
    """Those with an answer by "Seller"."""
    PHOTOS = "photos"
    """Those with an answer that has photos."""


Position = tuple[int, ...]
"""The values by which a list is sorted, of the last row of a page."""

FIRST_ANSWER: Position = (2, _MAX_KEY, _MAX_KEY)
"""The position before the first answer: its rank, its votes and its id."""


class QuestionsKey(NamedTuple):
    """A page of a product's questions, each with at most `answers` answers."""

    product_id: int
    limit: int
    answers: int
    filter: Filter
    after_key: int
    after_id: int


_EVERY = frozenset([Filter.ALL])
_FILTERS = QuestionsKey._fields.index("filter")


class QuestionsPage(NamedTuple):
    """Questions, separated by commas, and the position of the last one if there are more.

    The totals are members of a JSON object. The version changes whenever the questions do; the
    totals have no part in it.
    """

    documents: bytes
    next: Position | None
    totals: bytes
    version: bytes


class Document(NamedTuple):
    """A question or an answer as JSON."""

    content: bytes
    version: bytes


class QuestionKey(NamedTuple):
    """A question with at most `answers` answers."""

    question_id: int
    answers: int


class AnswersKey(NamedTuple):
    """A page of a question's answers."""

    question_id: int
    limit: int
    after_rank: int
    after_helpful: int
    after_id: int


class AnswersPage(NamedTuple):
    """Answers, separated by commas, and the position of the last one if there are more.

    `total` is the number of the question's answers, None if it is unknown or hidden.
    """

    documents: bytes
    next: Position | None
    total: int | None
    version: bytes


def first_position(sort: Sort) -> Position:
    """Return the position before the first question in an order."""
    return (_MIN_KEY, -_MAX_KEY) if sort is Sort.OLDEST else (_MAX_KEY, _MAX_KEY)


def ordered(sort: Sort, matching: str = "") -> str:
    """Return the SQL of an order, for those questions only that meet a further condition.

    It reads `requested`: the columns are those of QuestionsKey, without `answers`.
    """
    order = _QUERIES[f"order_{sort}"].replace("{filter}", _QUERIES["filter"])
    return order.replace("{matching}", matching)


class ListReader:
    """Reads everything in batches, except large pages; concurrent requests for the same are one."""

    def __init__(self, database: Database, streams: Database) -> None:
        """Take the pools for batches and for large pages."""
        self._database = database
        self._lists = {
            sort: Batcher(f"v1_{sort}", _Run(database, sort), max_batch=_MAX_BATCH) for sort in Sort
        }
        self._large = {sort: _Run(streams, sort) for sort in Sort}
        self._questions = Batcher("v1_question", self._read_questions, max_batch=_MAX_BATCH)
        self._answer = Batcher("v1_answer", self._read_answer, max_batch=_MAX_BATCH)
        self._answers = Batcher("v1_answers", self._read_answers, max_batch=_MAX_BATCH)
        self._summaries = Batcher("v1_summaries", self._read_summaries, max_batch=_MAX_BATCH)

    def questions(self, sort: Sort, key: QuestionsKey) -> asyncio.Future[QuestionsPage]:
        """Start reading a page of questions.

        Raises OverloadedError; the future raises DatabaseUnavailableError. So do the others.
        """
        if key.limit * (1 + key.answers) > MAX_BATCHED_POSTS:
            return asyncio.ensure_future(self._large[sort].alone(key))
        return self._lists[sort].submit(key)

    def question(self, key: QuestionKey) -> asyncio.Future[Document | None]:
        """Start reading a question, None if it is unknown or hidden."""
        return self._questions.submit(key)

    def answer(self, answer_id: int) -> asyncio.Future[Document | None]:
        """Start reading an answer, None if it or its question is unknown or hidden."""
        return self._answer.submit(answer_id)

    def answers(self, key: AnswersKey) -> asyncio.Future[AnswersPage]:
        """Start reading a page of answers."""
        return self._answers.submit(key)

    def summary(self, product_id: int) -> asyncio.Future[bytes]:
        """Start reading what a product's questions amount to, as a JSON object."""
        return self._summaries.submit(product_id)

    async def _read_questions(
        self, batch: Mapping[QuestionKey, int]
    ) -> dict[QuestionKey, Document | None]:
        rows = await self._database.read(_QUESTION, *_columns(batch))
        return dict(zip(batch, map(_document, rows), strict=True))

    async def _read_answer(self, batch: Mapping[int, int]) -> dict[int, Document | None]:
        rows = await self._database.read(_ANSWER, list(batch))
        return dict(zip(batch, map(_document, rows), strict=True))

    async def _read_answers(self, batch: Mapping[AnswersKey, int]) -> dict[AnswersKey, AnswersPage]:
        rows = await self._database.read(_ANSWERS, *_columns(batch))
        return {
            key: AnswersPage(
                row["documents"],
                _next(row, "next_rank", "next_helpful", "next_id"),
                row["answer_count"],
                row["version"],
            )
            for key, row in zip(batch, rows, strict=True)
        }

    async def _read_summaries(self, batch: Mapping[int, int]) -> dict[int, bytes]:
        rows = await self._database.read(_SUMMARIES, list(batch))
        return dict(zip(batch, (row[0] for row in rows), strict=True))


class _Run:
    """Reads a batch of pages of questions in one order."""

    def __init__(self, database: Database, sort: Sort) -> None:
        self._database = database
        self._query = _query("questions").replace("{keys}", ordered(sort))

    async def alone(self, key: QuestionsKey) -> QuestionsPage:
        """Read one page."""
        return (await self({key: 1}))[key]

    async def __call__(
        self, batch: Mapping[QuestionsKey, int]
    ) -> dict[QuestionsKey, QuestionsPage]:
        columns = _columns(batch)
        if _EVERY.issuperset(columns[_FILTERS]):
            columns[_FILTERS] = []  # unnest fills it up with nulls, which filter nothing
        rows = await self._database.read(self._query, *columns)
        return {key: _page(row[0], key.limit) for key, row in zip(batch, rows, strict=True)}


def _page(value: bytes, limit: int) -> QuestionsPage:
    """Return a page from its lines; it may have one question more than the limit."""
    server, totals, positions, documents = value.split(b"\n", 3)
    after = None
    if positions.count(b",") >= limit:
        key, question_id, _version = positions.split(b",")[-2].split()
        after = (int(key), int(question_id))
        documents = documents[: documents.rindex(b"\n")]
    return QuestionsPage(documents.replace(b"\n", b","), after, totals, server + positions)


def _query(name: str) -> str:
    """Return a query with the fragments that it shares with others."""
    query = _QUERIES[name]
    for fragment in ("totals", "members", "document", "server"):
        query = query.replace(f"{{{fragment}}}", _QUERIES[fragment])
    return query.replace("{max_key}", str(_MAX_KEY))


_QUESTION, _ANSWER, _ANSWERS, _SUMMARIES = map(
    _query, ("question", "answer", "answers", "summaries")
)


def _document(row: asyncpg.Record) -> Document | None:
    return Document(*row) if row[0] else None


def _columns(batch: Mapping[Any, int]) -> list[list[Any]]:
    return list(map(list, zip(*batch, strict=True)))


def _next(row: asyncpg.Record, *names: str) -> Position | None:
    """Return the position of a page's last row, None if there are no more rows."""
    position: Sequence[int] = [row[name] for name in names]
    return None if position[-1] is None else tuple(position)
