"""A server starts after a crash, and explains a failed start in one line."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from atelier.errors import AtelierError
from atelier.local.postgres.server import Server, stop
from tests.support.postgres import FAST, INSTALLED, server, temporary_folder
from tests.support.waiting import wait_until

_IN_MEMORY = "SELECT count(*) FROM pg_buffercache WHERE relfilenode = pg_relation_filenode('hot')"


@pytest.fixture(scope="module", params=INSTALLED)
def stopped(request: pytest.FixtureRequest) -> Iterator[Server]:
    with temporary_folder() as folder:
        with server(INSTALLED[request.param], folder) as running:
            pass
        yield running


def test_stale_pid_file_with_a_reused_pid_does_not_prevent_a_start(stopped: Server) -> None:
    pid_file = stopped.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{stopped.data}\n")
    stopped.account.own(pid_file)
    stop(stopped.start(FAST))
    assert not pid_file.exists()


def test_start_waits_for_the_end_of_an_earlier_server(stopped: Server) -> None:
    earlier = stopped.start(FAST)
    begin = stopped.log.stat().st_size

    def end_earlier() -> None:
        try:
            wait_until(lambda: b"already exists" in stopped.log.read_bytes()[begin:], "no attempt")
        finally:
            stop(earlier)

    # In this order: a server ends with the thread that started it.
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(end_earlier)
        process = stopped.start(FAST)
        ended.result(60)
    try:
        assert process.poll() is None
        assert asyncio.run(_ask(stopped, "SELECT 1")) == 1
    finally:
        stop(process)


def test_failed_start_is_explained_in_one_line(stopped: Server) -> None:
    with pytest.raises(AtelierError, match=r"^PostgreSQL did not start: .*wal_level.*$"):
        stopped.start({"wal_level": "nonsense"})


def test_incomplete_data_folder_is_not_used(tmp_path: Path, stopped: Server) -> None:
    tmp_path.chmod(0o755)
    broken = Server(
        stopped.programs, tmp_path / "missing" / "data", tmp_path, stopped.log, stopped.account
    )
    with pytest.raises(OSError, match="missing"):
        broken.create()
    assert not broken.data.exists()


def test_restart_restores_shared_buffers(stopped: Server) -> None:
    process = stopped.start(FAST)
    try:
        asyncio.run(_ask(stopped, "CREATE EXTENSION pg_buffercache"))
        asyncio.run(_ask(stopped, "CREATE TABLE hot AS SELECT generate_series(1, 10000)"))
        held = asyncio.run(_ask(stopped, _IN_MEMORY))
    finally:
        stop(process)
    process = stopped.start(FAST)
    try:
        wait_until(lambda: asyncio.run(_ask(stopped, _IN_MEMORY)) == held, "it is not brought back")
    finally:
        stop(process)


async def _ask(server: Server, query: str) -> object:
    connection = await asyncpg.connect(server.dsn())
    try:
        rows = await connection.fetch(query)
        return rows and rows[0][0]
    finally:
        await connection.close()
