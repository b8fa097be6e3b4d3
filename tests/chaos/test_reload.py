"""`atelier reload` onto new code, without failed requests."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from tests.chaos.assertions import assert_documents_are_the_view, assert_written_once
from tests.chaos.clients import reading
from tests.chaos.findings import Finding
from tests.chaos.known_products import KnownProducts
from tests.chaos.plan import quick_or_full
from tests.chaos.service import Service
from tests.chaos.versions import NEXT, next_code
from tests.chaos.writers import writing
from tests.support.commands import run

_RATE = quick_or_full(100, 300)
_IS_APPLIED = "SELECT EXISTS (SELECT 1 FROM public._pogo_migration WHERE migration_id = $1)"


@pytest.mark.fault(
    "`atelier reload` onto code with a new migration, under reads and writes without a key",
    "0 answers other than the expected",
)
async def test_reload_onto_new_code_fails_no_request(
    service: Service,
    products: KnownProducts,
    connection: asyncpg.Connection,
    code: Path,
    finding: Finding,
) -> None:
    before = {process.pid for process in service.instances()}
    async with (
        reading(service.address, products, _RATE) as reads,
        writing(service.address, connection, _RATE, frozenset(), keyed=False) as (writes, writers),
    ):
        install(next_code(code.with_name("next")).parent, code)
        await asyncio.sleep(1)
        done = await asyncio.to_thread(run, service.home, "reload")
        await asyncio.sleep(1)
    assert done.returncode == 0, done.stderr
    assert before.isdisjoint(process.pid for process in service.instances())
    assert await connection.fetchval(_IS_APPLIED, NEXT)
    finding.record(f"{len(reads.all)} reads, {len(writes.all)} requests of writers")
    finding.record(f"{(reads.faults + writes.faults).total()} unexpected")
    assert reads.faults + writes.faults == {}
    await assert_written_once(connection, writers)
    await assert_documents_are_the_view(connection)


def install(new: Path, link: Path) -> None:
    """Atomically replace the version to which a link points."""
    unfinished = link.with_name("code.new")
    unfinished.symlink_to(new)
    unfinished.rename(link)
