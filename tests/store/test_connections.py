"""ConnectionPool, on a real server."""

import asyncio
import threading
from collections.abc import AsyncIterator

import asyncpg
import pytest

from atelier.store.connections import pool as module
from atelier.store.connections.pool import ConnectionPool, PoolExhaustedError


@pytest.fixture
async def three(database: str) -> AsyncIterator[ConnectionPool]:
    """Return a pool of at most three connections."""
    connections = ConnectionPool(lambda: asyncpg.connect(database), size=3)
    yield connections
    await asyncio.wait_for(connections.close(), 10)


async def backend(connections: ConnectionPool) -> int:
    """Return the server process of an acquired connection."""
    async with connections.acquire() as connection:
        return int(await connection.fetchval("SELECT pg_backend_pid()"))


async def two_statements_at_once(
    connections: ConnectionPool, started: list[asyncio.Task[str]]
) -> None:
    """Run a statement on a connection that is running another one, which is put into the list."""
    async with connections.acquire() as connection:
        started.append(asyncio.create_task(connection.execute("SELECT pg_sleep(60)")))
        await asyncio.sleep(0)
        await connection.execute("SELECT 1")


async def test_connections_are_opened_on_demand_and_reused(
    three: ConnectionPool,
) -> None:
    assert three.open == 0
    assert await backend(three) == await backend(three)
    assert (three.open, three.idle) == (1, 1)


async def test_open_connections_never_exceed_the_pool_size(three: ConnectionPool) -> None:
    used = await asyncio.gather(*(backend(three) for _ in range(50)))
    assert len(set(used)) <= 3
    assert three.open <= 3


async def test_broken_connection_is_not_reused(three: ConnectionPool) -> None:
    first = await backend(three)
    async with three.acquire() as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert await backend(three) != first


async def test_a_pool_closes_although_the_server_has_closed_a_connection(database: str) -> None:
    connections = ConnectionPool(lambda: asyncpg.connect(database), size=1)
    number = await backend(connections)
    ending = threading.Thread(target=lambda: asyncio.run(_end(database, number)))
    ending.start()
    ending.join()  # while the event loop of the pool does not run and so does not see the end
    await connections.close()


async def _end(database: str, number: int) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("SELECT pg_terminate_backend($1, 10000)", number)
    await connection.close()


async def test_cancelled_statement_closes_its_connection(
    three: ConnectionPool,
) -> None:
    first = await backend(three)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), three.acquire() as connection:
            await connection.execute("SELECT pg_sleep(60)")
    assert (three.open, three.idle) == (0, 0)
    assert await backend(three) != first


async def test_statement_whose_coroutine_is_closed_closes_its_connection(
    three: ConnectionPool,
) -> None:
    first = await backend(three)
    unfinished = backend(three)
    unfinished.send(None)
    unfinished.close()
    assert (three.open, three.idle) == (0, 0)
    assert await backend(three) != first


async def test_connection_that_was_busy_is_not_reused(three: ConnectionPool) -> None:
    first = await backend(three)
    started: list[asyncio.Task[str]] = []
    with pytest.raises(asyncpg.InterfaceError, match="another operation is in progress"):
        await two_statements_at_once(three, started)
    with pytest.raises(asyncpg.PostgresConnectionError):
        await started[0]
    assert await backend(three) != first


async def test_connection_in_a_transaction_is_not_reused(three: ConnectionPool) -> None:
    async with three.acquire() as connection:
        await connection.execute("BEGIN")
    assert three.idle == 0


async def test_expired_connections_are_not_reused_even_those_in_use(
    three: ConnectionPool,
) -> None:
    async with three.acquire() as connection:
        first = await connection.fetchval("SELECT pg_backend_pid()")
        three.expire()
    assert three.idle == 0
    assert await backend(three) != first


async def test_connection_idle_for_too_long_is_replaced(
    three: ConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await backend(three)
    monkeypatch.setattr(module, "_MAX_IDLE_SECONDS", -1)
    assert await backend(three) != first


async def test_failed_connect_releases_its_slot() -> None:
    async def refuse() -> asyncpg.Connection:
        raise ConnectionRefusedError

    connections = ConnectionPool(refuse, size=1)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            async with asyncio.timeout(1), connections.acquire():
                pass
    assert connections.open == 0


async def test_too_many_waiting_statements_are_rejected(database: str) -> None:
    connections = ConnectionPool(lambda: asyncpg.connect(database), size=1, max_users=2)
    async with connections.acquire():
        waiting = asyncio.create_task(backend(connections))
        await asyncio.sleep(0)
        with pytest.raises(PoolExhaustedError):
            await backend(connections)
    await waiting
    assert await backend(connections) == await waiting
    await connections.close()


async def test_cancelled_wait_releases_its_slot(database: str) -> None:
    connections = ConnectionPool(lambda: asyncpg.connect(database), size=1, max_users=2)
    async with connections.acquire():
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(backend(connections), 0.01)
    assert await backend(connections)
    await connections.close()
