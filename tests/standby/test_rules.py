"""When reads from a standby are allowed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from atelier.store.connections.database import DatabaseUnavailableError
from atelier.store.connections.standby_reads import StandbyReads
from tests.standby.servers import Group, Node, prepare, temporary_group, together
from tests.support.waiting import until

_ASK = """
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    SELECT 1, 'Does it fit?', 'jane', 'jane@example.com' FROM generate_series(1, $1::int)
"""
_READ = "SELECT pg_is_in_recovery(), (SELECT count(*) FROM questions)"
# Written out up to the end of a page, because nothing waits for the transaction.
_WRITE_MUCH = "CREATE TABLE junk AS SELECT repeat('x', 300) FROM generate_series(1, 1000)"
_REST = "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"


@asynccontextmanager
async def standby_reads(
    primary: Node, *standbys: Node, max_lag: float = 600
) -> AsyncIterator[StandbyReads]:
    reads = StandbyReads(primary.url, together(*standbys), size=2, timeout=2.5, max_lag=max_lag)
    await reads.open()
    try:
        yield reads
    finally:
        await reads.close()


async def until_from_standby(reads: StandbyReads) -> None:
    async def is_from_standby() -> bool:
        return (await reads.read(_READ))[0][0] is True

    await until(is_from_standby)


@pytest.fixture
async def pair() -> AsyncIterator[Group]:
    with temporary_group() as made:
        await prepare(made, standbys=1)
        yield made


@pytest.fixture
async def three() -> AsyncIterator[Group]:
    with temporary_group() as made:
        await prepare(made, standbys=2)
        yield made


async def test_reads_from_a_standby_without_primary_end_after_max_lag(pair: Group) -> None:
    async with (
        standby_reads(pair.primary, *pair.standbys, max_lag=600) as long_lag,
        standby_reads(pair.primary, *pair.standbys, max_lag=0.5) as short_lag,
    ):
        for reads in (long_lag, short_lag):
            await until_from_standby(reads)
        pair.primary.kill()
        await asyncio.sleep(0.5)
        assert (await long_lag.read(_READ))[0][0] is True
        with pytest.raises(DatabaseUnavailableError):
            await short_lag.read(_READ)


async def test_standby_without_primary_is_read_from_though_its_last_record_is_incomplete(
    pair: Group,
) -> None:
    standby = pair.standbys[0]
    async with standby_reads(pair.primary, standby) as reads:
        await pair.primary.run(_ASK, 1)
        await until_from_standby(reads)
        connection = await asyncpg.connect(pair.primary.url)
        await connection.execute("BEGIN")
        await connection.execute(_WRITE_MUCH)

        async def ends_in_a_record() -> bool:
            [(rest,)] = await standby.run(_REST)
            return bool(rest)

        await until(ends_in_a_record)
        pair.primary.kill()

        async def is_read_from() -> bool:
            with suppress(DatabaseUnavailableError):
                return tuple((await reads.read(_READ))[0]) == (True, 1)
            return False

        await until(is_read_from)


async def test_standby_without_primary_serves_no_read_before_replaying_received_wal(
    pair: Group,
) -> None:
    standby = pair.standbys[0]
    async with standby_reads(pair.primary, standby) as reads:
        await until_from_standby(reads)
        await standby.run("SELECT pg_wal_replay_pause()")
        await pair.primary.run(_ASK, 1)
        [(position,)] = await pair.primary.run("SELECT pg_current_wal_flush_lsn()")

        async def is_received() -> bool:
            [(received,)] = await standby.run("SELECT pg_last_wal_receive_lsn()")
            return bool(received >= position)

        await until(is_received)
        pair.primary.kill()
        with pytest.raises(DatabaseUnavailableError):
            await reads.read(_READ)


async def test_standbys_without_primary_show_everything_that_one_of_them_received(
    three: Group,
) -> None:
    ahead, behind = three.standbys
    async with standby_reads(three.primary, ahead, behind) as reads:
        await until_from_standby(reads)
        await behind.configure("primary_conninfo", "")

        async def is_cut_off() -> bool:
            return await behind.run("SELECT FROM pg_stat_wal_receiver") == []

        await until(is_cut_off)
        await three.primary.configure("synchronous_standby_names", "*")
        await three.primary.run(_ASK, 1)
        three.primary.kill()
        for _ in range(50):
            assert tuple((await reads.read(_READ))[0]) == (True, 1)
            await asyncio.sleep(0.03)


async def test_diverged_standby_is_not_read_from(
    three: Group,
) -> None:
    promoted, ahead = three.standbys
    promoted.stop()
    await three.primary.run(_ASK, 1000)
    async with standby_reads(three.primary, ahead) as reads:
        await until_from_standby(reads)
    three.primary.kill()
    await asyncio.to_thread(promoted.start)
    await asyncio.to_thread(promoted.promote)
    async with standby_reads(promoted, ahead) as reads:
        for asked in range(1, 10):
            await promoted.run(_ASK, 1)
            assert tuple((await reads.read(_READ))[0]) == (False, asked)
            await asyncio.sleep(0.1)


async def test_standby_of_the_new_primary_is_read_from_again(three: Group) -> None:
    promoted, follower = three.standbys
    async with standby_reads(three.primary, follower) as reads:
        await until_from_standby(reads)
    three.primary.kill()
    await asyncio.to_thread(promoted.promote)
    await follower.follow(promoted)
    async with standby_reads(promoted, follower) as reads:
        asked = 0

        async def is_from_follower() -> bool:
            nonlocal asked
            await promoted.run(_ASK, 1)
            asked += 1
            [(from_standby, shown)] = await reads.read(_READ)
            assert shown == asked
            return bool(from_standby)

        await until(is_from_follower)
