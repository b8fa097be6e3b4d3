"""Events reach every endpoint at least once, in the order of each question, never twice at once."""

import asyncio
import json
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from unittest import mock

import asyncpg
import pytest

from atelier.http.webhooks.addresses import PermittedAddresses
from atelier.http.webhooks.client import Client
from atelier.http.webhooks.sender import Sender, retry_delay
from atelier.store.changes import ChangeFeed
from atelier.store.connections.database import Database, connect
from atelier.store.webhooks.deliveries import Deliveries, Outcome, Result
from atelier.store.webhooks.endpoints import EVENTS, Endpoints
from tests.support.data import Data
from tests.support.receiver import Received, is_signed, receiver
from tests.support.waiting import until
from tests.transfer.exports import load, write_export

KEEP = timedelta(days=30)
LOCAL = Client(PermittedAddresses(["127.0.0.0/8"]))


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def data(connection: asyncpg.Connection) -> Data:
    return Data(connection)


@pytest.fixture
def endpoints(connection: asyncpg.Connection) -> Endpoints:
    return Endpoints(connection.fetch)


@asynccontextmanager
async def sending(database: str, *, senders: int = 1) -> AsyncIterator[None]:
    """Run senders, each with connections of its own, as instances have them."""
    pools = [Database(database, size=1, timeout=10) for _ in range(senders)]
    running = [Sender(Deliveries(pool, KEEP), LOCAL, 10, poll_seconds=0.02) for pool in pools]
    for sender in running:
        await sender.open()
    try:
        yield
    finally:
        for sender, pool in zip(running, pools, strict=True):
            await sender.close()
            await pool.close()


async def add(endpoints: Endpoints, url: str, *events: str) -> tuple[int, str]:
    added = await endpoints.add(url, events or EVENTS, "test")
    assert added
    return added


async def is_settled(connection: asyncpg.Connection) -> bool:
    """Return whether every event has been planned and nothing is pending."""
    pending: bool = await connection.fetchval("""
        SELECT EXISTS (SELECT FROM changes WHERE position IS NULL)
            OR EXISTS (SELECT FROM webhook_deliveries WHERE state = 'pending')
            OR EXISTS (
                SELECT FROM webhooks WHERE state = 'active'
                AND position < (SELECT coalesce(max(position), 0) FROM changes))""")
    return not pending


async def make_due(connection: asyncpg.Connection) -> None:
    """Let the time until the next attempts pass."""
    await connection.execute("""
        UPDATE webhook_deliveries SET due_at = now()
        WHERE state = 'pending' AND leased_until IS NULL AND due_at < 'infinity'""")


async def edit(connection: asyncpg.Connection, question_id: int) -> None:
    await connection.execute("UPDATE questions SET body = body || '.' WHERE id = $1", question_id)


async def test_an_event_is_signed_and_has_the_change_of_the_feed(
    database: str, connection: asyncpg.Connection, data: Data, endpoints: Endpoints
) -> None:
    await data.question(7, body="Before there was an endpoint")
    with receiver() as hook:
        endpoint, secret = await add(endpoints, hook.url)
        question_id = await data.question(7, body="Größe?", email="asker@example.com")
        async with sending(database):
            await until(lambda: is_settled(connection))
        [received] = hook.received
    assert is_signed(received, secret)
    assert not is_signed(received, secret[:-8] + "AAAAAAA=")
    pool = Database(database, size=1, timeout=10)
    *_, change = (await ChangeFeed(pool, KEEP).read(None, 10)).events
    await pool.close()
    assert received.event["data"] == json.loads(change)
    assert received.event["type"] == "asked"
    assert received.event["data"]["id"] == question_id
    assert received.headers["content-type"] == "application/json"
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 60
    assert b"asker@example.com" not in received.body
    [entry] = (await endpoints.deliveries(endpoint, limit=10)).deliveries
    assert (entry["state"], entry["status"], entry["attempts"]) == ("delivered", 204, 1)
    assert entry["message_id"] == received.id


def positions(requests: Iterable[Received]) -> dict[int, list[int]]:
    """Return the positions of the events of each question, in the order of their arrival."""
    found = defaultdict(list)
    for request in requests:
        event = request.event["data"]
        found[event["question_id"]].append(event["position"])
    return found


