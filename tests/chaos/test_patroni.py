"""Patroni's automatic failover after a crash of PostgreSQL or the loss of a node."""

import asyncio
import os
import random
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from atelier.store.connections.database import LOST
from atelier.store.connections.hosts import connect_to_primary
from atelier.store.migrate import migrate
from tests.chaos.assertions import assert_documents_are_the_view
from tests.chaos.findings import Finding
from tests.chaos.service import connected
from tests.standby.instances import running_instances
from tests.standby.shoppers import assert_kept, busy, shopping
from tests.support.cluster import program
from tests.support.parts import program_or_skip
from tests.support.postgres import temporary_folder
from tests.support.processes import all_processes, family
from tests.support.waiting import until

_RUN = Path(__file__).parents[2] / "deploy" / "patroni" / "run.py"
_READY_SECONDS = 180
_SHOPPERS = 8
_MUST_SHOW = (
    "0 acknowledged writes lost or hidden, 0 failed reads; documents equal the view; "
    "writes again within 30 s"
)


@dataclass(frozen=True)
class Patroni:
    """Three nodes under deploy/patroni/run.py."""

    home: Path
    url: str
    read_url: str

    async def primary(self) -> Path:
        """Return the folder of the node whose PostgreSQL is the primary."""
        connection = await connect_to_primary(self.url)
        port = await connection.fetchval("SHOW port")
        await connection.close()
        return self.home / f"node{int(port) % 10}"

    async def synchronous_standby(self) -> Path:
        """Return the folder of the synchronous standby's node."""
        found: list[str] = []

        async def is_known() -> bool:
            ports = re.findall(r"127\.0\.0\.1:(\d+)", self.read_url)
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{int(ports[0]) + 10}/cluster")
            members = answer.json()["members"]
            found.extend(each["name"] for each in members if each["role"] == "sync_standby")
            return bool(found)

        await until(is_known)
        return self.home / found[0]

    async def until_primary_is_not(self, node: Path) -> None:
        """Wait until another node is the primary."""

        async def is_another() -> bool:
            try:
                return await self.primary() != node
            except LOST:
                return False

        await until(is_another, seconds=90)


@pytest.fixture(scope="module")
async def patroni() -> AsyncIterator[Patroni]:
    program_or_skip("etcd", "etcd-server")
    with temporary_folder() as folder:
        home = folder / "patroni"
        command = [sys.executable, str(_RUN), "--home", str(home), "--port", str(first_port())]
        with program(command) as process:

            async def is_ready() -> bool:
                assert process.poll() is None, "run.py has exited; see its output"
                return (home / "environment").exists()

            await until(is_ready, seconds=_READY_SECONDS)
            urls = re.findall(r"'(.*)'", (home / "environment").read_text())
            await migrate(urls[0])
            yield Patroni(home, *urls)


@pytest.fixture(scope="module")
def instances(patroni: Patroni) -> Iterator[Sequence[Path]]:
    with running_instances(patroni.url, patroni.read_url) as sockets:
        yield sockets


@pytest.mark.fault("Patroni: PostgreSQL of the primary killed (-9)", _MUST_SHOW)
async def test_failover_after_a_crash_of_postgresql(
    patroni: Patroni, instances: Sequence[Path], finding: Finding
) -> None:
    await assert_failover(patroni, instances, finding, kill_postgresql)


@pytest.mark.fault(
    "Patroni: node of the primary gone (PostgreSQL killed, Patroni and etcd stopped)", _MUST_SHOW
)
async def test_failover_after_the_loss_of_a_node(
    patroni: Patroni, instances: Sequence[Path], finding: Finding
) -> None:
    with ExitStack() as wake:

        def end_node(node: Path) -> None:
            stop([f"{node}/etcd ", f"{node}/patroni.yml"], wake)
            kill_postgresql(node)

        await assert_failover(patroni, instances, finding, end_node)


@pytest.mark.fault(
    "Patroni: node of the synchronous standby hangs (SIGSTOP)",
    "0 failed or old reads; writes again within 30 s",
)
async def test_hanging_synchronous_standby_is_replaced(
    patroni: Patroni, instances: Sequence[Path], finding: Finding
) -> None:
    async with shopping(instances, shoppers=_SHOPPERS) as everyone, busy(everyone) as seen:
        await seen.more(reads=500)
        with ExitStack() as wake:
            started = time.monotonic()
            stop([str(await patroni.synchronous_standby())], wake)
            await asyncio.sleep(1)  # let in-flight requests finish
            await seen.more(writes=1)
            finding.within("writes again within", time.monotonic() - started, 30)
            await seen.more(reads=500)
    assert seen.stale == []
    assert set(seen.reads) == {200}


def stop(commands: Sequence[str], wake: ExitStack) -> None:
    """Stop the processes whose command contains one of `commands`, and their descendants."""
    named = [p.pid for p in all_processes() if any(text in p.command for text in commands)]
    for process in family(*named):
        os.kill(process.pid, signal.SIGSTOP)
        wake.callback(os.kill, process.pid, signal.SIGCONT)


def kill_postgresql(node: Path) -> None:
    """Kill the PostgreSQL of a node."""
    os.kill(int((node / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


async def assert_failover(
    patroni: Patroni,
    instances: Sequence[Path],
    finding: Finding,
    inject: Callable[[Path], None],
) -> None:
    """Inject a fault into the primary's node under load, and check the failover."""
    async with shopping(instances, shoppers=_SHOPPERS) as everyone, busy(everyone) as seen:
        await seen.more(reads=500)
        node = await patroni.primary()
        started = time.monotonic()
        inject(node)
        await patroni.until_primary_is_not(node)
        await seen.more(writes=1)
        finding.within("writes again within", time.monotonic() - started, 30)
        await seen.more(reads=500)
    finding.record(f"{seen.reads.total()} reads, {seen.writes[201] + seen.writes[204]} writes")
    assert seen.stale == []
    assert set(seen.reads) == {200}
    assert set(seen.writes) <= {201, 204, 503}
    async with connected(patroni.url) as connection:
        for shopper in everyone:
            await assert_kept(connection, shopper)
        await assert_documents_are_the_view(connection)


def first_port() -> int:
    """Return the first of forty free ports for run.py."""
    while True:
        first = random.randrange(20000, 32000, 100)
        if all(is_free(port) for port in range(first, first + 40)):
            return first


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
