"""The latency of searches among 50,000 questions, for one client, without HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median

import asyncpg

from atelier.local.postgres.embedded import Embedded
from atelier.store import migrate
from atelier.store.connections.database import Database, connect
from atelier.store.lists.reader import Filter, Sort
from atelier.store.search.ranking import Listing
from atelier.store.search.searcher import Searcher
from bench.data import create_database, drop_database

QUESTIONS, PRODUCT = 50_000, 1
"""How many questions the product has, and its id."""
_ROUNDS, _POSTS = 20, 100
_DATABASE = "bench_search"
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
        INSERT INTO questions (id, product_id, body, asker_name, asker_email, helpful)
        SELECT n, $2, body, 'x', 'x', floor(random() * 100) FROM texts WHERE n <= $1
    )
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT 1 + n % $1, body, 'x', 'x' FROM texts WHERE n > $1
"""
_NEXT_ID = "SELECT setval(pg_get_serial_sequence('questions', 'id'), max(id)) FROM questions"
_POST = """
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    SELECT $1, 'is this new leather waterproof w' || n, 'x', 'x' FROM generate_series(1, $2) AS n
"""
_SIZE = "SELECT pg_size_pretty(sum(pg_total_relation_size(c))) FROM unnest($1::regclass[]) AS c"
_TABLES = ["search_texts", "search_words"]
_FIRST = Listing(10)
_SEARCHES = {
    "rare word": ("w1234", _FIRST),
    "frequent word": ("shrink", _FIRST),
    "three frequent words": ("waterproof leather zipper", _FIRST),
    "sentence": ("is it really waterproof when washed hot", _FIRST),
    "typo of a frequent word": ("waterprof", _FIRST),
    "two frequent words written as one": ("thisshirt", _FIRST),
    "short words": ("is it a m", _FIRST),
    "part of many words": ("w12", _FIRST),
    "nothing found": ("nowhere at all", _FIRST),
    "frequent word, newest first": ("shrink", Listing(10, Sort.NEWEST)),
    "frequent word, most answers first": ("shrink", Listing(10, Sort.MOST_ANSWERS)),
    "frequent word, those with photos": ("shrink", Listing(10, filter=Filter.PHOTOS)),
}


def measure_search(embedded: Embedded, log: Callable[[str], None]) -> str:
    """Measure in a database of its own; return what was measured, as a list."""
    with large_product(embedded) as dsn:
        lines = asyncio.run(_lines(dsn, log))
    return (
        f"Measured by `python -m bench search` on {datetime.now(UTC):%Y-%m-%d}; {_ROUNDS} searches "
        f"each.\n\n{lines}"
    )


@contextmanager
def large_product(embedded: Embedded) -> Iterator[str]:
    """Create a database with a product of QUESTIONS questions; yield its URL, and drop it."""
    server, dsn = embedded.server.dsn(), embedded.server.dsn(_DATABASE)
    asyncio.run(create_database(server, _DATABASE))
    try:
        asyncio.run(migrate.migrate(dsn))
        asyncio.run(_fill(dsn))
        yield dsn
    finally:
        asyncio.run(drop_database(server, _DATABASE))


async def _lines(dsn: str, log: Callable[[str], None]) -> str:
    lines = []
    async for line in _measure(dsn):
        log(line)
        lines.append(f"- {line}")
    return "\n".join(lines)


async def _measure(url: str) -> AsyncIterator[str]:
    """Yield a line for each kind of search."""
    connection = await connect(url)
    searcher = Searcher(Database(url, size=2, timeout=60))
    yield await _timed("first search, before the product is indexed", searcher, _FIRST, rounds=1)
    started = time.perf_counter()
    await searcher.indexer.wait()
    yield f"indexing {QUESTIONS} questions: {time.perf_counter() - started:.1f} s"
    await connection.execute("VACUUM ANALYZE")
    yield f"size of the index with its texts: {await connection.fetchval(_SIZE, _TABLES)}"
    await searcher.close()
    searcher = Searcher(Database(url, size=2, timeout=60))
    yield await _timed("first search of a new instance", searcher, _FIRST, rounds=1)
    for name, (query, listing) in _SEARCHES.items():
        yield await _timed(f"{name} ({query})", searcher, listing, query)
    yield await _similar(searcher)
    await connection.execute(_POST, PRODUCT, _POSTS)
    yield await _timed(f"after {_POSTS} new questions", searcher, _FIRST)
    await searcher.close()
    await connection.close()


async def _fill(dsn: str) -> None:
    connection = await connect(dsn)
    try:
        await _add_posts(connection)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _add_posts(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.execute("ALTER TABLE answers DISABLE TRIGGER USER")
        await connection.execute(_FILL, QUESTIONS, PRODUCT)
        await connection.execute(_NEXT_ID)
        await connection.execute("ALTER TABLE answers ENABLE TRIGGER USER")
        await connection.execute("TRUNCATE search_products, search_texts")
        await connection.execute("SELECT refresh_documents(array(SELECT id FROM questions))")


async def _timed(
    name: str, searcher: Searcher, listing: Listing, query: str = "shrink", rounds: int = _ROUNDS
) -> str:
    return await _time(name, lambda: searcher.search(PRODUCT, query, listing), rounds)


async def _similar(searcher: Searcher) -> str:
    text = "does this leather shrink when it is washed hot"
    return await _time("similar questions", lambda: searcher.similar(PRODUCT, text, 5), _ROUNDS)


async def _time(name: str, search: Callable[[], Awaitable[object]], rounds: int) -> str:
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        await search()
        seconds.append(time.perf_counter() - started)
    return f"{name}: median {median(seconds) * 1000:.0f} ms, maximum {max(seconds) * 1000:.0f} ms"
