"""Large pages are complete and from one snapshot, and do not delay small ones."""

import httpx
import pytest

from atelier.store.connections.database import Database, connect
from atelier.store.reads import LargePage, PageKey, PageReader
from tests.support.cluster import Cluster
from tests.support.data import new_product_id

_MANY = """
    INSERT INTO questions (product_id, body, asker_name, asker_email, helpful)
    SELECT $1, repeat('Does it fit? ', 20) || i, 'jane', 'jane@example.com', i % 10
    FROM generate_series(1, $2::int) AS i
"""
_MANY_ANSWERS = """
    INSERT INTO answers (question_id, body, answerer_name, answerer_email, helpful)
    SELECT $1, 'It does. ' || i, 'jane', 'jane@example.com', i % 10
    FROM generate_series(1, $2::int) AS i
"""


@pytest.fixture(scope="module")
async def product(service: Cluster) -> int:
    connection = await connect(service.database)
    product_id = new_product_id()
    await connection.execute(_MANY, product_id, 3000)
    await connection.close()
    return product_id


@pytest.mark.parametrize("count", [99, 100, 101, 102, 500, 2999, 3000, 3001, 10_000_000_000])
async def test_page_of_any_size_is_complete_and_ordered(
    service: Cluster, product: int, count: int
) -> None:
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        response = await client.get(f"/qa/questions?product_id={product}&count={count}")
    results = response.json()["results"]
    keys = [(q["question_helpfulness"], q["question_id"]) for q in results]
    assert response.headers["content-type"] == "application/json"
    assert len(results) == min(count, 3000)
    assert keys == sorted(set(keys), reverse=True)


@pytest.mark.parametrize(("page", "expected"), [(1, 7), (200, 7), (428, 7), (429, 4), (430, 0)])
async def test_deep_page_continues_the_previous_one(
    service: Cluster, product: int, page: int, expected: int
) -> None:
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        whole = (await client.get(f"/qa/questions?product_id={product}&count=3000")).json()
        some = (await client.get(f"/qa/questions?product_id={product}&count=7&page={page}")).json()
    assert some["results"] == whole["results"][(page - 1) * 7 : page * 7]
    assert len(some["results"]) == expected


async def test_head_of_a_large_page_releases_its_connection(service: Cluster, product: int) -> None:
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        for _ in range(20):
            response = await client.head(f"/qa/questions?product_id={product}&count=3000")
            assert (response.status_code, response.content) == (200, b"")
        assert (await client.get(f"/qa/questions?product_id={product}&count=3000")).is_success


async def test_thousands_of_answers_are_returned_completely(service: Cluster) -> None:
    connection = await connect(service.database)
    product_id = new_product_id()
    await connection.execute(_MANY, product_id, 1)
    question_id = await connection.fetchval(
        "SELECT id FROM questions WHERE product_id = $1", product_id
    )
    await connection.execute(_MANY_ANSWERS, question_id, 1500)
    await connection.close()
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        body = (await client.get(f"/qa/questions/{question_id}/answers?count=1000000")).json()
    keys = [(answer["helpfulness"], answer["answer_id"]) for answer in body["results"]]
    assert len(keys) == 1500
    assert keys == sorted(set(keys), reverse=True)


async def test_small_pages_are_read_while_all_streams_are_in_use(
    service: Cluster, product: int
) -> None:
    database, streams = (Database(service.database, size=2, timeout=5) for _ in range(2))
    await database.open()
    await streams.open()
    reader = PageReader("questions", database, streams)
    large = [await reader.read(PageKey(product, 3000, 0)) for _ in range(2)]
    small = await reader.read(PageKey(product, 5, 0))
    assert isinstance(small, bytes)
    assert small.count(b'"question_id"') == 5
    for page in large:
        assert isinstance(page, LargePage)
        assert sum([piece.count(b'"question_id"') async for piece in page]) == 3000
    await database.close()
    await streams.close()
