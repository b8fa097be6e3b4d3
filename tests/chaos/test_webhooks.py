"""Instances are killed while they send events to a webhook."""

import asyncio
import random
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from atelier.store.connections.database import connect
from atelier.store.webhooks.endpoints import EVENTS, Endpoints
from tests.chaos.clients import reading
from tests.chaos.findings import Finding
from tests.chaos.known_products import add_products
from tests.chaos.measure import percentile
from tests.chaos.plan import quick_or_full
from tests.support.cluster import free_port, program, wait_until_ready
from tests.support.commands import ATELIER
from tests.support.data import Data
from tests.support.postgres import temporary_folder
from tests.support.receiver import Received, receiver
from tests.support.waiting import until

if TYPE_CHECKING:
    from subprocess import Popen

_KILLS = quick_or_full(5, 50)
_INSTANCES = 2
_QUESTIONS = 8
_READS = 50  # per second
_DOWN = quick_or_full(4, 20)
_TIMEOUT = 1.0  # seconds
_HANG_SECONDS = 10  # longer than the instances wait
_PENDING = """
    SELECT count(*) FROM changes c CROSS JOIN webhooks w
    WHERE w.url LIKE $1 AND (c.position IS NULL OR NOT EXISTS (
        SELECT FROM webhook_deliveries d
        WHERE d.webhook_id = w.id AND d.position = c.position AND d.state = 'delivered'))"""
_PASS_THE_TIME = """
    UPDATE webhook_deliveries SET due_at = now()
    WHERE state = 'pending' AND leased_until IS NULL AND due_at < 'infinity'"""


