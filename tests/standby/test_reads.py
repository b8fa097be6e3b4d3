"""Pages are read from the standby, and are never stale."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from tests.standby.instances import running_instances
from tests.standby.servers import Group, prepare, temporary_group
from tests.standby.shoppers import busy, shopping
from tests.support.waiting import until


@pytest.fixture(scope="module")
async def group() -> AsyncIterator[Group]:
    with temporary_group() as made:
        await prepare(made, standbys=1)
        yield made


@pytest.fixture(scope="module")
def instances(group: Group) -> Iterator[Sequence[Path]]:
    with running_instances(group.primary.url, group.standbys[0].url) as sockets:
        yield sockets


async def test_pages_are_read_from_the_standby_and_not_from_the_primary(
    group: Group, instances: Sequence[Path]
) -> None:
    async with shopping(instances, shoppers=1) as [shopper]:
        standby, primary = group.standbys[0], group.primary

        async def hundreds_come_from_the_standby_alone() -> bool:
            """Keep reading, because the standby may lag at times on a busy machine."""
            read_before = await primary.pages_read()
            enough = await standby.pages_read() + 200
            while await standby.pages_read() < enough:
                for _ in range(20):
                    await shopper.read()
            return await primary.pages_read() < read_before + 20

        await until(hundreds_come_from_the_standby_alone, seconds=120)
        assert shopper.seen.stale == []
        assert set(shopper.seen.reads) == {200}


async def test_write_is_visible_at_once_on_every_instance_while_the_standby_lags(
    group: Group, instances: Sequence[Path]
) -> None:
    [standby] = group.standbys
    async with shopping(instances, shoppers=8) as clients, busy(clients) as seen:
        await standby.until_read_from()
        await standby.configure("recovery_min_apply_delay", "30ms")
        await seen.more(reads=200)
        await standby.configure("recovery_min_apply_delay", "0")
        await standby.until_read_from()
        await seen.more(reads=200)
    assert seen.stale == []
    assert set(seen.reads) == {200}
    assert set(seen.writes) == {201, 204}