async def settle(connection: asyncpg.Connection) -> None:
    """Wait until nothing is pending; the time between attempts passes at once."""

    async def settled() -> bool:
        await make_due(connection)
        return await is_settled(connection)

    await until(settled)


async def test_events_of_a_question_arrive_in_order_though_some_fail_at_first(
    database: str, connection: asyncpg.Connection, data: Data, endpoints: Endpoints
) -> None:
    failed: dict[str, Received] = {}

    def fail_some_once(request: Received) -> int:
        if request.event["data"]["position"] % 3 == 0 and request.id not in failed:
            failed[request.id] = request
            return 500
        return 200

    questions = [await data.question(7) for _ in range(5)]
    with receiver(fail_some_once) as hook:
        await add(endpoints, hook.url)
        async with sending(database, senders=3):
            for _ in range(8):
                for question_id in questions:
                    await edit(connection, question_id)
            await settle(connection)
        delivered = positions(each for each in hook.received if each is not failed.get(each.id))
        assert len(failed) > 5
        assert not hook.overlaps(lambda each: each.event["data"]["question_id"])
    for question_id in questions:
        assert delivered[question_id] == sorted(set(delivered[question_id]))
        assert len(delivered[question_id]) == 8


async def test_senders_that_compete_send_each_event_once(
    database: str, connection: asyncpg.Connection, data: Data, endpoints: Endpoints
) -> None:
    def take_time(_: Received) -> int:
        time.sleep(0.02)
        return 200

    with receiver(take_time) as hook:
        await add(endpoints, hook.url)
        async with sending(database, senders=6):
            for _ in range(100):
                await data.question(7)
            await until(lambda: is_settled(connection))
        assert len(hook.received) == 100
        assert not hook.overlaps(lambda each: each.id)
        assert [len(each) for each in positions(hook.received).values()] == [1] * 100


async def test_a_receiver_that_does_not_answer_delays_no_other(
    database: str, connection: asyncpg.Connection, data: Data, endpoints: Endpoints
) -> None:
    answer = threading.Event()

    def hang(_: Received) -> int:
        answer.wait(60)
        return 200

    with receiver(hang) as silent, receiver() as quick:
        for url in (silent.url, "http://127.0.0.1:1/nobody-listens", quick.url):
            await add(endpoints, url)
        for _ in range(30):
            await data.question(7)
        async with sending(database):

            async def quick_has_all() -> bool:
                return len(quick.received) == 30

            await until(quick_has_all)
            assert 0 < len(silent.received) < 30
            answer.set()
    states = await connection.fetch(
        "SELECT webhook_id, error FROM webhook_deliveries WHERE error IS NOT NULL"
    )
    assert {row["error"] for row in states} == {"the connection failed: Connection refused"}


async def test_an_endpoint_that_answers_410_gets_nothing_until_it_is_resumed(
    database: str, connection: asyncpg.Connection, data: Data, endpoints: Endpoints
) -> None:
    statuses = iter([410])
    with receiver(lambda _: next(statuses, 200)) as hook:
        endpoint, _ = await add(endpoints, hook.url)
        question_id = await data.question(7)
        await edit(connection, question_id)

        async def is_disabled() -> bool:
            found = await endpoints.get(endpoint)
            return found is not None and found["state"] == "disabled"

        async with sending(database):
            await until(is_disabled)
            await edit(connection, question_id)
            await asyncio.sleep(0.3)
            assert len(hook.received) == 1
            assert await endpoints.resume(endpoint)
            await until(lambda: is_settled(connection))
        kinds = [each.event["type"] for each in hook.received]
    assert kinds == ["asked", "edited", "edited"]
    deliveries = (await endpoints.deliveries(endpoint, limit=10)).deliveries
    assert [each["state"] for each in deliveries] == ["delivered", "delivered", "failed"]


