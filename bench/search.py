"""Prints the latency of searches in a product with 50,000 questions: `python -m bench.search URL`.

The URL is that of an empty, migrated database. One client searches, without HTTP.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median

from atelier.store.connections.database import Database, connect
from atelier.store.search.searcher import Found, Searcher

_QUESTIONS, _PRODUCT, _ROUNDS = 50_000, 1, 20
_FILL = """
    WITH words AS (
        SELECT string_to_array(
            'does this shirt really shrink when washed hot is it waterproof and how long are the'
            ' sleeves for my daughter who wears medium in other brands cotton leather zipper', ' ')
            AS list
    ),
    texts AS (
        SELECT n, (
            SELECT string_agg(list[1 + floor(random() * cardinality(list) + n * 0)::int], ' ')
            FROM words, generate_series(1, 10)) || ' w' || n % 20000 AS body
        FROM generate_series(1, $1 * 3) AS n
    ),
    asked AS (
        INSERT INTO questions (id, product_id, body, asker_name, asker_email)
        SELECT n, $2, body, 'x', 'x' FROM texts WHERE n <= $1
    )
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT 1 + n % $1, body, 'x', 'x' FROM texts WHERE n > $1
"""
_QUERIES = ("shrink", "waterproof leather zipper", "waterprof", "w1234", "nowhere at all")


async def measure(url: str) -> None:
    """Add the questions, and print the median and the maximum of each search."""
    connection = await connect(url)
    async with connection.transaction():
        await connection.execute("ALTER TABLE answers DISABLE TRIGGER USER")
        await connection.execute(_FILL, _QUESTIONS, _PRODUCT)
        await connection.execute("ALTER TABLE answers ENABLE TRIGGER USER")
    await connection.execute("VACUUM ANALYZE")
    searcher = Searcher(Database(url, size=2, timeout=60))
    started = time.perf_counter()
    await searcher.search(_PRODUCT, "shrink", 10, 0)
    print(f"first search, not kept yet: {_milliseconds(started)}")  # noqa: T201 - its output
    await searcher.kept.wait()
    await connection.execute("VACUUM ANALYZE")
    for query in _QUERIES:
        await _print(f"search {query!r}", searcher.search, _PRODUCT, query, 10, 0)
        await _print(f"similar {query!r}", searcher.similar, _PRODUCT, query, 5)
    await searcher.close()
    await connection.close()


async def _print(name: str, search: Callable[..., Awaitable[list[Found]]], *args: object) -> None:
    seconds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        await search(*args)
        seconds.append(time.perf_counter() - started)
    print(f"{name}: median {median(seconds) * 1000:.0f} ms, maximum {max(seconds) * 1000:.0f} ms")  # noqa: T201 - its output


def _milliseconds(started: float) -> str:
    return f"{(time.perf_counter() - started) * 1000:.0f} ms"


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1]))
