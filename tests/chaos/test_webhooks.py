"""Instances are killed while they send events to a webhook."""

import asyncio
import random
import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from atelier.store.connections.database import connect
from atelier.store.webhooks.endpoints import EVENTS, Endpoints
from tests.chaos.findings import Finding
from tests.chaos.plan import quick_or_full
from tests.support.cluster import program, wait_until_ready
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
_PENDING = """
    SELECT count(*) FROM changes c
    WHERE c.position IS NULL OR NOT EXISTS (
        SELECT FROM webhook_deliveries d WHERE d.position = c.position AND d.state = 'delivered')"""
_PASS_THE_TIME = """
    UPDATE webhook_deliveries SET due_at = now()
    WHERE state = 'pending' AND leased_until IS NULL AND due_at < 'infinity'"""


class Instances:
    """Running instances; a killed one is replaced."""

    def __init__(self, database: str, folder: Path) -> None:
        self._settings = {
            "ATELIER_DATABASE_URL": database,
            "ATELIER_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "ATELIER_WEBHOOK_TIMEOUT": "1",
        }
        self._folder = folder
        self._stack = AsyncExitStack()
        self._running: list[Popen[bytes]] = []
        self._started = 0

    async def start(self) -> None:
        self._started += 1
        socket = self._folder / f"{self._started}.sock"
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
async def editing(database: str, questions: list[int]) -> AsyncIterator[None]:
    """Edit questions in the background."""
    connection = await connect(database)

    async def edit() -> None:
        while True:
            await connection.execute(
                "UPDATE questions SET body = left(body, 900) || $2 WHERE id = $1",
                random.choice(questions),
                f"{random.randrange(10**9)}",
            )
            await connection.execute(_PASS_THE_TIME)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(edit())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


@pytest.mark.fault(
    f"kill -9 an instance that sends events, {_KILLS} times, to a receiver that fails now and then",
    "every event delivered at least once, in the order of its question, none twice at once",
)
async def test_every_event_is_delivered_though_its_senders_are_killed(
    database: str, finding: Finding
) -> None:
    is_busy = threading.Event()
    delivered: list[Received] = []

    def answer(request: Received) -> int:
        is_busy.set()
        threading.Event().wait(random.uniform(0.02, 0.2))
        if random.random() < 0.1:
            return 503
        delivered.append(request)
        return 204

    connection = await connect(database)
    with receiver(answer) as hook, temporary_folder() as folder:
        await Endpoints(connection.fetch).add(hook.url, EVENTS, "test")
        questions = [await Data(connection).question(7) for _ in range(_QUESTIONS)]
        instances = Instances(database, folder)
        for _ in range(_INSTANCES):
            await instances.start()
        async with editing(database, questions):
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
    first_arrivals: dict[int, list[int]] = defaultdict(list)
    for request in delivered:
        event = request.event["data"]
        if event["position"] not in first_arrivals[event["question_id"]]:
            first_arrivals[event["question_id"]].append(event["position"])
    assert sum(map(len, first_arrivals.values())) == events
    assert all(positions == sorted(positions) for positions in first_arrivals.values())
    twice = len(delivered) - events
    finding.record(
        f"{events} events, all delivered, {lost} of them after more than one attempt, {twice} twice"
    )


async def all_delivered(connection: asyncpg.Connection) -> bool:
    await connection.execute(_PASS_THE_TIME)
    pending: int = await connection.fetchval(_PENDING)
    return pending == 0
