"""Failover to a promoted standby, which instances find by themselves."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from tests.chaos.assertions import assert_documents_are_the_view
from tests.chaos.findings import Finding
from tests.chaos.plan import quick_or_full
from tests.chaos.service import connected
from tests.standby.instances import running_instances
from tests.standby.servers import Group, prepare, temporary_group
from tests.standby.shoppers import Seen, assert_kept, busy, shopping

_SHOPPERS = 8
_READS = quick_or_full(200, 1000)


@pytest.fixture
async def group() -> AsyncIterator[Group]:
    """Return a primary with a synchronous standby."""
    with temporary_group() as made:
        await prepare(made, standbys=1)
        await made.primary.configure("synchronous_standby_names", "*")
        yield made


@pytest.fixture
def instances(group: Group) -> Iterator[Sequence[Path]]:
    """Return the sockets of instances that know both servers, but not their roles."""
    with running_instances(group.url, group.url) as sockets:
        yield sockets


@pytest.mark.fault(
    "primary killed (-9) under reads and writes, synchronous standby promoted",
    "0 acknowledged writes lost or hidden, 0 failed reads; documents equal the view; "
    "writes again within 30 s",
)
async def test_failover_neither_loses_nor_hides_acknowledged_writes(
    group: Group, instances: Sequence[Path], finding: Finding
) -> None:
    [standby] = group.standbys
    async with shopping(instances, shoppers=_SHOPPERS) as everyone, busy(everyone) as seen:
        await seen.more(reads=_READS)
        group.primary.kill()
        await seen.more(reads=_READS)  # from the standby alone
        await asyncio.to_thread(standby.promote)
        promoted = time.monotonic()
        await seen.more(writes=1)
        finding.within("writes again after the promotion within", time.monotonic() - promoted, 5)
        await seen.more(reads=_READS)
    assert_nothing_failed_but_writes(seen)
    async with connected(standby.url) as connection:
        for shopper in everyone:
            await assert_kept(connection, shopper)
        await assert_documents_are_the_view(connection)
    finding.record(f"{seen.writes[201] + seen.writes[204]} writes acknowledged, none lost")


def assert_nothing_failed_but_writes(seen: Seen) -> None:
    assert seen.stale == []
    assert set(seen.reads) == {200}
    # How many writes meet the time without a primary is up to the machine.
    assert {201, 204} <= set(seen.writes) <= {201, 204, 503}
