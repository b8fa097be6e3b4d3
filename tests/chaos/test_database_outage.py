"""Database outages: every request gets a timely response, and the service recovers."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import pytest

from atelier.local.postgres.server import USER
from atelier.store.migrate import migrate
from tests.chaos.clients import reading
from tests.chaos.connection import Connection
from tests.chaos.findings import Finding
from tests.chaos.known_products import KnownProducts, add_products
from tests.chaos.measure import UNAVAILABLE, Samples, longest
from tests.chaos.plan import quick_or_full
from tests.chaos.postgres import Postgres, running_postgres
from tests.chaos.service import Service, connected, resident, serving
from tests.chaos.tcp_proxy import TcpProxy, running_proxy
from tests.chaos.writers import writing
from tests.support.postgres import temporary_folder
from tests.support.waiting import until

_OUTAGE_SECONDS = quick_or_full(4, 30)
_BLACK_HOLE_SECONDS = quick_or_full(4, 15)
_DEADLINE = quick_or_full(2.0, 5.0)
_RATE = quick_or_full(100, 300)
_SETTLE_SECONDS = 2.0
_MEGABYTE = 1 << 20


@dataclass
class Outage:
    """A service with its PostgreSQL behind a proxy, to simulate outages."""

    service: Service
    postgres: Postgres
    proxy: TcpProxy
    products: KnownProducts


@pytest.fixture(scope="module")
async def outage() -> AsyncIterator[Outage]:
    with temporary_folder() as folder, ExitStack() as stack:
        postgres = stack.enter_context(running_postgres(folder))
        proxy = stack.enter_context(running_proxy(postgres.socket))
        await migrate(postgres.dsn)
        async with connected(postgres.dsn) as connection:
            products = await add_products(connection)
        url = f"postgresql://{USER}@127.0.0.1:{proxy.port}/postgres"
        settings = {"ATELIER_DATABASE_URL": url, "ATELIER_REQUEST_TIMEOUT": str(_DEADLINE)}
        service = stack.enter_context(serving(folder, **settings))
        yield Outage(service, postgres, proxy, products)


@asynccontextmanager
async def busy(outage: Outage) -> AsyncIterator[tuple[Samples, Samples]]:
    """Read and write while the context lasts; yield the samples of readers and writers."""
    address = outage.service.address
    async with (
        connected(outage.postgres.dsn) as connection,
        reading(address, outage.products, _RATE, UNAVAILABLE) as reads,
        writing(address, connection, 50, UNAVAILABLE) as (writes, _),
    ):
        yield reads, writes


@pytest.mark.fault(
    f"PostgreSQL stopped for {_OUTAGE_SECONDS} s",
    "503 with Retry-After within 1 s for each request; no growth of memory; recovery within 2 s",
)
async def test_requests_fail_fast_while_the_database_is_stopped(
    outage: Outage, finding: Finding
) -> None:
    async with busy(outage) as (reads, writes):
        await asyncio.sleep(1)
        stopped = time.monotonic()
        await asyncio.to_thread(outage.postgres.stop)
        await asyncio.sleep(_SETTLE_SECONDS)
        before = resident(outage.service.instances())
        assert await _status(outage.service, "/ready") == 503
        await asyncio.sleep(_OUTAGE_SECONDS - _SETTLE_SECONDS)
        grown = resident(outage.service.instances()) - before
        assert await _status(outage.service, "/live") == 200
        await asyncio.to_thread(outage.postgres.start)
        accepting = time.monotonic()
        await until_read(reads, accepting)
        await asyncio.sleep(2)
    assert reads.faults + writes.faults == {}
    refused = [*reads.of(503), *writes.of(503)]
    finding.record(f"{len(refused)} answers 503 with Retry-After, no other failure")
    samples = [*reads.since(stopped, accepting), *writes.since(stopped, accepting)]
    finding.within("slowest", longest(samples), 1)
    finding.within("memory grew by", grown / _MEGABYTE, 5, "MB")
    finding.within("recovered within", max(0, *(s.end - accepting for s in refused)), 2)


@pytest.mark.fault(
    f"connection to PostgreSQL black-holed for {_BLACK_HOLE_SECONDS} s",
    f"every request answered within its deadline ({_DEADLINE} s)",
)
async def test_requests_meet_their_deadline_while_the_database_is_unresponsive(
    outage: Outage, finding: Finding
) -> None:
    async with busy(outage) as (reads, writes):
        await asyncio.sleep(1)
        with outage.proxy.black_hole():
            await asyncio.sleep(_BLACK_HOLE_SECONDS)
        await until_read(reads, time.monotonic())
        await asyncio.sleep(_DEADLINE)
    assert reads.faults + writes.faults == {}
    finding.record(f"{len(reads.of(503)) + len(writes.of(503))} answers 503, no other failure")
    finding.within("slowest", longest([*reads.all, *writes.all]), _DEADLINE + 0.3)


async def until_read(reads: Samples, start: float) -> None:
    """Wait until a read due after `start` succeeds."""

    async def is_read() -> bool:
        return any(sample.status == HTTPStatus.OK for sample in reads.since(start))

    await until(is_read)


async def _status(service: Service, path: str) -> int:
    connection = Connection(service.address)
    try:
        return (await connection.request("GET", path)).status
    finally:
        connection.close()
