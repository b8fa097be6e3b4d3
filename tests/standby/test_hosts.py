"""A URL with several hosts connects to the current primary."""

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from atelier.local.postgres.server import PORT, USER, Server
from atelier.store.connections.database import Database
from atelier.store.connections.hosts import connect_to_primary

_ASK = """
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    VALUES (1, 'Does it fit?', 'jane', 'jane@example.com')
    RETURNING id
"""

_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Return a port that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def beside(database: str, postgres: Server, host: str, port: int) -> str:
    """Return the URL of a database with another host before it."""
    path = urlsplit(database).path
    return f"postgresql://{USER}@{path}?host={host},{postgres.sockets}&port={port},{PORT}"


async def test_unresponsive_host_causes_no_delay(
    database: str, postgres: Server, silent_port: int
) -> None:
    url = beside(database, postgres, "127.0.0.1", silent_port)
    async with asyncio.timeout(10):  # asyncpg alone would wait for a minute
        connection = await connect_to_primary(url)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


async def test_missing_host_is_skipped(database: str, postgres: Server) -> None:
    connection = await connect_to_primary(beside(database, postgres, "/nonexistent", PORT))
    await connection.close()


async def test_ipv6_address_may_be_anywhere_in_the_host_list(
    database: str, postgres: Server
) -> None:
    path, here = urlsplit(database).path, f"{quote(str(postgres.sockets), safe='')}:{PORT}"
    for hosts in (f"[::1]:1,{here}", f"127.0.0.1:1,[::1]:1,{here}", f"{here},[::1]:1"):
        connection = await connect_to_primary(f"postgresql://{USER}@{hosts}{path}")
        await connection.close()


async def test_error_of_a_host_is_raised_if_all_fail() -> None:
    with pytest.raises(FileNotFoundError):
        await connect_to_primary("postgresql://u@/db?host=/nonexistent,/nowhere")


async def test_write_to_a_demoted_primary_is_retried(
    database: str,
) -> None:
    primary = Database(database, size=1, timeout=5)
    await primary.open()
    await primary.write("SET default_transaction_read_only = on")  # for this connection only
    assert len(await primary.write(_ASK)) == 1
    assert len(await primary.read("SELECT FROM questions")) == 1
    await primary.close()


async def test_of_several_connected_hosts_one_connection_remains(
    database: str, postgres: Server
) -> None:
    url = beside(database, postgres, str(postgres.sockets), PORT)
    used = [await connect_to_primary(url, timeout=10) for _ in range(10)]
    observer = await asyncpg.connect(database)
    async with asyncio.timeout(20):
        while await observer.fetchval(_OTHERS) != len(used):  # noqa: ASYNC110 - PostgreSQL's
            await asyncio.sleep(0.05)
    for connection in (observer, *used):
        await connection.close()
