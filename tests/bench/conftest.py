"""A small catalogue in the schemas of the service and the peers, and the systems running on it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.local.postgres.server import Server
from atelier.transfer.generator import generate
from atelier.transfer.progress import PlainProgress
from bench import data, systems, tools
from bench.data import Catalogue
from bench.systems import Running, System
from tests.support.parts import require_or_skip
from tests.support.postgres import temporary_folder

PRODUCTS = 1000


@pytest.fixture(scope="session")
def catalogue(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    dsn, folder = postgres.dsn("bench"), tmp_path_factory.mktemp("bench") / "export"
    generate(folder, products=PRODUCTS, seed=1, progress=PlainProgress(lambda _: None))
    asyncio.run(data.create_database(postgres.dsn(), "bench"))
    data.load_service(dsn, folder)
    asyncio.run(data.load_peers(dsn, folder))
    asyncio.run(data.add_rows(dsn, PRODUCTS, "check_products"))
    return asyncio.run(data.describe(dsn, PRODUCTS))


@pytest.fixture(scope="session")
def sockets() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def ours(catalogue: Catalogue, sockets: Path) -> Iterator[Running]:
    with systems.running(systems.ours(catalogue.dsn), sockets, instances=1) as running:
        yield running


@pytest.fixture(params=["express", "fastapi"], scope="session")
def peer(request: pytest.FixtureRequest, catalogue: Catalogue, sockets: Path) -> Iterator[Running]:
    with systems.running(_peer(request.param, catalogue.dsn), sockets, instances=1) as running:
        yield running


def _peer(name: str, dsn: str) -> System:
    if name == "fastapi":
        return systems.fastapi(dsn)
    try:
        tools.install_express(lambda _: None)
    except AtelierError as error:
        require_or_skip(None, str(error))
    return systems.express(dsn)
