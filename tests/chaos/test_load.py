"""Overload, and slow clients."""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from atelier.local.nginx.nginx import MAX_OPEN_FILES
from tests.chaos import slow
from tests.chaos.clients import reading, reading_page
from tests.chaos.connection import Connection
from tests.chaos.findings import Finding
from tests.chaos.known_products import KnownProducts
from tests.chaos.measure import UNAVAILABLE, Samples, longest, percentile
from tests.chaos.plan import quick_or_full
from tests.chaos.service import Service
from tests.support.cluster import program
from tests.support.data import new_product_id
from tests.support.parts import open_files_or_skip

_SLOW = 500
_READS = 200
_ROUNDS = quick_or_full(1, 3)
_ROUND = quick_or_full(2.0, 8.0)
_OVERLOAD = quick_or_full(4.0, 60.0)
_LATER = quick_or_full(UNAVAILABLE, frozenset())  # only the full set has the machine alone
_BUSY = 100
_MANY = """
    WITH asked AS (
        INSERT INTO questions (product_id, body, asker_name, asker_email)
        SELECT $1, repeat('Does it fit? ', 20), 'jane', 'jane@example.com'
        FROM generate_series(1, 100)
        RETURNING id)
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT id, repeat('It does. ', 30), 'joe', 'joe@example.com'
    FROM asked CROSS JOIN generate_series(1, 4)
"""


@pytest.mark.fault(
    f"{_SLOW} slow clients (1 byte/s)", "other clients' p99 unchanged within 20 %; 0 failed reads"
)
async def test_slow_clients_do_not_affect_others(
    service: Service, products: KnownProducts, finding: Finding
) -> None:
    without, during = [], []
    async with reading(service.address, products, _READS) as samples:
        for _ in range(_ROUNDS):
            without.append(await p99_of_a_round(samples))
            with program([sys.executable, slow.__file__, str(service.port), str(_SLOW)]):
                await asyncio.sleep(1)
                during.append(await p99_of_a_round(samples))
    finding.record(f"{len(samples.all)} reads, {samples.faults.total()} failed")
    assert samples.faults == {}
    usual = statistics.median(without)
    finding.within("p99", statistics.median(during) * 1000, 1.2 * usual * 1000, "ms")


async def p99_of_a_round(samples: Samples) -> float:
    start = time.monotonic()
    await asyncio.sleep(_ROUND)
    return percentile(samples.since(start), 0.99)


@pytest.mark.fault(
    f"twice the saturation rate, {_OVERLOAD:.0f} s",
    "goodput at least 80 % of saturation, the rest 503; recovery at once",
)
async def test_overloaded_service_keeps_its_throughput_and_rejects_the_rest(
    service: Service, connection: asyncpg.Connection, finding: Finding
) -> None:
    open_files_or_skip(MAX_OPEN_FILES)  # with fewer, nginx resets connections instead of rejecting
    target, body = await expensive_page(service, connection)
    with pinned_to_cores(service):
        saturated = await saturation(service, target, body)
        start, began = time.monotonic(), datetime.now(UTC)
        async with reading_page(
            service.address, target, body, 2 * saturated, UNAVAILABLE
        ) as samples:
            await asyncio.sleep(_OVERLOAD)
        good = len(samples.of(200)) / (time.monotonic() - start)
        async with reading_page(service.address, target, body, saturated / 4, _LATER) as later:
            await asyncio.sleep(1)
    assert samples.faults + later.faults == {}
    finding.record(
        f"saturation {saturated:.0f}/s; at twice that {len(samples.of(503))} answers 503"
    )
    finding.at_least("goodput", 100 * good / saturated, 80, "%")
    served, refused = (logged(service, began, status) for status in (200, 503))
    finding.record(f"in nginx's log: 200 within {max(served):.2g} s")
    finding.within("503 within", max(refused, default=0), 1)
    finding.within("slowest afterwards", longest(later.all), 1)


async def expensive_page(service: Service, connection: asyncpg.Connection) -> tuple[str, bytes]:
    """Add a product with an expensive page; return its target and body."""
    product_id = new_product_id()
    await connection.execute(_MANY, product_id)
    target = f"/qa/questions?product_id={product_id}&count=100"
    client = Connection(service.address)
    answer = await client.request("GET", target)
    client.close()
    assert len(json.loads(answer.body)["results"]) == 100
    return target, answer.body


@contextmanager
def pinned_to_cores(service: Service) -> Iterator[None]:
    """Pin the service to one core, so that another is free for the clients."""
    cores = sorted(os.sched_getaffinity(0))
    processes = [os.getpid(), *(process.pid for process in service.processes())]
    try:
        for process in processes:
            _pin(process, {cores[0]})
        _pin(os.getpid(), {cores[-1]})
        yield
    finally:
        for process in processes:
            _pin(process, set(cores))


def _pin(process: int, cores: set[int]) -> None:
    for thread in Path(f"/proc/{process}/task").glob("*"):
        os.sched_setaffinity(int(thread.name), cores)


def logged(service: Service, began: datetime, status: int) -> list[float]:
    """Return the durations, in seconds, of requests with a status since a time, from nginx's log.

    At these rates the clients themselves are late, so their measurements are useless. The log may
    have been rotated since.
    """
    files = service.access_log.parent.glob(service.access_log.name + "*")
    lines = (line for file in files for line in file.read_text().splitlines())
    found = (json.loads(line) for line in lines if f'"status":{status},' in line)
    return [each["seconds"] for each in found if datetime.fromisoformat(each["time"]) > began]


async def saturation(service: Service, target: str, body: bytes) -> float:
    """Return the pages per second that closed-loop clients receive."""
    served = 0
    end = time.monotonic() + _ROUND

    async def run_client() -> None:
        nonlocal served
        client = Connection(service.address)
        while time.monotonic() < end:
            answer = await client.request("GET", target)
            served += answer.body == body
        client.close()

    await asyncio.gather(*(run_client() for _ in range(_BUSY)))
    return served / _ROUND
