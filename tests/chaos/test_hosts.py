"""Network failures between three app hosts, an nginx host and a database host."""

import asyncio
import grp
import pwd
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from atelier.local.host.programs import nginx_program
from atelier.local.nginx.nginx import Front, Proxy
from atelier.local.postgres.server import USER
from atelier.settings import Settings
from atelier.store.migrate import migrate
from tests.chaos.clients import reading
from tests.chaos.connection import Connection
from tests.chaos.findings import Finding
from tests.chaos.hosts import Host, network
from tests.chaos.known_products import KnownProducts, add_products
from tests.chaos.measure import longest, percentile
from tests.chaos.plan import quick_or_full
from tests.chaos.postgres import postgres_on
from tests.chaos.service import connected, pages_served
from tests.support.cluster import program
from tests.support.commands import ATELIER
from tests.support.postgres import temporary_folder
from tests.support.waiting import until

_PORT = 8080
_TIMEOUT = 2.0
_RATE = quick_or_full(100, 300)
_CUT_OFF = quick_or_full(5, 20)


@dataclass
class Deployment:
    """The service on separate hosts."""

    proxy: Host
    apps: Sequence[Host]
    products: KnownProducts


@pytest.fixture(scope="module")
async def deployment() -> AsyncIterator[Deployment]:
    with temporary_folder() as folder, network(["app1", "app2", "app3", "web", "db"]) as hosts:
        *apps, proxy, database = hosts
        async with AsyncExitStack() as stack:
            postgres = postgres_on(database, folder, "trust")
            stack.callback(postgres.stop)
            postgres.start(listen_addresses=database.address)
            await migrate(postgres.dsn)
            async with connected(postgres.dsn) as connection:
                products = await add_products(connection)
            for app in apps:
                stack.enter_context(instance_on(app, database))
            stack.enter_context(program(nginx_on(proxy, apps, folder)))
            for host in (*apps, proxy):
                await until_ready(host)
            yield Deployment(proxy, apps, products)


def instance_on(host: Host, database: Host) -> AbstractContextManager[object]:
    """Run an instance on a host."""
    command = [*host.prefix, *ATELIER, "serve", "--host", host.address, "--port", str(_PORT)]
    url = f"postgresql://{USER}@{database.address}/postgres"
    return program(command, ATELIER_DATABASE_URL=url, ATELIER_REQUEST_TIMEOUT=str(_TIMEOUT))


def nginx_on(host: Host, apps: Sequence[Host], folder: Path) -> list[str]:
    """Write nginx's configuration from the product's template; return the command."""
    entry = pwd.getpwnam("nobody")
    proxy = Proxy(
        Front(f"{host.address}:{_PORT}", [f"{app.address}:{_PORT}" for app in apps]),
        Settings(request_timeout=_TIMEOUT),
        user=f"user nobody {grp.getgrgid(entry.pw_gid).gr_name};",
    )
    (folder / "nginx.conf").write_text(proxy.render())
    command = [str(nginx_program()), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]
    return [*host.prefix, *command]


async def until_ready(host: Host) -> None:
    async def is_ready() -> bool:
        connection = Connection((host.address, _PORT))
        try:
            return (await connection.request("GET", "/ready")).status == HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    await until(is_ready)


@pytest.mark.fault(
    f"three app hosts, an nginx host and a database host (network namespaces); one app host cut "
    f"off for {_CUT_OFF} s, then back",
    "0 failed reads after the first timeout; traffic returns by itself",
)
async def test_unreachable_app_host_fails_no_read_and_gets_traffic_again(
    deployment: Deployment, finding: Finding
) -> None:
    victim = deployment.apps[0]
    async with reading((deployment.proxy.address, _PORT), deployment.products, _RATE) as samples:
        await asyncio.sleep(2)
        cut = time.monotonic()
        victim.cut_off()
        try:
            await asyncio.sleep(_CUT_OFF)
        finally:
            victim.reconnect()
        back = time.monotonic()
        await until_more_pages(victim)
        returned = time.monotonic() - back
        await asyncio.sleep(1)
    finding.record(f"{len(samples.all)} reads, {samples.faults.total()} failed")
    assert samples.faults == {}
    settled = samples.since(cut + _TIMEOUT + 1, back)
    finding.record(f"slowest {longest(samples.all):.1f} s, p99 {percentile(settled, 0.99):.2g} s")
    finding.within("traffic returned within", returned, 10)


async def until_more_pages(host: Host) -> None:
    """Wait until an instance serves further pages."""
    address = (host.address, _PORT)
    before: list[float] = []

    async def serves_more() -> bool:
        served = await pages_served(address)
        if served:
            before.append(served)
        return bool(before) and served > before[0]

    await until(serves_more)
