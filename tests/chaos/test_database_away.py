"""The database is away, or does not answer: every client is told so, in time, and all recovers."""

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
from tests.chaos.tcp_proxy import TcpProxy, running_gate
from tests.chaos.writers import writing
from tests.support.postgres import temporary_folder
from tests.support.waiting import until

_AWAY = quick_or_full(4, 30)
_HOLE = quick_or_full(4, 15)
_DEADLINE = quick_or_full(2.0, 5.0)
_RATE = quick_or_full(100, 300)
_SETTLED = 2.0
_MEGABYTE = 1 << 20


@dataclass
class Away:
    """A service whose PostgreSQL, behind a gate, can be taken away."""

    service: Service
    postgres: Postgres
    gate: TcpProxy
    products: KnownProducts


@pytest.fixture(scope="module")
async def away() -> AsyncIterator[Away]:
    with temporary_folder() as folder, ExitStack() as stack:
        postgres = stack.enter_context(running_postgres(folder))
        gate = stack.enter_context(running_gate(postgres.socket))
        await migrate(postgres.dsn)
        async with connected(postgres.dsn) as connection:
            products = await add_products(connection)
        url = f"postgresql://{USER}@127.0.0.1:{gate.port}/postgres"
        settings = {"ATELIER_DATABASE_URL": url, "ATELIER_REQUEST_TIMEOUT": str(_DEADLINE)}
        service = stack.enter_context(serving(folder, **settings))
        yield Away(service, postgres, gate, products)


@asynccontextmanager
async def busy(away: Away) -> AsyncIterator[tuple[Samples, Samples]]:
    """Read and write while the context lasts; yield what the readers and the writers note."""
    address = away.service.address
    async with (
        connected(away.postgres.dsn) as connection,
        reading(address, away.products, _RATE, UNAVAILABLE) as reads,
        writing(address, connection, 50, UNAVAILABLE) as (writes, _),
    ):
        yield reads, writes


@pytest.mark.fault(
    f"PostgreSQL stopped for {_AWAY} s",
    "503 with Retry-After within 1 s for each request; no growth of memory; recovery within 2 s",
)
async def test_clients_are_told_at_once_while_the_database_is_stopped(
    away: Away, finding: Finding
) -> None:
    async with busy(away) as (reads, writes):
        await asyncio.sleep(1)
        stopped = time.monotonic()
        await asyncio.to_thread(away.postgres.stop)
        await asyncio.sleep(_SETTLED)
        before = resident(away.service.instances())
        assert await _status(away.service, "/ready") == 503
        await asyncio.sleep(_AWAY - _SETTLED)
        grown = resident(away.service.instances()) - before
        assert await _status(away.service, "/live") == 200
        await asyncio.to_thread(away.postgres.start)
        accepting = time.monotonic()
        await until_read(reads, accepting)
        await asyncio.sleep(2)
    assert reads.faults + writes.faults == {}
    refused = [*reads.of(503), *writes.of(503)]
    finding.note(f"{len(refused)} answers 503 with Retry-After, no other failure")
    told = [*reads.since(stopped, accepting), *writes.since(stopped, accepting)]
    finding.within("slowest", longest(told), 1)
    finding.within("memory grew by", grown / _MEGABYTE, 5, "MB")
    finding.within("recovered within", max(0, *(s.end - accepting for s in refused)), 2)


@pytest.mark.fault(
    f"connection to PostgreSQL black-holed for {_HOLE} s",
    f"every request answered within its deadline ({_DEADLINE} s)",
)
async def test_every_request_is_answered_in_time_while_the_database_says_nothing(
    away: Away, finding: Finding
) -> None:
    async with busy(away) as (reads, writes):
        await asyncio.sleep(1)
        with away.gate.black_hole():
            await asyncio.sleep(_HOLE)
        await until_read(reads, time.monotonic())
        await asyncio.sleep(_DEADLINE)
    assert reads.faults + writes.faults == {}
    finding.note(f"{len(reads.of(503)) + len(writes.of(503))} answers 503, no other failure")
    finding.within("slowest", longest([*reads.all, *writes.all]), _DEADLINE + 0.3)


async def until_read(reads: Samples, moment: float) -> None:
    """Wait until a read that was due after a moment is answered with its page."""

    async def is_read() -> bool:
        return any(sample.status == HTTPStatus.OK for sample in reads.since(moment))

    await until(is_read)


async def _status(service: Service, path: str) -> int:
    connection = Connection(service.address)
    try:
        return (await connection.request("GET", path)).status
    finally:
        connection.close()
