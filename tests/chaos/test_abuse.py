"""A client that sends many times its share, from an address that is limited."""

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

import pytest

from atelier.settings import Settings
from tests.chaos import flood
from tests.chaos.clients import reading
from tests.chaos.findings import Finding
from tests.chaos.known_products import KnownProducts, add_products
from tests.chaos.measure import Samples, percentile
from tests.chaos.plan import quick_or_full
from tests.chaos.service import Service, connected, serving
from tests.support.cluster import program
from tests.support.postgres import temporary_folder

_SHARE = Settings().rate_reads
_TIMES = 20
_FLOOD = int(_TIMES * _SHARE)
_ABUSER = "127.0.0.2"
_OTHERS = [f"127.0.1.{number}" for number in range(1, 11)]
_READS = 200  # a second, of the others together
_ROUNDS = quick_or_full(1, 5)
_ROUND = quick_or_full(2.0, 8.0)
_SPREAD = [f"127.0.2.{number}" for number in range(1, 41)]  # each within its share


@pytest.fixture(scope="module")
def limited() -> Iterator[Service]:
    """Return a service for which this machine's addresses are clients like others."""
    with (
        temporary_folder() as folder,
        serving(folder, ATELIER_RATE_EXEMPT="none") as running,
    ):
        yield running


@pytest.fixture
async def shelf(limited: Service) -> AsyncIterator[KnownProducts]:
    async with connected(limited.dsn) as connection:
        yield await add_products(connection)


@pytest.mark.fault(
    f"one client sends {_TIMES} times its share ({_FLOOD} reads/s)",
    "it gets its share, the rest is 429; the others' p99 unchanged within 20 %, 0 failed reads",
)
async def test_one_who_takes_more_than_a_share_costs_the_others_nothing(
    limited: Service, shelf: KnownProducts, finding: Finding
) -> None:
    without, beside = [], []
    began = datetime.now(UTC)
    async with reading(limited.address, shelf, _READS, sources=_OTHERS) as samples:
        for _ in range(_ROUNDS):
            without.append(await _p99_of_a_round(samples))
            with _flooding(limited, _ABUSER):
                await asyncio.sleep(2)  # until its burst is used up
                beside.append(await _p99_of_a_round(samples))
            await asyncio.sleep(1)
    answers = await _answers(limited, began, _ABUSER)
    assert samples.faults == {}
    assert set(answers) <= {200, 429, 499}
    assert answers[429] > answers[200], "nothing was refused"
    finding.note(f"{len(samples.all)} reads, {samples.faults.total()} failed")
    finding.note(f"of the one: {answers[200]} answers 200, {answers[429]} answers 429")
    usual = statistics.median(without) * 1000
    finding.note(f"p99 without it {usual:.3g} ms")
    finding.within("beside it", statistics.median(beside) * 1000, 1.2 * usual, "ms")


@pytest.mark.fault(
    "requests beyond a share, beside as many within theirs",
    "a refusal costs the service less processor time than the read it refuses",
)
async def test_a_refusal_costs_less_than_what_it_refuses(
    limited: Service, finding: Finding
) -> None:
    served, refused = [], []
    for _ in range(_ROUNDS):
        within = await _cost(limited, *_SPREAD)
        beyond = await _cost(limited, _ABUSER)
        served.append(within.seconds / within.answers[200])
        rest = beyond.seconds - beyond.answers[200] * served[-1]
        refused.append(rest / beyond.answers[429])
    read, refusal = (statistics.median(each) * 1e6 for each in (served, refused))
    finding.note(f"a read {read:.3g} us of nginx, instances and PostgreSQL")
    finding.within("a refusal", refusal, read, "us")


class _Cost:
    """What a while of requests took: answers by status, and processor time."""

    def __init__(self, answers: Counter[int], seconds: float) -> None:
        self.answers = answers
        self.seconds = seconds


async def _cost(service: Service, *sources: str) -> _Cost:
    began, before = datetime.now(UTC).replace(microsecond=0), _processor_seconds(service)
    with _flooding(service, *sources):
        await asyncio.sleep(_ROUND)
    seconds = _processor_seconds(service) - before
    return _Cost(await _answers(service, began, *sources), seconds)


async def _p99_of_a_round(samples: Samples) -> float:
    start = asyncio.get_running_loop().time()
    await asyncio.sleep(_ROUND)
    return percentile(samples.since(start), 0.99)


def _flooding(service: Service, *sources: str) -> AbstractContextManager[Popen[bytes]]:
    command = [sys.executable, flood.__file__, str(service.port), str(_FLOOD), *sources]
    return program(command)


async def _answers(service: Service, began: datetime, *sources: str) -> Counter[int]:
    """Return how many answers of each status clients have had since a moment, by nginx's log."""
    await asyncio.sleep(1.5)  # it writes once a second
    files = service.access_log.parent.glob(service.access_log.name + "*")  # it may have rotated
    lines = (line for file in files for line in file.read_text().splitlines())
    found = (json.loads(line) for line in lines if any(f'"{each}"' in line for each in sources))
    return Counter(
        int(each["status"]) for each in found if datetime.fromisoformat(each["time"]) >= began
    )


def _processor_seconds(service: Service) -> float:
    """Return the processor time that all threads of a service have had, by the kernel's books."""
    files = (
        file
        for process in service.processes()
        for file in Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    )
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9
