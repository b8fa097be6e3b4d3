"""Inserts test rows directly into the tables."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

WRITTEN = datetime(2018, 10, 18, tzinfo=UTC)
EMAIL = "first.last@gmail.com"
DIFFERENT_DOCUMENTS = """
    (TABLE question_documents EXCEPT ALL TABLE question_document_view)
    UNION ALL
    (TABLE question_document_view EXCEPT ALL TABLE question_documents)
"""
"""Selects the documents that are not those of the view, and the view's that are not stored."""

_QUESTION = """
    INSERT INTO questions
        (product_id, body, date_written, asker_name, asker_email, helpful, reported)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id"""
_ANSWER = """
    INSERT INTO answers
        (question_id, body, date_written, answerer_name, answerer_email, helpful, reported)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id"""
_PHOTO = "INSERT INTO photos (answer_id, url) VALUES ($1, $2) RETURNING id"

# Starts at a random number, so that runs can share a database.
_product_ids = itertools.count(random.randrange(10**10, 10**15))


def new_product_id() -> int:
    """Return a product id that is unique in this run."""
    return next(_product_ids)


@dataclass(frozen=True)
class Data:
    """Adds rows and looks them up; ids are the database's own."""

    connection: asyncpg.Connection

    async def question(  # noqa: PLR0913 - one per column
        self,
        product_id: int,
        *,
        body: str = "Why is this product cheaper here than other sites?",
        date: datetime = WRITTEN,
        name: str = "williamsmith",
        email: str = EMAIL,
        helpful: int = 0,
        reported: bool = False,
    ) -> int:
        """Add a question; return its id."""
        return await self._id(_QUESTION, product_id, body, date, name, email, helpful, reported)

    async def answer(  # noqa: PLR0913 - one per column
        self,
        question_id: int,
        *,
        body: str = "Something pretty durable but I can't be sure",
        date: datetime = WRITTEN,
        name: str = "metslover",
        email: str = EMAIL,
        helpful: int = 0,
        reported: bool = False,
        photos: Sequence[str] = (),
    ) -> int:
        """Add an answer and its photos; return its id."""
        answer_id = await self._id(_ANSWER, question_id, body, date, name, email, helpful, reported)
        for url in photos:
            await self.photo(answer_id, url)
        return answer_id

    async def photo(self, answer_id: int, url: str) -> int:
        """Add a photo to an answer; return its id."""
        return await self._id(_PHOTO, answer_id, url)

    async def row(self, query: str, *args: object) -> dict[str, Any]:
        """Return the one row that a query finds."""
        rows = await self.connection.fetch(query, *args)
        assert len(rows) == 1
        return dict(rows[0])

    async def _id(self, statement: str, *values: object) -> int:
        number: int = await self.connection.fetchval(statement, *values)
        return number
