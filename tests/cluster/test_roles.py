"""Instances connect as the service's role and do not know the admin URL."""

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
      AND backend_type = 'client backend' -- an autovacuum worker has no role
"""
_ADMIN = "ATELIER_ADMIN_DATABASE_URL"


def environments(home: Path) -> list[dict[str, str]]:
    """Return the environments of a service's instances."""
    instances = [each for each in processes_of(home) if "atelier serve " in each.command]
    texts = [os.fsdecode(Path(f"/proc/{each.pid}/environ").read_bytes()) for each in instances]
    return [
        {name: value for name, _, value in (each.partition("=") for each in text.split("\0"))}
        for text in texts
    ]


def connected_roles(admin: str) -> set[str]:
    """Return the roles that are connected to the database of an admin URL."""

    async def ask() -> set[str]:
        connection = await asyncpg.connect(admin)
        try:
            return {row[0] for row in await connection.fetch(_ROLES)}
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_instances_use_the_service_role_of_the_embedded_database(operated: Operated) -> None:
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
        assert connected_roles(admin) == {"atelier_service"}
        operated.command("reload")  # which also migrates, as the owner


async def test_instances_do_not_know_the_admin_url(database: str) -> None:
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
                assert "Loading the sample" in running.output
                done = run(folder / "home", "reload")
                assert done.returncode == 0, done.stderr
                return environments(folder / "home")

        found = await asyncio.to_thread(use)
    assert {each["ATELIER_DATABASE_URL"] for each in found} == {settings["ATELIER_DATABASE_URL"]}
    assert not [name for each in found for name in each if name.startswith(_ADMIN)]
    await connection.execute("DROP OWNED BY up_web; DROP ROLE up_web")
    await connection.close()


async def test_service_url_that_cannot_connect_stops_the_start(database: str) -> None:
    settings = {"ATELIER_DATABASE_URL": as_role(database, "nobody_there"), _ADMIN: database}
    with temporary_folder() as folder:
        done = await asyncio.to_thread(
            run, folder / "home", "up", PORT=str(free_port()), **settings
        )
    assert done.returncode == 1
    assert 'role "nobody_there" does not exist' in done.stderr
    assert "Ready" not in done.stdout


async def test_printed_grants_are_for_the_role_of_the_service_url(database: str) -> None:
    printed = await asyncio.to_thread(
        run,
        Path("/nonexistent/home"),
        "db",
        "roles",
        ATELIER_DATABASE_URL=as_role(database, "web"),
        ATELIER_ADMIN_DATABASE_URL=database,
    )
    assert printed.stdout == roles.statements("web")