class Instances:
    """Running instances; a killed one is replaced."""

    def __init__(self, database: str, folder: Path) -> None:
        self._settings = {
            "ATELIER_DATABASE_URL": database,
            "ATELIER_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "ATELIER_WEBHOOK_TIMEOUT": str(_TIMEOUT),
        }
        self._folder = folder
        self._stack = AsyncExitStack()
        self._running: list[Popen[bytes]] = []
        self._started = 0

    @property
    def socket(self) -> Path:
        """The socket of the instance that was started last."""
        return self._folder / f"{self._started}.sock"

    async def start(self) -> None:
        self._started += 1
        socket = self.socket
        command = [*ATELIER, "serve", "--socket", str(socket)]
        process = self._stack.enter_context(program(command, **self._settings))
        await asyncio.to_thread(wait_until_ready, socket)
        self._running.append(process)

    async def kill_one(self) -> None:
        self._running.pop(random.randrange(len(self._running))).kill()
        await self.start()

    async def stop(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def editing(
    database: str, questions: list[int], *, then: str = "SELECT"
) -> AsyncIterator[None]:
    """Edit questions in the background, running another statement after each."""
    connection = await connect(database)

    async def edit() -> None:
        while True:
            await connection.execute(
                "UPDATE questions SET body = left(body, 900) || $2 WHERE id = $1",
                random.choice(questions),
                f"{random.randrange(10**9)}",
            )
            await connection.execute(then)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(edit())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


@pytest.mark.fault(
    f"kill -9 an instance that sends events, {_KILLS} times, to a receiver that is too slow or "
    "fails now and then",
    "every event delivered at least once, in the order of its question, none twice at once, except "
    "what a sender has given up",
)
async def test_every_event_is_delivered_though_its_senders_are_killed(
    database: str, finding: Finding
) -> None:
    is_busy = threading.Event()
    delivered: list[Received] = []
    arrivals = _Arrivals()

    def answer(request: Received) -> int:
        is_busy.set()
        is_slow = random.random() < 0.02  # the sender gives up
        threading.Event().wait(2 * _TIMEOUT if is_slow else random.uniform(0.02, 0.2))
        if random.random() < 0.1:
            return 503
        delivered.append(request)
        return arrivals.add(request)

    connection = await connect(database)
    with receiver(answer) as hook, temporary_folder() as folder:
        await Endpoints(connection.fetch).add(hook.url, EVENTS, "test")
        questions = [await Data(connection).question(7) for _ in range(_QUESTIONS)]
        instances = Instances(database, folder)
        for _ in range(_INSTANCES):
            await instances.start()
        async with editing(database, questions, then=_PASS_THE_TIME):
            for _ in range(_KILLS):
                is_busy.clear()
                await asyncio.to_thread(is_busy.wait, 30)
                await asyncio.sleep(random.uniform(0, 0.1))
                await instances.kill_one()
        await until(lambda: all_delivered(connection), 300)
        await instances.stop()
        events = await connection.fetchval("SELECT count(*) FROM changes")
        lost = await connection.fetchval(
            "SELECT count(*) FROM webhook_deliveries WHERE attempts > 1"
        )
        assert not hook.overlaps(lambda each: each.id)
        assert not hook.overlaps(lambda each: each.event["data"]["question_id"])
    await connection.close()
    arrivals.check(events)
    twice = len(delivered) - events
    finding.record(
        f"{events} events, all delivered, {lost} of them after more than one attempt, {twice} twice"
    )


@pytest.mark.fault(
    f"a webhook's receiver hangs and another is down, for {_DOWN} s, beside one that works",
    "0 failed reads; the one that works gets each event within 5 s; the others get every event, "
    "in the order of its question, once they are back",
)
async def test_receivers_that_do_not_answer_delay_neither_pages_nor_other_receivers(
    database: str, finding: Finding
) -> None:
    is_back = threading.Event()
    received = {name: _Arrivals() for name in ("works", "hangs", "down")}

    def hang(request: Received) -> int:
        if not is_back.is_set():
            is_back.wait(_HANG_SECONDS)
            return 503
        return received["hangs"].add(request)

    connection = await connect(database)
    port = free_port()
    with (
        receiver(received["works"].add) as works,
        receiver(hang) as hangs,
        temporary_folder() as folder,
    ):
        for url in (works.url, hangs.url, f"http://127.0.0.1:{port}/hook"):
            await Endpoints(connection.fetch).add(url, EVENTS, "test")
        products = await add_products(connection)
        questions = [await Data(connection).question(7) for _ in range(_QUESTIONS)]
        instances = Instances(database, folder)
        await instances.start()
        async with reading(instances.socket, products, _READS) as samples:
            async with editing(database, questions):
                await asyncio.sleep(_DOWN)
            start = time.monotonic()
            await until(lambda: is_delivered(connection, works.url))
            seconds = time.monotonic() - start
            assert not received["hangs"].positions
            is_back.set()
            with receiver(received["down"].add, port=port):
                await until(lambda: all_delivered(connection), 300)
        await instances.stop()
    events = await connection.fetchval("SELECT count(*) FROM changes")
    await connection.close()
    assert samples.faults == {}
    for arrivals in received.values():
        arrivals.check(events)
    finding.record(f"{len(samples.all)} reads, {samples.faults.total()} failed")
    finding.record(f"p99 {percentile(samples.all, 0.99) * 1000:.3g} ms")
    finding.record(f"{events} events, all delivered to each of the three")
    finding.within("the one that works had the last within", seconds, 5)


class _Arrivals:
    """The events that a receiver accepted."""

    def __init__(self) -> None:
        self.positions: dict[int, list[int]] = defaultdict(list)
        """By question, in the order of their first arrival."""

    def add(self, request: Received) -> int:
        event = request.event["data"]
        if event["position"] not in self.positions[event["question_id"]]:
            self.positions[event["question_id"]].append(event["position"])
        return 204

    def check(self, events: int) -> None:
        """Fail unless all events arrived, those of each question in their order."""
        assert sum(map(len, self.positions.values())) == events
        assert all(positions == sorted(positions) for positions in self.positions.values())


async def all_delivered(connection: asyncpg.Connection) -> bool:
    """Return whether all endpoints have all events; let the next attempts be due otherwise."""
    await connection.execute(_PASS_THE_TIME)
    return await is_delivered(connection, "%")


async def is_delivered(connection: asyncpg.Connection, urls: str) -> bool:
    """Return whether the endpoints whose URLs are like `urls` have all events."""
    pending: int = await connection.fetchval(_PENDING, urls)
    return pending == 0
