"""The readiness of an instance during a failover."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.standby.instances import running_instances
from tests.standby.servers import Group, Node, prepare, temporary_group, together
from tests.support.cluster import free_port
from tests.support.commands import run, up
from tests.support.postgres import temporary_folder
from tests.support.waiting import until, wait_until

_PAGE = "/qa/questions?product_id=1"
_VOTE = "/qa/questions/1/helpful"
_READY = {"status": "ready", "reads": True, "writes": True}
_READ_ONLY = {
    "status": "read-only",
    "reads": True,
    "writes": False,
    "detail": "no primary takes writes",
}


@pytest.fixture
async def group() -> AsyncIterator[Group]:
    with temporary_group() as made:
        await prepare(made, standbys=1)
        yield made


@pytest.fixture
def instance(group: Group) -> Iterator[Path]:
    with running_instances(group.url, group.standbys[0].url, count=1) as [socket]:
        yield socket


async def has_status(client: httpx.AsyncClient, path: str, status: int) -> bool:
    return (await client.get(path)).status_code == status


async def until_the_standby_is_read_from(client: httpx.AsyncClient, standby: Node) -> None:
    before = await standby.pages_read()

    async def is_read_from() -> bool:
        await client.get(_PAGE)
        return await standby.pages_read() > before

    await until(is_read_from)


async def test_instance_serves_reads_until_there_is_a_primary_again(
    group: Group, instance: Path
) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(instance))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://instance", timeout=30
    ) as client:

        async def says(path: str, status: int, body: dict[str, object]) -> None:
            response = await client.get(path)
            assert (response.status_code, response.json()) == (status, body)
            assert ("retry-after" in response.headers) is (status == 503)

        await says("/ready", 200, _READY)
        await until_the_standby_is_read_from(client, group.standbys[0])
        group.primary.kill()
        await until(lambda: has_status(client, "/ready/reads", 200))
        await says("/ready", 503, _READ_ONLY)
        await says("/ready/reads", 200, {"status": "ready", "reads": True})
        assert (await client.get(_PAGE)).status_code == 200
        assert (await client.put(_VOTE)).status_code == 503

        group.standbys[0].promote()
        await until(lambda: has_status(client, "/ready", 200))
        await says("/ready", 200, _READY)
        assert (await client.put(_VOTE)).status_code == 404

        await group.standbys[0].configure("default_transaction_read_only", "on")
        await until(lambda: has_status(client, "/ready", 503))
        await says("/ready", 503, _READ_ONLY)


async def test_status_says_that_instances_are_read_only(group: Group) -> None:
    settings = {
        "PORT": str(free_port()),
        "INSTANCES": "1",
        "ATELIER_METRICS_PORT": str(free_port()),
        "ATELIER_DATABASE_URL": together(group.primary),
        "ATELIER_READ_DATABASE_URL": group.standbys[0].url,
        "ATELIER_STANDBY_MAX_LAG": "60",
    }
    with temporary_folder() as folder, up(folder / "home", **settings) as running:
        running.wait_for("Ready")

        def state() -> str:
            result = run(folder / "home", "status", "--json")
            return str(json.loads(result.stdout)["instances"][0]["state"])

        assert state() == "ready"
        group.primary.kill()
        wait_until(lambda: state() == "read-only", "its state is not read-only")
