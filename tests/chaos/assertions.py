"""Compares the database with the acknowledged writes and with the view that defines documents."""

from collections import Counter
from collections.abc import Sequence

import asyncpg

from tests.chaos.writers import Writer
from tests.support.data import DIFFERENT_DOCUMENTS

_WRITTEN = """
    SELECT q.helpful, array(SELECT body FROM answers WHERE question_id = q.id) AS answers
    FROM questions q WHERE q.id = $1
"""


async def assert_written_once(connection: asyncpg.Connection, writers: Sequence[Writer]) -> int:
    """Assert that exactly the acknowledged writes are stored, each once; return their number."""
    for writer in writers:
        [row] = await connection.fetch(_WRITTEN, writer.question_id)
        assert (row["helpful"], Counter(row["answers"])) == (writer.votes, writer.answers)
    return sum(writer.votes + writer.answers.total() for writer in writers)


async def assert_documents_are_the_view(connection: asyncpg.Connection) -> None:
    """Assert that the stored documents are exactly those of the view."""
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
