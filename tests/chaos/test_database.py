"""Kills PostgreSQL and its connections; no acknowledged write may be lost."""

import asyncio
import os
import signal
import time

import asyncpg
import pytest

from tests.chaos.assertions import assert_documents_are_the_view, assert_written_once
from tests.chaos.clients import reading
from tests.chaos.findings import Finding
from tests.chaos.known_products import KnownProducts
from tests.chaos.measure import UNAVAILABLE, Samples
from tests.chaos.plan import quick_or_full
from tests.chaos.service import Service, connected
from tests.chaos.writers import writing
from tests.support.waiting import until

_WRITES = quick_or_full(100, 200)
_KILLS = quick_or_full(2, 20)
_TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = 'atelier' AND pid <> pg_backend_pid()
"""


@pytest.mark.fault(
    f"kill -9 of PostgreSQL, {_KILLS} times, under {_WRITES} writes/s",
    "0 acknowledged writes lost; documents equal the view after each; "
    "service again within 5 s after PostgreSQL accepts",
)
async def test_killed_postgresql_loses_no_acknowledged_write(
    service: Service, connection: asyncpg.Connection, finding: Finding
) -> None:
    again = []
    async with writing(service.address, connection, _WRITES, UNAVAILABLE) as (samples, writers):
        for _ in range(_KILLS):
            await asyncio.sleep(1)
            os.kill(service.postmaster(), signal.SIGKILL)
            again.append(await written_again(samples, service.dsn))
            async with connected(service.dsn) as fresh:
                await assert_documents_are_the_view(fresh)
    async with connected(service.dsn) as fresh:
        written = await assert_written_once(fresh, writers)
    assert samples.faults == {}
    finding.record(f"{written} writes, none lost, none twice")
    finding.within("served again within", max(again), 5)


async def written_again(samples: Samples, dsn: str) -> float:
    """Return the seconds from when PostgreSQL accepts connections to the next write."""

    async def accepts() -> bool:
        try:
            await (await asyncpg.connect(dsn)).close()
        except (OSError, asyncpg.PostgresError):
            return False
        return True

    await until(accepts)
    accepting = time.monotonic()

    async def is_written() -> bool:
        return any(sample.status == 204 for sample in samples.since(accepting))

    await until(is_written)
    first = min(s.end for s in samples.since(accepting) if s.status == 204)
    return first - accepting


@pytest.mark.fault(
    "all database connections terminated (pg_terminate_backend) under reads", "0 failed reads"
)
async def test_terminated_connections_fail_no_read(
    service: Service, products: KnownProducts, connection: asyncpg.Connection, finding: Finding
) -> None:
    terminated = 0
    async with reading(service.address, products, quick_or_full(200, 500)) as samples:
        for _ in range(quick_or_full(5, 30)):
            await asyncio.sleep(0.3)
            terminated += await connection.fetchval(_TERMINATE)
        await asyncio.sleep(0.5)
    finding.record(f"{len(samples.all)} reads, {terminated} connections terminated")
    assert samples.faults == {}
    assert terminated > 0