async def test_a_delivery_fails_after_three_days_and_can_be_replayed(
    database: str, connection: asyncpg.Connection, data: Data, endpoints: Endpoints
) -> None:
    statuses = iter([500, 500])
    with receiver(lambda _: next(statuses, 200)) as hook:
        endpoint, secret = await add(endpoints, hook.url)
        question_id = await data.question(7)
        await edit(connection, question_id)

        async def attempts(number: int) -> None:
            async def reached() -> bool:
                entry = await connection.fetchrow(
                    "SELECT attempts, leased_until FROM webhook_deliveries ORDER BY id LIMIT 1"
                )
                return entry is not None and tuple(entry) == (number, None)

            await until(reached)

        async with sending(database):
            await attempts(1)
            assert len(hook.received) == 1  # the edit waits for the question
            await connection.execute(
                "UPDATE webhook_deliveries SET expires_at = now() WHERE attempts > 0"
            )
            await make_due(connection)
            await until(lambda: is_settled(connection))
            log = (await endpoints.deliveries(endpoint, state="failed", limit=10)).deliveries
            [failed] = log
            assert (failed["type"], failed["attempts"], failed["status"]) == ("asked", 2, 500)
            replayed = await endpoints.replay(endpoint, failed["id"])
            assert replayed
            await until(lambda: is_settled(connection))
        types = [each.event["type"] for each in hook.received]
        assert types == ["asked", "asked", "edited", "asked"]
        first, *_, last = hook.received
    assert first.id == last.id == failed["message_id"]
    assert is_signed(last, secret)
    assert await endpoints.replay(endpoint, 10**9) is None
    assert await endpoints.replay(endpoint + 1, replayed) is None


async def test_a_pending_delivery_is_not_replayed(
    connection: asyncpg.Connection, endpoints: Endpoints
) -> None:
    endpoint, _ = await add(endpoints, "https://a.example")
    pending = await endpoints.test(endpoint)
    assert pending
    assert await endpoints.replay(endpoint, pending) is None
    await connection.execute("UPDATE webhook_deliveries SET state = 'failed'")
    assert await endpoints.replay(endpoint, pending)
    assert await endpoints.replay(endpoint, pending) is None


async def test_a_paused_endpoint_gets_everything_when_it_is_resumed(
    database: str, connection: asyncpg.Connection, data: Data, endpoints: Endpoints
) -> None:
    with receiver() as hook:
        endpoint, _ = await add(endpoints, hook.url, "asked")
        await data.question(7)
        assert await endpoints.pause(endpoint)
        assert await endpoints.test(endpoint) is None
        asked = [await data.question(7) for _ in range(3)]
        await edit(connection, asked[0])
        async with sending(database):
            await asyncio.sleep(0.3)
            assert not hook.received
            assert await endpoints.resume(endpoint)
            await until(lambda: is_settled(connection))
        assert sorted(positions(hook.received))[1:] == asked
        assert {each.event["type"] for each in hook.received} == {"asked"}
    for method in (endpoints.pause, endpoints.resume, endpoints.remove):
        assert not await method(endpoint + 1)


async def test_an_endpoint_whose_events_are_no_longer_kept_is_told_so(
    database: str, connection: asyncpg.Connection, data: Data, endpoints: Endpoints
) -> None:
    with receiver() as hook:
        endpoint, _ = await add(endpoints, hook.url, "asked")
        await endpoints.pause(endpoint)
        for _ in range(5):
            await data.question(7)
        await connection.execute("SELECT position_changes()")
        await connection.execute("DELETE FROM changes WHERE position <= 3")
        await endpoints.resume(endpoint)
        async with sending(database):
            await until(lambda: is_settled(connection))
        received = sorted(each.event["data"]["position"] or 0 for each in hook.received)
        assert received == [0, 4, 5]
        assert [each.event["type"] for each in hook.received].count("missed") == 1


