"""Fixtures for all tests: servers are shared by a session, each test has its own database."""

import functools
import itertools
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import asyncpg
import pytest

from atelier.local.host.open_files import raise_open_files
from atelier.local.postgres import roles
from atelier.local.postgres.server import Server
from atelier.store.migrate import migrate
from tests.support.cluster import Cluster, cluster
from tests.support.postgres import INSTALLED, remove_abandoned_folders, server, temporary_folder

_numbers = itertools.count(1)
raise_open_files()  # hundreds of clients exceed the limit of many shells
# A shell ignores SIGINT for what it runs in the background, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


_QUICK = {"contract", "http", "store"}
"""Folders with many quick tests."""


def pytest_sessionstart() -> None:
    remove_abandoned_folders()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests: else the last one keeps one worker busy, and the others idle."""
    items.sort(key=lambda item: not _QUICK.isdisjoint(item.path.parts))


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], Server]]:
    """Return what returns a running PostgreSQL by its name in INSTALLED; each is started once."""
    with ExitStack() as stack:

        @functools.cache
        def start(name: str) -> Server:
            folder = stack.enter_context(temporary_folder())
            return stack.enter_context(server(INSTALLED[name], folder))

        yield start


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """Return a running server: the embedded one, or those named by `every_postgres`."""
    return servers(getattr(request, "param", "embedded"))


@pytest.fixture(scope="session")
async def template(postgres: Server) -> AsyncIterator[asyncpg.Connection]:
    """Create a migrated template database; yield a connection to clone it with."""
    connection = await asyncpg.connect(postgres.dsn())
    if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = 'template'"):
        await connection.execute("CREATE DATABASE template")
        await migrate(postgres.dsn("template"))
    yield connection
    await connection.close()


@pytest.fixture
async def database(postgres: Server, template: asyncpg.Connection) -> AsyncIterator[str]:
    """Return the URL of a new, migrated, empty database, dropped after the test."""
    name = f"test_{next(_numbers)}"
    await template.execute(f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
    yield postgres.dsn(name)
    await template.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def _service_database(postgres: Server, template: asyncpg.Connection) -> str:
    name = f"service_{next(_numbers)}"
    await template.execute(f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
    await roles.ensure(postgres.dsn(name))
    return postgres.dsn(name)


@pytest.fixture(scope="session")
def service(_service_database: str) -> Iterator[Cluster]:
    """Return three instances behind nginx; tests share them, and use their own products.

    The instances connect as the service's role: its privileges must suffice for every test.
    """
    with cluster(_service_database, role=roles.SERVICE_ROLE) as running:
        yield running
