"""PostgreSQL ends statements, lock waits and idle transactions of the service in time."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import asyncpg
import pytest
from falcon.testing import ASGIConductor

from atelier.http.app import create_service
from atelier.http.common import logs
from atelier.settings import Settings
from atelier.store.connections import database as module
from atelier.store.connections.database import (
    Database,
    DatabaseTimeoutError,
    DatabaseUnavailableError,
    connect,
)
from tests.support.data import Data

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
_IDLE = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"


@pytest.fixture
async def data(database: str) -> AsyncIterator[Data]:
    connection = await connect(database)
    yield Data(connection)
    await connection.close()


async def until(data: Data, query: str, number: int) -> None:
    """Wait until a query returns a number."""
    async with asyncio.timeout(60):
        while await data.connection.fetchval(query) != number:  # noqa: ASYNC110 - PostgreSQL's
            await asyncio.sleep(0.02)


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """Stop a server process while the context lasts."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def test_write_that_times_out_waiting_for_a_lock_gets_503(
    database: str, data: Data, caplog: pytest.LogCaptureFixture
) -> None:
    logs._last_logged.clear()  # noqa: SLF001 - earlier tests have logged, too
    question = await data.question(7)
    path = f"/qa/questions/{question}/helpful"
    holder = await connect(database)
    async with ASGIConductor(create_service(Settings(request_timeout=6.0), database).app) as client:
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM questions FOR UPDATE")
            vote = asyncio.create_task(client.simulate_put(path))
            await until(data, _WAITING, 1)
            rejected = await vote
            assert (rejected.status_code, rejected.headers["retry-after"]) == (503, "1")
            assert "canceling statement due to lock timeout" in caplog.text
            await until(data, _WAITING, 0)
        assert (await client.simulate_put(path)).status_code == 204
    await holder.close()
    assert await data.row("SELECT helpful FROM questions") == {"helpful": 1}


async def test_server_cancels_an_abandoned_statement(database: str) -> None:
    service = Database(database, size=1, timeout=0.5)
    async with service._connections.acquire() as connection:  # noqa: SLF001 - without the client's timeout
        with pytest.raises(asyncpg.QueryCanceledError, match="statement timeout"):
            await connection.execute("SELECT pg_sleep(60)")
    await service.close()


async def test_server_ends_the_transaction_of_a_stalled_reader(
    database: str, data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IDLE_FACTOR", 0.5)
    service = Database(database, size=1, timeout=2.0)
    rows = service.stream("SELECT generate_series(1, 1000)", rows=100)
    assert len(await anext(rows)) == 100
    await until(data, _IDLE, 1)
    await until(data, _IDLE, 0)
    with pytest.raises(DatabaseUnavailableError):
        await anext(rows)
    assert await service.read("SELECT 1")  # the connection's slot is free again
    await service.close()


async def test_large_page_of_a_hung_server_ends_in_time(database: str) -> None:
    service = Database(database, size=1, timeout=0.5)
    rows = service.stream("SELECT pg_backend_pid() FROM generate_series(1, 1000)", rows=1)
    with stopped((await anext(rows))[0][0]):
        async with asyncio.timeout(30):
            with pytest.raises(DatabaseTimeoutError):
                await anext(rows)
            assert await service.read("SELECT 1")
    await service.close()


async def test_reader_who_leaves_a_large_page_does_not_wait_for_a_hung_server(
    database: str,
) -> None:
    service = Database(database, size=1, timeout=0.5)
    rows = service.stream("SELECT pg_backend_pid() FROM generate_series(1, 1000)", rows=1)
    with stopped((await anext(rows))[0][0]):
        async with asyncio.timeout(30):
            with pytest.raises(DatabaseTimeoutError):
                await rows.aclose()
            assert await service.read("SELECT 1")
    await service.close()


async def test_reader_who_leaves_a_large_page_leaves_a_usable_connection(database: str) -> None:
    service = Database(database, size=1, timeout=5)
    rows = service.stream("SELECT pg_backend_pid() FROM generate_series(1, 1000)", rows=1)
    [[backend]] = await anext(rows)
    await rows.aclose()
    [[used]] = await service.write("SELECT pg_backend_pid()")
    assert used == backend
    await service.close()
