"""Connection errors give the reason and a remedy in one line."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from atelier.errors import AtelierError
from atelier.local.postgres import database as module
from atelier.local.postgres.server import USER
from atelier.settings import Settings
from tests.support.cluster import free_port
from tests.support.commands import run
from tests.support.postgres import FAST, INSTALLED, server, temporary_folder

_ADMISSION = f"""
local all {USER} trust
local all locked,limited,unwelcome trust
host all shop 127.0.0.1/32 scram-sha-256
"""
_ROLES = """
CREATE ROLE shop LOGIN PASSWORD 's@cret';
CREATE ROLE stranger LOGIN;
CREATE ROLE locked NOLOGIN;
CREATE ROLE limited LOGIN CONNECTION LIMIT 0;
CREATE ROLE unwelcome LOGIN;
CREATE DATABASE closed;
REVOKE CONNECT ON DATABASE closed FROM PUBLIC;
"""


@dataclass(frozen=True)
class Strict:
    """A server that rejects some users."""

    folder: Path
    port: int

    def url(self, text: str) -> str:
        socket = f"host={self.folder / 'postgresql'}&port={self.port}"
        return text.format(tcp=f"127.0.0.1:{self.port}", socket=socket)


@pytest.fixture(scope="module")
async def strict() -> AsyncIterator[Strict]:
    port = free_port()
    with temporary_folder() as folder:
        admission = folder / "pg_hba.conf"
        admission.write_text(_ADMISSION)
        listen = {"listen_addresses": "127.0.0.1", "port": str(port), "hba_file": str(admission)}
        with server(INSTALLED["embedded"], folder, FAST | listen):
            made = Strict(folder, port)
            connection = await asyncpg.connect(
                made.url(f"postgresql://{USER}@/postgres?{{socket}}")
            )
            for statement in _ROLES.strip().splitlines():
                await connection.execute(statement)
            await connection.close()
            yield made


@pytest.mark.parametrize(
    ("url", "reason", "remedy"),
    [
        (
            "postgresql://shop:wr%40ng@{tcp}/postgres",
            "password authentication failed",
            "rejects this user and password: correct them in ATELIER_DATABASE_URL",
        ),
        ("postgresql://shop@{tcp}/postgres", "password", "correct them in ATELIER_DATABASE_URL"),
        (
            "postgresql://shop:s%40cret@{tcp}/missing",
            'database "missing" does not exist',
            "create it, or name another",
        ),
        ("postgresql://stranger@{tcp}/postgres", "no pg_hba.conf entry", "pg_hba.conf admit"),
        ("postgresql://locked@/postgres?{socket}", "not permitted to log in", "let this one"),
        ("postgresql://nobody@/postgres?{socket}", "no pg_hba.conf entry", "pg_hba.conf does"),
        ("postgresql://limited@/postgres?{socket}", "too many connections", "raise the limit"),
        (
            "postgresql://unwelcome@/closed?{socket}",
            "permission denied for database",
            'GRANT CONNECT ON DATABASE "closed" TO "unwelcome";',
        ),
        (
            "postgresql://shop:s%40cret@{tcp}/postgres?sslmode=require",
            "rejected SSL upgrade",
            "does not speak TLS",
        ),
        (
            "postgresql://shop:s%40cret@{tcp}/postgres?channel_binding=require",
            "channel_binding",
            "Remove this parameter",
        ),
        ("postgresql://shop@no.such.host.invalid/qa", "", "cannot be resolved"),
        ("postgresql://shop@127.0.0.1:1/qa", "Connect call failed", "Check that it is running"),
        ("postgresql://shop@a,b/qa?port=1,2,3", "2 hosts, but 3 ports", "Correct ATELIER_DATABASE"),
        (
            "postgresql://shop:wr%40ng@127.0.0.1:1,{tcp},[::1]:1/postgres",
            "password authentication failed",
            "rejects this user and password",
        ),
    ],
)
async def test_connection_error_names_the_reason_and_a_remedy(
    strict: Strict, url: str, reason: str, remedy: str
) -> None:
    with pytest.raises(AtelierError) as refused:
        await module._check(strict.url(url))  # noqa: SLF001 - as in a command, without a process
    message = str(refused.value)
    assert reason in message
    assert remedy in message
    assert "\n" not in message
    assert "cret" not in message
    assert "ng@" not in message


@pytest.mark.parametrize(
    "command", [("migrate",), ("import", "/"), ("verify", "/"), ("export", "to"), ("up",)]
)
def test_wrong_password_is_one_line_for_every_command(
    strict: Strict, tmp_path: Path, command: tuple[str, ...]
) -> None:
    url = strict.url("postgresql://shop:wr%40ng@{tcp}/postgres")
    done = run(tmp_path / "home", *command, ATELIER_DATABASE_URL=url, PORT=str(free_port()))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "rejects this user and password: correct them in ATELIER_DATABASE_URL" in done.stderr
    assert "ng@" not in done.stdout + done.stderr


def test_valid_url_connects(strict: Strict) -> None:
    url = strict.url("postgresql://shop:s%40cret@127.0.0.1:1,{tcp}/postgres\n")
    with module.database(Settings(database_url=url)) as dsn:
        assert dsn == url.strip()
