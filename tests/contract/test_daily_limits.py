"""Daily limits of posts and reports per address are exact across all instances."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest

from atelier.local.postgres import roles
from atelier.local.postgres.server import Server
from atelier.store.connections.database import Database, connect
from atelier.store.limits import ClientHashes
from tests.contract.api import NEW_ANSWER, NEW_QUESTION
from tests.contract.voting import two_instances
from tests.support.cluster import Cluster, cluster
from tests.support.data import Data

_LIMITS = {
    "ATELIER_POSTS_PER_DAY": "10",
    "ATELIER_REPORTS_PER_DAY": "3",
    "ATELIER_RATE_POSTS": "off",
    "ATELIER_RATE_EXEMPT": "10.0.0.0/8",
    "ATELIER_TRUSTED_PROXIES": "127.0.0.1",
}


@pytest.fixture(scope="module")
async def shared_database(postgres: Server, template: asyncpg.Connection) -> AsyncIterator[str]:
    await template.execute("CREATE DATABASE limited TEMPLATE template STRATEGY file_copy")
    await roles.ensure(postgres.dsn("limited"))
    yield postgres.dsn("limited")
    await template.execute("DROP DATABASE limited WITH (FORCE)")


@pytest.fixture(scope="module")
def limited(shared_database: str) -> Iterator[Cluster]:
    with cluster(shared_database, instances=2, role=roles.SERVICE_ROLE, **_LIMITS) as running:
        yield running


@pytest.fixture
async def connection(limited: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """Return a connection to the database, in which nothing has been posted or counted yet."""
    opened = await connect(limited.database)
    await opened.execute("TRUNCATE daily_counts, questions CASCADE")
    yield opened
    await opened.close()


@pytest.fixture
async def client(
    limited: Cluster, connection: asyncpg.Connection
) -> AsyncIterator[httpx.AsyncClient]:
    assert connection
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(base_url=limited.base_url, timeout=60, limits=limits) as client:
        yield client


async def post_question(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/qa/questions", json=NEW_QUESTION, headers=named)


async def test_concurrent_posts_are_accepted_up_to_the_limit(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    question_id = await Data(connection).question(5)
    answer_to = f"/qa/questions/{question_id}/answers"
    responses = await asyncio.gather(
        *(post_question(client) for _ in range(50)),
        *(client.post(answer_to, json=NEW_ANSWER) for _ in range(50)),
    )
    assert Counter(each.status_code for each in responses) == {201: 10, 429: 90}
    assert await written(connection) == 1 + 10
    assert (await post_question(client, X_Forwarded_For="203.0.113.7")).status_code == 201


async def test_rejection_names_the_limit_and_the_time_until_midnight(
    client: httpx.AsyncClient,
) -> None:
    for _ in range(10):
        assert (await post_question(client)).status_code == 201
    for accept, text in [("*/*", "Error: too many posts"), ("application/problem+json", "{")]:
        rejected = await post_question(client, Accept=accept, Origin="https://shop.example")
        assert (rejected.status_code, rejected.text[: len(text)]) == (429, text)
        assert rejected.headers["ratelimit-policy"] == '"posts-per-day";q=10;w=86400'
        left = int(rejected.headers["retry-after"])
        assert rejected.headers["ratelimit"] == f'"posts-per-day";r=0;t={left}'
        assert "RateLimit" in rejected.headers["access-control-expose-headers"]
        now = datetime.now(UTC)
        assert 0 <= left - (timedelta(days=1) - (now - midnight(now))).total_seconds() < 60


async def test_replays_and_invalid_posts_are_not_counted(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    key = {"Idempotency_Key": str(uuid4())}
    nowhere = "/qa/questions/987654321987654321/answers"
    assert (await post_question(client, **key)).status_code == 201
    again = await asyncio.gather(*(post_question(client, **key) for _ in range(20)))
    assert {each.headers["idempotency-replayed"] for each in again} == {"true"}
    for _ in range(20):
        assert (await client.post("/qa/questions", json={})).status_code == 422
        assert (await client.post(nowhere, json=NEW_ANSWER)).status_code == 404
    assert await connection.fetchval("SELECT sum(count) FROM daily_counts") == 1
    new = {"Idempotency_Key": str(uuid4())}
    for _ in range(9):
        assert (await post_question(client)).status_code == 201
    assert (await post_question(client, **new)).status_code == 429
    assert (await post_question(client, **key)).status_code == 201, (
        "it was applied before the limit was reached"
    )
    assert (await post_question(client, **new)).status_code == 429, (
        "a rejected write does not claim its key"
    )


async def test_concurrent_posts_with_one_key_are_counted_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    key = {"Idempotency_Key": str(uuid4())}
    responses = await asyncio.gather(*(post_question(client, **key) for _ in range(30)))
    assert {each.status_code for each in responses} == {201}
    assert await written(connection) == 1
    assert await connection.fetchval("SELECT sum(count) FROM daily_counts") == 1


async def test_reports_have_their_own_limit_and_votes_have_none(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    data = Data(connection)
    questions = [await data.question(5) for _ in range(6)]
    responses = await asyncio.gather(*(client.put(f"/qa/questions/{n}/report") for n in questions))
    assert Counter(each.status_code for each in responses) == {204: 3, 429: 3}
    reported = await connection.fetchval("SELECT count(*) FROM questions WHERE reported")
    assert reported == 3
    rejected = next(each for each in responses if each.status_code == 429)
    assert rejected.headers["ratelimit-policy"] == '"reports-per-day";q=3;w=86400'
    for number in questions:
        assert (await client.put(f"/qa/questions/{number}/helpful")).status_code == 204
    assert (await client.put("/qa/answers/987654321/report")).status_code == 429
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    gone = await client.put("/qa/answers/987654321/report", headers=elsewhere)
    assert gone.status_code == 404
    counted = "SELECT sum(count) FROM daily_counts WHERE kind = 'reports'"
    assert await connection.fetchval(counted) == 3


async def test_reports_with_a_reason_share_the_limit_of_reports(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    questions = [await Data(connection).question(5) for _ in range(6)]
    responses = await asyncio.gather(
        *(
            client.put(f"/qa/questions/{number}/report", json={"reason": "spam"} if n % 2 else None)
            for n, number in enumerate(questions)
        )
    )
    assert Counter(each.status_code for each in responses) == {204: 3, 429: 3}
    assert await connection.fetchval("SELECT count(*) FROM questions WHERE reported") == 3


async def test_repeated_reports_of_a_reporter_are_not_counted(database: str) -> None:
    async with two_instances(
        database, vote_once="address", reports_to_hide=9, reports_per_day=2
    ) as service:
        first, second, third = [f"/qa/questions/{await service.question()}" for _ in range(3)]
        key = {"Idempotency-Key": str(uuid4())}
        await service.put(f"{first}/report", headers=key)
        for _ in range(5):
            repeated = await service.put(f"{first}/report")
            assert repeated.headers["vote-counted"] == "false"
        await service.put(f"{second}/report")
        sent_from = {"X-Forwarded-For": "192.0.2.1"}
        for instance in service.instances:
            rejected = await instance.simulate_put(f"{third}/report", headers=sent_from)
            assert rejected.status_code == 429
        replayed = await service.put(f"{first}/report", headers=key)
        assert replayed.headers["idempotency-replayed"] == "true"
        assert await service.rows("SELECT count FROM daily_counts") == [(2,)]
        assert await service.rows("SELECT count(*) FROM reports") == [(2,)]
        await service.put(f"{third}/helpful")


async def test_repeated_texts_are_not_counted(database: str) -> None:
    sent_from = {"X-Forwarded-For": "192.0.2.1"}
    async with two_instances(database, spam_repeat_minutes=5, posts_per_day=2) as service:

        async def post(body: str) -> int:
            question = {**NEW_QUESTION, "body": body}
            result = await random.choice(service.instances).simulate_post(
                "/qa/questions", json=question, headers=sent_from
            )
            return result.status_code

        assert [await post("Why?") for _ in range(5)] == [201] + [422] * 4
        assert [await post(f"Why {n}?") for n in range(2)] == [201, 429]
        assert await service.rows("SELECT count FROM daily_counts") == [(2,)]


async def test_exempt_networks_are_not_counted(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    for _ in range(11):
        assert (await post_question(client, X_Forwarded_For="10.1.2.3")).status_code == 201
    assert await connection.fetchval("SELECT count(*) FROM daily_counts") == 0


async def test_forged_address_is_not_a_new_client(client: httpx.AsyncClient) -> None:
    responses = [
        await post_question(
            client, X_Forwarded_For=f"8.8.8.{n}, 203.0.113.7", X_Real_IP=f"8.8.8.{n}"
        )
        for n in range(11)
    ]
    assert [each.status_code for each in responses] == [201] * 10 + [429]


async def test_no_address_is_stored_and_past_days_are_deleted(
    limited: Cluster, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await post_question(client, X_Forwarded_For="203.0.113.7")
    [row] = await connection.fetch("SELECT * FROM daily_counts")
    assert "203.0.113.7" not in str(dict(row))
    assert b"203.0.113.7" not in row["client"]
    writer = Database(limited.database, size=2, timeout=10)
    today: date = row["day"]
    await ClientHashes(writer, None, lambda: today).delete_expired()
    assert await connection.fetchval("SELECT count(*) FROM daily_counts") == 1
    await ClientHashes(writer, None, lambda: today + timedelta(days=1)).delete_expired()
    await writer.close()
    left = "SELECT (SELECT count(*) FROM daily_counts) + (SELECT count(*) FROM address_keys)"
    assert await connection.fetchval(left) == 0


@pytest.mark.parametrize("secret", [None, "s3cret"])
async def test_client_hash_is_equal_in_all_instances_and_changes_daily(
    database: str, secret: str | None
) -> None:
    async def hash_of(address: str, day: date, secret: str | None = secret) -> bytes | None:
        hashes = ClientHashes(writer, secret, lambda: day)
        return (await hashes.quota("posts", address, 1)).client

    writer = Database(database, size=2, timeout=10)
    day = date(2026, 11, 27)
    same = {await hash_of("203.0.113.7", day) for _ in range(3)}
    others = {
        await hash_of("203.0.113.8", day),
        await hash_of("203.0.113.7", day + timedelta(days=1)),
        await hash_of("203.0.113.7", day, "another"),
    }
    await writer.close()
    assert len(same) == 1
    assert len(same | others) == 4


async def written(connection: asyncpg.Connection) -> int:
    counted: int = await connection.fetchval(
        "SELECT (SELECT count(*) FROM questions) + (SELECT count(*) FROM answers)"
    )
    return counted


def midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
