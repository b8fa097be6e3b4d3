"""Services to break, and the table of what was found."""

import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.chaos.findings import Finding, table
from tests.chaos.known_products import KnownProducts, add_products
from tests.chaos.plan import FULL
from tests.chaos.service import Service, connected, serving
from tests.support.postgres import temporary_folder

# A failover of Patroni's takes half a minute: `make chaos`.
collect_ignore = [] if FULL else ["test_patroni.py"]

_RESULTS = Path(__file__).parents[2] / "docs" / "chaos.md"
_INTRODUCTION = f"""# What faults do

Written by `make chaos`, here on {os.cpu_count()} cores that the service shares with its clients.
Each fault is done to real nginx, instances and PostgreSQL under load, and the content of every
answer is checked. `make test` does the same for shorter times, and holds no figure to a limit.

"""
_FOUND = pytest.StashKey[list[Finding]]()
_ROW = pytest.StashKey[Finding]()
_FILES = pytest.StashKey[set[Path]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(what, promise): a fault, and what it must show")
    config.stash[_FOUND] = []
    config.stash[_FILES] = set()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a row of the table, also for a test that cannot run here."""
    if mark := item.get_closest_marker("fault"):
        item.stash[_ROW] = Finding(*mark.args)
        item.config.stash[_FOUND].append(item.stash[_ROW])
        item.config.stash[_FILES].add(item.path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note in the row how its test ended."""
    report = yield
    row = item.stash.get(_ROW, None)
    if row and (report.when == "call" or not report.passed):
        row.outcome = "ok" if report.passed else "FAILED" if report.failed else "not run"
        if report.skipped:
            row.note(_reason(report))
    return report


def _reason(report: pytest.TestReport) -> str:
    """Return why a test was skipped."""
    said = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show the table; that of the whole full set is kept."""
    found = config.stash[_FOUND]
    if not found:
        return
    terminalreporter.section("faults")
    terminalreporter.write(table(found))
    if FULL and config.stash[_FILES] == set(Path(__file__).parent.glob("test_*.py")):
        _RESULTS.write_text(_INTRODUCTION + table(found))


@pytest.fixture
def finding(request: pytest.FixtureRequest) -> Finding:
    """Return the row of the table that a test fills."""
    row: Finding = request.node.stash[_ROW]
    return row


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    with temporary_folder() as made:
        yield made


@pytest.fixture(scope="package")
def code(folder: Path) -> Path:
    """Return a link to the code that the service runs, so that another version can take over."""
    link = folder / "code"
    link.symlink_to(Path(__file__).parents[2])
    return link


@pytest.fixture(scope="package")
def service(folder: Path, code: Path) -> Iterator[Service]:
    """Return the whole of `atelier up`, with the embedded PostgreSQL; tests share it."""
    with serving(folder, PYTHONPATH=str(code / "src")) as running:
        yield running


@pytest.fixture
async def connection(service: Service) -> AsyncIterator[asyncpg.Connection]:
    async with connected(service.dsn) as opened:
        yield opened


@pytest.fixture(scope="package")
async def products(service: Service) -> KnownProducts:
    """Return products that nobody changes."""
    async with connected(service.dsn) as opened:
        return await add_products(opened)