async def test_after_a_rotation_both_secrets_sign_for_the_time_given(
    database: str, connection: asyncpg.Connection, endpoints: Endpoints
) -> None:
    with receiver() as hook:
        endpoint, first = await add(endpoints, hook.url)
        second = await endpoints.rotate_secret(endpoint, timedelta(hours=1))
        assert second
        async with sending(database):
            await endpoints.test(endpoint)
            await until(lambda: is_settled(connection))
            third = await endpoints.rotate_secret(endpoint, timedelta(0))
            assert third
            await endpoints.test(endpoint)
            await until(lambda: is_settled(connection))
        both, new = hook.received
    assert [is_signed(both, each) for each in (first, second, third)] == [True, True, False]
    assert [is_signed(new, each) for each in (first, second, third)] == [False, False, True]
    assert await endpoints.rotate_secret(endpoint + 1, timedelta(0)) is None


async def test_a_sender_whose_lease_has_ended_records_nothing(
    database: str, endpoints: Endpoints
) -> None:
    endpoint, _ = await add(endpoints, "https://a.example")
    await endpoints.test(endpoint)
    pool = Database(database, size=1, timeout=10)
    deliveries = Deliveries(pool, KEEP)
    slow = await deliveries.claim(endpoint, timedelta(0))
    assert slow
    assert await deliveries.claim(endpoint, timedelta(hours=1)) == slow._replace(
        attempt=2, sent_at=mock.ANY, signatures=mock.ANY
    )
    assert await deliveries.claim(endpoint, timedelta(hours=1)) is None
    await endpoints.resume(endpoint)  # does not end a lease
    assert await deliveries.claim(endpoint, timedelta(hours=1)) is None
    result = Result(Outcome.DELIVERED, 200, None, 1)
    assert await deliveries.finish(slow, result, timedelta(0)) is None
    assert await deliveries.finish(slow._replace(attempt=2), result, timedelta(0)) == "delivered"
    await pool.close()


async def test_a_sender_that_stops_ends_the_request_under_way(
    database: str, connection: asyncpg.Connection, endpoints: Endpoints
) -> None:
    began = threading.Event()

    def take_time(_: Received) -> int:
        began.set()
        time.sleep(0.3)
        return 200

    with receiver(take_time) as hook:
        endpoint, _ = await add(endpoints, hook.url)
        await endpoints.test(endpoint)
        async with sending(database):
            await asyncio.to_thread(began.wait, 60)
    assert await is_settled(connection)


async def test_webhooks_survive_an_import_that_replaces_everything(
    database: str, endpoints: Endpoints, tmp_path: Path
) -> None:
    with receiver() as hook:
        _, secret = await add(endpoints, hook.url)
        async with sending(database):
            for number in (1, 2):
                await load(database, write_export(tmp_path / "export"), replace=True)

                async def has(number: int = number) -> bool:
                    return len(hook.received) == number

                await until(has)
        assert [each.event["type"] for each in hook.received] == ["imported"] * 2
        assert all(is_signed(each, secret) for each in hook.received)
    assert len(await endpoints.all()) == 1


async def test_finished_deliveries_stay_in_the_log_as_long_as_they_are_kept(
    database: str, connection: asyncpg.Connection, endpoints: Endpoints
) -> None:
    endpoint, _ = await add(endpoints, "https://a.example")
    for _ in range(3):
        await endpoints.test(endpoint)
    for number, age in enumerate((31, 29), 1):
        await connection.execute(
            "UPDATE webhook_deliveries SET state = 'failed', finished_at = now() - $2::interval"
            " WHERE id = $1",
            number,
            timedelta(days=age),
        )
    pool = Database(database, size=1, timeout=10)
    await Deliveries(pool, KEEP).delete_expired()
    await pool.close()
    kept = (await endpoints.deliveries(endpoint, limit=10)).deliveries
    assert [each["id"] for each in kept] == [3, 2]


def test_attempts_are_further_and_further_apart_and_follow_retry_after() -> None:
    delays = [retry_delay(attempt, None, lambda: 0.5) for attempt in range(1, 40)]
    assert delays[:4] == [5, 15, 45, 135]
    assert delays[-1] == max(delays) == 6 * 3600
    assert 12 < sum(1 for n in range(40) if sum(delays[:n]) < 3 * 24 * 3600) < 30
    assert retry_delay(1, 600) == 600
    assert retry_delay(1, 10**9) == 24 * 3600
    assert (retry_delay(1, 0, lambda: 0.0), retry_delay(1, 0, lambda: 1.0)) == (4, 6)
