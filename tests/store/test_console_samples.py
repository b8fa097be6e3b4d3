"""The figures of the console are those of the instances' counters."""

from datetime import UTC, datetime, timedelta

import pytest

from atelier.http.console.overview import _with_quantiles
from atelier.metrics import SECONDS
from atelier.store.connections.database import Database, connect
from atelier.store.console.samples import KEPT, Sample, Samples

_NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def sample(instance: str, requests: int, *, errors: int = 0, slow: int = 0) -> Sample:
    """Return a sample after so many responses within 1 ms, the slow ones within 2 s."""
    buckets = [requests - slow if bound < 2 else requests for bound in SECONDS] + [requests]
    batches = requests // 2
    return Sample(
        *(instance, _NOW, requests, errors, buckets, batches, requests, 3),
        *(4, 1, requests / 100, 50_000_000, "1.0"),
    )


@pytest.fixture
async def samples(database: str) -> Samples:
    return Samples(Database(database, size=2, timeout=5))


async def store(database: str, samples: Samples, each: Sample, seconds: int) -> None:
    """Add a sample as if at a time, in seconds after _NOW."""
    await samples.add(each)
    connection = await connect(database)
    await connection.execute(
        "UPDATE instance_samples SET at = $1 WHERE at = (SELECT max(at) FROM instance_samples)",
        _NOW + timedelta(seconds=seconds) if seconds is not None else None,
    )
    await connection.close()


async def test_rates_of_all_instances_are_added_up_per_step(
    database: str, samples: Samples
) -> None:
    for seconds, first, second in ((-5, 100, 1000), (5, 200, 1050), (15, 400, 1050)):
        await store(database, samples, sample("a", first), seconds)
        await store(database, samples, sample("b", second, errors=seconds + 5), seconds + 1)
    found = await samples.series(_NOW, 10)
    assert [
        (row["step"] - _NOW.timestamp(), row["instances"], row["requests"], row["errors"])
        for row in found
    ] == [(0, 2, 15, 1), (10, 2, 20, 1)]
    assert [(row["batches"], row["batch_keys"]) for row in found] == [(75, 150), (100, 200)]
    assert [row["waiting"] for row in found] == [6, 6]


async def test_a_new_process_of_an_instance_starts_from_nothing(
    database: str, samples: Samples
) -> None:
    await store(database, samples, sample("a", 5000), -5)
    restarted = sample("a", 10)._replace(started_at=_NOW)
    for seconds, requests in ((1, 10), (6, 20)):
        each = sample("a", requests)._replace(started_at=_NOW + timedelta(seconds=1))
        await store(database, samples, each, seconds)
    assert restarted.requests == 10
    [row] = await samples.series(_NOW, 10)
    assert (row["instances"], row["requests"]) == (1, 2)


async def test_quantiles_are_those_of_the_responses_of_a_step(
    database: str, samples: Samples
) -> None:
    await store(database, samples, sample("a", 1000), -5)
    await store(database, samples, sample("a", 1100, slow=2), 5)
    [row] = await samples.series(_NOW, 10)
    point = _with_quantiles(row)
    assert point["p50"] < 0.001
    assert 1 < point["p99"] <= 2


async def test_the_table_of_instances_shows_the_last_minute_of_each(
    database: str, samples: Samples
) -> None:
    now = datetime.now(UTC)
    for ago, requests in ((120, 0), (40, 100), (10, 400)):
        await store(
            database, samples, sample("a", requests), int((now - _NOW).total_seconds()) - ago
        )
    [row] = await samples.instances(timedelta(seconds=60), timedelta(seconds=60))
    assert row["requests"] == pytest.approx(10)
    assert 9 < row["age_seconds"] < 40
    assert (row["connections"], row["idle_connections"]) == (4, 1)


async def test_samples_are_deleted_after_a_while(database: str, samples: Samples) -> None:
    now = int((datetime.now(UTC) - _NOW).total_seconds())
    await store(database, samples, sample("old", 1), now - int(KEPT.total_seconds()) - 60)
    await store(database, samples, sample("new", 1), now - 60)
    await samples.delete_old()
    connection = await connect(database)
    assert await connection.fetchval("SELECT array_agg(instance) FROM instance_samples") == ["new"]
    await connection.close()
