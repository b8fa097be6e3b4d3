"""The parts of the sitemap: every answered question is in one, wherever its id is."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from atelier.store.connections.database import Database, connect
from atelier.store.lists.sitemap import PART, Entry, SitemapReader

_HIGHEST = 2**63 - 1
_INSERT = """
    WITH asked AS (
        INSERT INTO questions (id, product_id, body, date_written, asker_name, asker_email)
        SELECT id, 1, 'Why?', date, 'jack', 'x' FROM unnest($1::bigint[], $2::timestamptz[])
            AS new (id, date)
        RETURNING id, date_written
    )
    INSERT INTO answers (question_id, body, date_written, answerer_name, answerer_email)
    SELECT id, 'So.', date_written, 'jill', 'x' FROM asked
"""


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def reader(database: str) -> AsyncIterator[SitemapReader]:
    pool = Database(database, size=1, timeout=30)
    yield SitemapReader(pool)
    await pool.close()


async def insert(connection: asyncpg.Connection, ids: list[int], date: str = "2018-10-18") -> None:
    """Add questions, each with an answer of the same date."""
    dates = "array(SELECT $2::text::timestamptz FROM generate_series(1, cardinality($1::bigint[])))"
    await connection.execute("SET TimeZone = 'UTC'")
    await connection.execute(_INSERT.replace("$2::timestamptz[]", dates), ids, date)


async def test_parts_are_found_at_any_distance(
    connection: asyncpg.Connection, reader: SitemapReader
) -> None:
    ids = [0, PART - 1, PART, 5 * PART + 1, 10**15, _HIGHEST - PART, _HIGHEST]
    await insert(connection, ids)
    await connection.execute(
        "INSERT INTO questions (id, product_id, body, asker_name, asker_email)"
        " VALUES ($1, 1, 'Unanswered?', 'jack', 'x')",
        3 * PART,
    )
    parts = await reader.parts()
    assert parts == sorted({each // PART for each in ids})
    listed = [entry.id for part in parts for entry in await reader.part(part)]
    assert listed == ids


async def test_a_date_that_no_sitemap_can_have_is_left_out(
    connection: asyncpg.Connection, reader: SitemapReader
) -> None:
    for number, date in enumerate(("0044-03-15 BC", "0001-01-01", "9999-12-31", "10000-01-01")):
        await insert(connection, [number], date)
    assert await reader.part(0) == [
        Entry(0, None),
        Entry(1, "0001-01-01"),
        Entry(2, "9999-12-31"),
        Entry(3, None),
    ]


async def test_without_questions_there_is_no_part(reader: SitemapReader) -> None:
    assert await reader.parts() == []
    assert await reader.part(0) == []
    assert await reader.part(-1) == []
    assert await reader.part(_HIGHEST) == []
