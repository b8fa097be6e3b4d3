"""Instances that crash, hang and are replaced, without failed reads."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import asyncpg
import pytest

from atelier.local.cluster.readiness import is_ready
from tests.chaos.assertions import assert_documents_are_the_view, assert_written_once
from tests.chaos.clients import reading
from tests.chaos.findings import Finding
from tests.chaos.known_products import KnownProducts
from tests.chaos.measure import LOST, longest, percentile
from tests.chaos.plan import quick_or_full
from tests.chaos.service import INSTANCES, Service, pages_served, socket_of
from tests.chaos.writers import writing
from tests.support.processes import Process
from tests.support.waiting import until

_READS = quick_or_full(200, 500)
_HANGS = quick_or_full(7, 20)


@pytest.mark.fault(
    f"kill -9 one of three instances under {_READS} reads/s",
    "0 failed reads; back in service by itself within 5 s",
)
async def test_killed_instance_fails_no_read_and_is_replaced(
    service: Service, products: KnownProducts, finding: Finding
) -> None:
    async with reading(service.address, products, _READS) as samples:
        ready, back = [], []
        for _ in range(quick_or_full(1, 3)):
            await asyncio.sleep(1)
            victim = random.choice(service.instances())
            killed = time.monotonic()
            os.kill(victim.pid, signal.SIGKILL)
            ready.append(await back_in_service(service, victim) - killed)
            back.append(time.monotonic() - killed)
        await asyncio.sleep(1)
    finding.record(f"{len(samples.all)} reads, {samples.faults.total()} failed")
    assert samples.faults == {}
    finding.record(f"slowest {longest(samples.all):.2g} s")
    finding.record(f"ready again within {max(ready):.3g} s")
    finding.within("served by it again within", max(back), 5)


async def back_in_service(service: Service, victim: Process) -> float:
    """Wait until the replacement serves pages; return the time at which it was ready."""
    socket = socket_of(victim)

    async def serves() -> bool:
        return await pages_served(socket) > 0

    await until(partial(is_ready, socket))
    ready = time.monotonic()
    await until(serves)
    assert len(service.instances()) == INSTANCES
    return ready


@pytest.mark.fault(
    "kill -9 an instance under votes and posts, sent again with the same Idempotency-Key",
    "every acknowledged write is there once, none twice",
)
async def test_killed_instances_neither_lose_nor_repeat_acknowledged_writes(
    service: Service, connection: asyncpg.Connection, finding: Finding
) -> None:
    async with writing(service.address, connection, 100, LOST) as (samples, writers):
        for _ in range(quick_or_full(2, 10)):
            await asyncio.sleep(0.7)
            victim = random.choice(service.instances())
            os.kill(victim.pid, signal.SIGKILL)
            await back_in_service(service, victim)
    written = await assert_written_once(connection, writers)
    finding.record(f"{written} writes, {len(samples.of(*LOST))} requests lost and sent again")
    assert samples.faults == {}
    await assert_documents_are_the_view(connection)


@pytest.mark.fault(
    f"SIGSTOP of an instance for {_HANGS} s under {_READS} reads/s",
    "p99 back to normal within the proxy's timeout; 0 failed reads",
)
async def test_hanging_instance_fails_no_read(
    service: Service, products: KnownProducts, finding: Finding
) -> None:
    victim = random.choice(service.instances())
    async with reading(service.address, products, _READS) as samples:
        await asyncio.sleep(3)
        stopped = time.monotonic()
        with stopped_process(victim):
            await asyncio.sleep(_HANGS)
        await asyncio.sleep(1)
    finding.record(f"{len(samples.all)} reads, {samples.faults.total()} failed")
    assert samples.faults == {}
    before = percentile(samples.since(0, stopped), 0.99)
    finding.record(f"p99 {before * 1000:.0f} ms before")
    timeout = service.proxy_timeout
    finding.within("slowest", longest(samples.all), timeout + 1)
    later = samples.since(stopped + timeout, stopped + _HANGS)
    finding.within("p99 while it hangs", percentile(later, 0.99), 10 * before)


@contextmanager
def stopped_process(process: Process) -> Iterator[None]:
    """Stop a process (SIGSTOP) while the context lasts."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it was replaced
            os.kill(process.pid, signal.SIGCONT)
