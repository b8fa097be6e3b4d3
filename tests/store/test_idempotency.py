"""A write with an Idempotency-Key is applied once, however often and wherever it is sent."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx
import pytest

from atelier.store.connections.database import Database, connect
from atelier.store.writes import Key, Outcome, Vote, Writer
from tests.support.cluster import Cluster
from tests.support.data import Data, new_product_id

QUESTION = {"body": "Does it fit?", "name": "jane", "email": "jane@example.com"}
ANSWER = {**QUESTION, "photos": ["https://a.b/c.jpg"]}


@pytest.fixture
async def client(service: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        yield client


@pytest.fixture
async def connection(service: Cluster) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(service.database)
    yield connection
    await connection.close()


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


async def test_a_repeated_question_is_asked_once_and_answered_the_same(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    headers, question = key(), {**QUESTION, "product_id": new_product_id()}
    first = await client.post("/qa/questions", json=question, headers=headers)
    again = await client.post("/qa/questions/", json=question, headers=headers)
    assert (first.status_code, first.text) == (again.status_code, again.text) == (201, "Created")
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await _count(connection, "questions", "product_id", question["product_id"]) == 1


async def test_a_repeated_answer_and_its_photos_are_there_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    question_id, headers = await Data(connection).question(new_product_id()), key()
    url = f"/qa/questions/{question_id}/answers"
    responses = [await client.post(url, json=ANSWER, headers=headers) for _ in range(3)]
    assert [r.headers.get("idempotency-replayed") for r in responses] == [None, "true", "true"]
    [answer] = (await client.get(url)).json()["results"]
    assert [photo["url"] for photo in answer["photos"]] == ANSWER["photos"]


@pytest.mark.parametrize("target", ["questions", "answers"])
async def test_a_repeated_vote_counts_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, target: str
) -> None:
    data, headers = Data(connection), key()
    target_id = await data.question(new_product_id())
    if target == "answers":
        target_id = await data.answer(target_id)
    url = f"/qa/{target}/{target_id}/helpful"
    responses = [await client.put(url, headers=headers) for _ in range(3)]
    assert [r.status_code for r in responses] == [204] * 3
    assert [r.headers.get("idempotency-replayed") for r in responses] == [None, "true", "true"]
    assert await _helpful(connection, target, target_id) == 1
    await client.put(url, headers=key())
    assert await _helpful(connection, target, target_id) == 2


async def test_concurrent_writes_with_one_key_are_applied_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    headers, product_id = key(), new_product_id()
    question = {**QUESTION, "product_id": product_id}
    posts = [client.post("/qa/questions", json=question, headers=headers) for _ in range(20)]
    assert {r.status_code for r in await asyncio.gather(*posts)} == {201}
    assert await _count(connection, "questions", "product_id", product_id) == 1
    [row] = await connection.fetch("SELECT id FROM questions WHERE product_id = $1", product_id)
    headers = key()
    votes = [client.put(f"/qa/questions/{row['id']}/helpful", headers=headers) for _ in range(20)]
    assert {r.status_code for r in await asyncio.gather(*votes)} == {204}
    assert await _helpful(connection, "questions", row["id"]) == 1


async def test_key_reused_for_another_request_is_rejected(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    headers, product_id = key(), new_product_id()
    question = {**QUESTION, "product_id": product_id}
    await client.post("/qa/questions", json=question, headers=headers)
    [row] = await connection.fetch("SELECT id FROM questions WHERE product_id = $1", product_id)
    for attempt in (
        client.post("/qa/questions", json={**question, "body": "Else?"}, headers=headers),
        client.post(f"/qa/questions/{row['id']}/answers", json=ANSWER, headers=headers),
        client.put(f"/qa/questions/{row['id']}/helpful", headers=headers),
    ):
        response = await attempt
        assert response.status_code == 422
        assert response.text == "Error: this Idempotency-Key was used for another request"
    assert await _count(connection, "questions", "product_id", product_id) == 1
    assert await _helpful(connection, "questions", row["id"]) == 0


async def test_equivalent_bodies_are_the_same_request(client: httpx.AsyncClient) -> None:
    headers, product_id = key(), new_product_id()
    await client.post("/qa/questions", json={**QUESTION, "product_id": product_id}, headers=headers)
    form = {"product_id": str(product_id), **QUESTION}
    again = await client.post("/qa/questions", data=form, headers=headers)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")


async def test_rejected_write_does_not_claim_its_key(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    headers = key()
    assert (await client.put("/qa/questions/4000000000/helpful", headers=headers)).is_client_error
    question_id = await Data(connection).question(new_product_id())
    response = await client.put(f"/qa/questions/{question_id}/helpful", headers=headers)
    assert response.status_code == 204
    assert "idempotency-replayed" not in response.headers


@pytest.mark.parametrize("name", ["", "a" * 256, "two words", "schl\xfcssel"])
async def test_a_malformed_key_is_refused(client: httpx.AsyncClient, name: str) -> None:
    question = {**QUESTION, "product_id": new_product_id()}
    headers = {b"Idempotency-Key": name.encode("latin-1")}
    response = await client.post("/qa/questions", json=question, headers=headers)
    assert response.status_code == 400
    assert response.text.startswith("Error: invalid Idempotency-Key provided")


async def test_different_votes_under_one_key_in_one_batch_count_once(database: str) -> None:
    pool, connection = Database(database, size=1, timeout=5), await connect(database)
    await pool.open()
    first, second = [await Data(connection).question(1) for _ in range(2)]
    writer = Writer(pool, timedelta(hours=1))
    outcomes = await asyncio.gather(
        writer.vote(Vote("question", first, "helpful", Key("same", b"1"))),
        writer.vote(Vote("question", second, "helpful", Key("same", b"2"))),
    )
    assert list(outcomes) == [Outcome.DONE, Outcome.CONFLICT]
    assert await _helpful(connection, "questions", second) == 0
    await pool.close()
    await connection.close()


async def test_key_expires_and_is_deleted(database: str) -> None:
    pool, connection = Database(database, size=1, timeout=5), await connect(database)
    await pool.open()
    question = await Data(connection).question(1)
    vote = Vote("question", question, "helpful", Key("k", b"1"))
    writer = Writer(pool, timedelta(hours=1))
    assert [await writer.vote(vote) for _ in "12"] == [Outcome.DONE, Outcome.REPLAYED]
    await connection.execute("UPDATE idempotency_keys SET created_at = now() - interval '61 min'")
    assert [await writer.vote(vote) for _ in "12"] == [Outcome.DONE, Outcome.REPLAYED]
    await writer.delete_expired_keys()
    assert await connection.fetchval("SELECT count(*) FROM idempotency_keys") == 1
    await connection.execute("UPDATE idempotency_keys SET created_at = now() - interval '61 min'")
    await writer.delete_expired_keys()
    assert await connection.fetchval("SELECT count(*) FROM idempotency_keys") == 0
    await pool.close()
    await connection.close()


async def _count(connection: asyncpg.Connection, table: str, column: str, value: object) -> int:
    query = f"SELECT count(*) FROM {table} WHERE {column} = $1"  # noqa: S608 - fixed names
    count: int = await connection.fetchval(query, value)
    return count


async def _helpful(connection: asyncpg.Connection, table: str, row_id: int) -> int:
    query = f"SELECT helpful FROM {table} WHERE id = $1"  # noqa: S608 - fixed names
    helpful: int = await connection.fetchval(query, row_id)
    return helpful
