"""A read standby that crashes, hangs or lags."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from tests.chaos.findings import Finding
from tests.chaos.plan import quick_or_full
from tests.standby.instances import running_instances
from tests.standby.servers import Group, Node, prepare, temporary_group
from tests.standby.shoppers import Seen, busy, shopping

_SHOPPERS = 8
_DEATHS = quick_or_full(2, 10)
_READS = quick_or_full(200, 1000)
_MUST_SHOW = "0 failed reads; every write shows on the next read; the standby is used again"


@pytest.fixture(scope="module")
async def group() -> AsyncIterator[Group]:
    with temporary_group() as made:
        await prepare(made, standbys=1)
        yield made


@pytest.fixture(scope="module")
def instances(group: Group) -> Iterator[Sequence[Path]]:
    with running_instances(group.primary.url, group.standbys[0].url) as sockets:
        yield sockets


@pytest.mark.fault(f"standby killed and started again, {_DEATHS} times", _MUST_SHOW)
async def test_crashed_standby_causes_no_stale_or_failed_read(
    group: Group, instances: Sequence[Path], finding: Finding
) -> None:
    [standby] = group.standbys
    async with shopping(instances, shoppers=_SHOPPERS) as everyone, busy(everyone) as seen:
        for _ in range(_DEATHS):
            await standby.until_read_from()
            standby.kill()
            await seen.more(reads=200)
            await asyncio.to_thread(standby.start)
        await assert_used_again(standby, finding)
    assert_no_stale_or_failed_read(seen, finding)


@pytest.mark.fault("standby hangs (SIGSTOP)", _MUST_SHOW)
async def test_hanging_standby_fails_no_read(
    group: Group, instances: Sequence[Path], finding: Finding
) -> None:
    [standby] = group.standbys
    async with shopping(instances, shoppers=_SHOPPERS) as everyone, busy(everyone) as seen:
        await standby.until_read_from()
        standby.hang()
        await seen.more(reads=_READS)
        standby.wake()
        await assert_used_again(standby, finding)
    assert_no_stale_or_failed_read(seen, finding)


@pytest.mark.fault("standby lags without end (replay paused)", _MUST_SHOW)
async def test_paused_replay_causes_no_stale_or_failed_read(
    group: Group, instances: Sequence[Path], finding: Finding
) -> None:
    [standby] = group.standbys
    async with shopping(instances, shoppers=_SHOPPERS) as everyone, busy(everyone) as seen:
        await standby.until_read_from()
        await standby.run("SELECT pg_wal_replay_pause()")
        await seen.more(reads=_READS)
        await standby.run("SELECT pg_wal_replay_resume()")
        await assert_used_again(standby, finding)
    assert_no_stale_or_failed_read(seen, finding)


async def assert_used_again(standby: Node, finding: Finding) -> None:
    back = time.monotonic()
    await standby.until_read_from()
    finding.within("used again within", time.monotonic() - back, 5)


def assert_no_stale_or_failed_read(seen: Seen, finding: Finding) -> None:
    finding.record(f"{seen.reads.total()} reads after as many writes, {len(seen.stale)} old")
    assert seen.stale == []
    assert set(seen.reads) == {200}
    assert set(seen.writes) <= {201, 204}
