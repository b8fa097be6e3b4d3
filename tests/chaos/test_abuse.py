"""A client that sends many times its rate limit."""

import asyncio
import json
import statistics
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple

import pytest

from atelier.settings import Settings
from bench import flood
from tests.chaos.clients import reading
from tests.chaos.findings import Finding
from tests.chaos.known_products import KnownProducts, add_products
from tests.chaos.measure import Samples, percentile
from tests.chaos.plan import quick_or_full
from tests.chaos.service import Service, connected, serving
from tests.support.cluster import program
from tests.support.postgres import temporary_folder

_LIMIT = Settings().rate_reads
_TIMES = 20
_FLOOD = int(_TIMES * _LIMIT)
_ABUSER = "127.0.0.2"
_MAX_SECONDS = 600
_OTHERS = [f"127.0.1.{number}" for number in range(1, 11)]
_READS = 200  # per second, of all others
_ROUNDS = quick_or_full(1, 5)
_ROUND = quick_or_full(2.0, 8.0)
_SPREAD = [f"127.0.2.{number}" for number in range(1, 41)]  # each within the limit


@pytest.fixture(scope="module")
def limited() -> Iterator[Service]:
    """Return a service that limits the addresses of this machine, too."""
    with (
        temporary_folder() as folder,
        serving(folder, ATELIER_RATE_EXEMPT="none") as running,
    ):
        yield running


@pytest.fixture
async def products(limited: Service) -> AsyncIterator[KnownProducts]:
    async with connected(limited.dsn) as connection:
        yield await add_products(connection)


@pytest.mark.fault(
    f"one client sends {_TIMES} times its limit ({_FLOOD} reads/s)",
    "it is served up to its limit, the rest 429; the others' p99 unchanged within 20 %, "
    "0 failed reads",
)
async def test_client_above_its_limit_does_not_slow_down_others(
    limited: Service, products: KnownProducts, finding: Finding
) -> None:
    without_flood, with_flood = [], []
    start = datetime.now(UTC)
    async with reading(limited.address, products, _READS, sources=_OTHERS) as samples:
        for _ in range(_ROUNDS):
            without_flood.append(await _p99_of_a_round(samples))
            with _flooding(limited, _ABUSER):
                await asyncio.sleep(2)  # until its burst is used up
                with_flood.append(await _p99_of_a_round(samples))
            await asyncio.sleep(1)
    statuses = await _statuses(limited, start, _ABUSER)
    assert samples.faults == {}
    assert set(statuses) <= {200, 429, 499}
    assert statuses[429] > statuses[200], "nothing was rejected"
    finding.record(f"{len(samples.all)} reads, {samples.faults.total()} failed")
    finding.record(f"{statuses[200]} answers 200 and {statuses[429]} answers 429 for the client")
    usual = statistics.median(without_flood) * 1000
    finding.record(f"p99 without it {usual:.3g} ms")
    finding.within("with it", statistics.median(with_flood) * 1000, 1.2 * usual, "ms")


@pytest.mark.fault(
    "requests above the limit, compared with as many within it",
    "a rejection costs less CPU time than the read it rejects",
)
async def test_rejection_costs_less_than_a_read(limited: Service, finding: Finding) -> None:
    reads, rejections = [], []
    for _ in range(_ROUNDS):
        within = await _cost(limited, *_SPREAD)
        above = await _cost(limited, _ABUSER)
        reads.append(within.cpu_seconds / within.statuses[200])
        rest = above.cpu_seconds - above.statuses[200] * reads[-1]
        rejections.append(rest / above.statuses[429])
    read, rejection = (statistics.median(each) * 1e6 for each in (reads, rejections))
    finding.record(f"a read {read:.3g} us of nginx, instances and PostgreSQL")
    finding.within("a rejection", rejection, read, "us")


class _Cost(NamedTuple):
    """The responses of a round by status, and the service's CPU time."""

    statuses: Counter[int]
    cpu_seconds: float


async def _cost(service: Service, *sources: str) -> _Cost:
    start, before = datetime.now(UTC).replace(microsecond=0), _cpu_seconds(service)
    with _flooding(service, *sources):
        await asyncio.sleep(_ROUND)
    seconds = _cpu_seconds(service) - before
    return _Cost(await _statuses(service, start, *sources), seconds)


async def _p99_of_a_round(samples: Samples) -> float:
    start = asyncio.get_running_loop().time()
    await asyncio.sleep(_ROUND)
    return percentile(samples.since(start), 0.99)


def _flooding(service: Service, *sources: str) -> AbstractContextManager[Popen[bytes]]:
    arguments = (str(service.port), str(_FLOOD), str(_MAX_SECONDS), *sources)
    command = [sys.executable, flood.__file__, *arguments]
    return program(command)


async def _statuses(service: Service, start: datetime, *sources: str) -> Counter[int]:
    """Count the responses to clients since `start` by status, from nginx's access log."""
    await asyncio.sleep(1.5)  # nginx flushes its log once a second
    files = service.access_log.parent.glob(service.access_log.name + "*")  # including rotated ones
    lines = (line for file in files for line in file.read_text().splitlines())
    entries = (json.loads(line) for line in lines if any(f'"{each}"' in line for each in sources))
    return Counter(
        int(entry["status"]) for entry in entries if datetime.fromisoformat(entry["time"]) >= start
    )


def _cpu_seconds(service: Service) -> float:
    """Return the CPU time of all threads of a service, from the kernel's scheduler statistics."""
    files = (
        file
        for process in service.processes()
        for file in Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    )
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9
