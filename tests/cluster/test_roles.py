"""What serves connects as a role of its own, and knows of no other."""

import asyncio
import os
from pathlib import Path

import asyncpg
import httpx

from atelier.local.host.home import Home
from atelier.local.postgres import roles
from atelier.local.postgres.server import PORT, USER
from tests.cluster.conftest import Operated
from tests.support.cluster import as_role, free_port
from tests.support.commands import processes_of, run, up
from tests.support.postgres import temporary_folder

_ROLES = """
    SELECT DISTINCT usename::text FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_ADMIN = "ATELIER_ADMIN_DATABASE_URL"


def environments(home: Path) -> list[dict[str, str]]:
    """Return the environment of each instance of a service."""
    served = [each for each in processes_of(home) if "atelier serve " in each.command]
    texts = [os.fsdecode(Path(f"/proc/{each.pid}/environ").read_bytes()) for each in served]
    return [
        {name: value for name, _, value in (each.partition("=") for each in text.split("\0"))}
        for text in texts
    ]


def connected(admin: str) -> set[str]:
    """Return the roles that are connected."""

    async def ask() -> set[str]:
        connection = await asyncpg.connect(admin)
        try:
            return {row[0] for row in await connection.fetch(_ROLES)}
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_on_the_embedded_database_instances_have_the_role_that_serves(operated: Operated) -> None:
    sockets = Home.open(operated.home).run / "postgresql"
    admin = f"postgresql://{USER}@/postgres?host={sockets}&port={PORT}"
    httpx.get(f"{operated.url}/qa/questions?product_id=1").raise_for_status()
    for _ in range(2):
        found = environments(operated.home)
        assert len(found) == 2
        assert all(_ADMIN not in environment for environment in found)
        assert {each["ATELIER_DATABASE_URL"] for each in found} == {
            as_role(admin, "atelier_service")
        }
        assert connected(admin) == {"atelier_service"}
        operated.command("reload")  # and migrates as the owner


async def test_with_two_addresses_instances_know_one_of_them(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("DROP ROLE IF EXISTS up_web; CREATE ROLE up_web LOGIN")
    port = free_port()
    with temporary_folder() as folder:
        secret = folder / "admin-url"
        secret.write_text(database)
        settings = {
            "ATELIER_DATABASE_URL": as_role(database, "up_web"),
            f"{_ADMIN}_FILE": str(secret),
            "PORT": str(port),
            "ATELIER_METRICS_PORT": str(free_port()),
            "INSTANCES": "1",
        }

        def use() -> list[dict[str, str]]:
            with up(folder / "home", **settings) as running:
                running.wait_for("Ready")
                page = httpx.get(f"http://127.0.0.1:{port}/qa/questions?product_id=1")
                assert page.status_code == 200
                assert "Loading the sample" in running.said
                done = run(folder / "home", "reload")
                assert done.returncode == 0, done.stderr
                return environments(folder / "home")

        found = await asyncio.to_thread(use)
    assert {each["ATELIER_DATABASE_URL"] for each in found} == {settings["ATELIER_DATABASE_URL"]}
    assert not [name for each in found for name in each if name.startswith(_ADMIN)]
    await connection.execute("DROP OWNED BY up_web; DROP ROLE up_web")
    await connection.close()


async def test_a_role_that_cannot_log_in_is_told_before_anything_is_started(database: str) -> None:
    settings = {"ATELIER_DATABASE_URL": as_role(database, "nobody_there"), _ADMIN: database}
    with temporary_folder() as folder:
        done = await asyncio.to_thread(
            run, folder / "home", "up", PORT=str(free_port()), **settings
        )
    assert done.returncode == 1
    assert 'role "nobody_there" does not exist' in done.stderr
    assert "Ready" not in done.stdout


async def test_rights_are_granted_by_name_of_the_role_in_the_service_s_address(
    database: str,
) -> None:
    printed = await asyncio.to_thread(
        run,
        Path("/nonexistent/home"),
        "db",
        "roles",
        ATELIER_DATABASE_URL=as_role(database, "web"),
        ATELIER_ADMIN_DATABASE_URL=database,
    )
    assert printed.stdout == roles.statements("web")
