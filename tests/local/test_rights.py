"""Missing privileges are reported with the GRANT; the documented ones suffice."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from atelier.local.postgres import roles
from atelier.local.postgres.connection_errors import admin_grants
from atelier.local.postgres.server import PORT, Server
from atelier.store.migrate import migrate
from tests.support.cluster import cluster, free_port
from tests.support.commands import left_behind, run
from tests.transfer.exports import load, write_export

_PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Own:
    """A test's own database, and two login roles with names that need quoting."""

    name: str
    owner: str
    other: str
    server: Server

    def url(self, role: str | None = None) -> str:
        user = f"{role}@" if role else ""
        host = f"host={self.server.sockets}&port={PORT}"
        return f"postgresql://{user}/{self.name}?{host}" if user else self.server.dsn(self.name)

    async def execute(self, statements: str, role: str | None = None) -> None:
        connection = await asyncpg.connect(self.url(role))
        try:
            await connection.execute(statements)
        finally:
            await connection.close()


@pytest.fixture
async def own(postgres: Server) -> AsyncIterator[Own]:
    number = next(_numbers)
    name, owner, other = f"rights-{number}", f"Shop {number}", f"shop_web_{number}"
    made = Own(name, owner.replace(" ", "%20"), other, postgres)
    connection = await asyncpg.connect(postgres.dsn())
    await connection.execute(f'CREATE ROLE "{owner}" LOGIN')
    await connection.execute(f"CREATE ROLE {other} LOGIN")
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield made
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.execute(f'DROP ROLE "{owner}", {other}')
    await connection.close()


def refused(own: Own, role: str, *command: str) -> str:
    """Run a command that must fail with one line; return the line."""
    done = run(Path("/nonexistent/home"), *command, ATELIER_DATABASE_URL=own.url(role))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("atelier: The role ")
    return done.stderr


def grants(line: str) -> str:
    return line[line.index("GRANT") :]


async def test_suggested_grants_suffice_for_a_migration(own: Own) -> None:
    line = refused(own, own.owner, "migrate")
    assert f'The role "{own.owner.replace("%20", " ")}" lacks privileges' in line
    assert f'in the database "{own.name}"' in line
    assert "permission denied for database" in line
    assert grants(line).count("GRANT") == 2
    await own.execute(grants(line))
    await migrate(own.url(own.owner))


async def test_only_missing_privileges_are_suggested(own: Own) -> None:
    role = f'"{own.owner.replace("%20", " ")}"'
    await own.execute(f'GRANT CREATE ON DATABASE "{own.name}" TO {role}')
    line = refused(own, own.owner, "migrate")
    assert "permission denied for schema public" in line
    assert grants(line) == f"GRANT USAGE, CREATE ON SCHEMA public TO {role};\n"


async def test_role_without_ownership_is_told_to_become_a_member(own: Own, tmp_path: Path) -> None:
    await own.execute(grants(refused(own, own.owner, "migrate")))
    await migrate(own.url(own.owner))
    folder = write_export(tmp_path / "export")
    for command in (("migrate",), ("import", str(folder), "--rejects", str(tmp_path / "rejects"))):
        line = refused(own, own.other, *command)
        assert f'GRANT "{own.owner.replace("%20", " ")}" TO {own.other};' in line
    await own.execute(grants(line))
    await load(own.url(own.other), folder)
    await own.execute(f'REVOKE "{own.owner.replace("%20", " ")}" FROM {own.other}')
    await own.execute(f"DROP OWNED BY {own.other} CASCADE")


async def test_service_does_not_start_for_a_role_that_cannot_create_its_tables(
    own: Own, tmp_path: Path
) -> None:
    settings = {"ATELIER_DATABASE_URL": own.url(own.owner), "PORT": str(free_port())}
    done = run(tmp_path / "home", "up", **settings)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "Ready" not in done.stdout
    assert grants(done.stderr).count("GRANT") == 2
    assert left_behind(tmp_path / "home") == []


async def test_superuser_membership_is_never_suggested(own: Own) -> None:
    await migrate(own.url())
    line = refused(own, own.owner, "migrate")
    assert "GRANT" not in line
    assert "belong to atelier: run this as atelier." in line


async def test_the_documented_grants_suffice_to_import_and_to_serve(
    own: Own, tmp_path: Path
) -> None:
    owner = f'"{own.owner.replace("%20", " ")}"'
    names = {"qa": f'"{own.name}"', "shop": owner, "shop_web": own.other}
    blocks = re.findall(r"```sql\n(.*?)```", _PAGE.read_text(), flags=re.DOTALL)
    assert blocks == ["\n".join(admin_grants("shop", "qa")) + "\n", roles.statements("shop_web")]
    for_owner, for_web = (
        re.sub(r"\b(?:qa|shop_web|shop)\b", lambda name: names[name[0]], block) for block in blocks
    )
    await own.execute(for_owner)
    await migrate(own.url(own.owner))
    await own.execute(for_web, own.owner)
    await load(own.url(own.owner), write_export(tmp_path / "export"))
    await asyncio.to_thread(use, own.url(own.other))
    done = run(Path("/nonexistent/home"), "migrate", ATELIER_DATABASE_URL=own.url(own.other))
    assert "up to date" in done.stdout


def use(database: str) -> None:
    """Send all kinds of client requests to a service; all must succeed."""
    key = {"Idempotency-Key": "k"}
    posted = {"body": "b", "name": "n", "email": "n@example.com"}
    with (
        cluster(database, instances=1) as running,
        httpx.Client(base_url=running.base_url) as client,
    ):
        done = [
            client.get("/qa/questions", params={"product_id": 7}),
            client.post("/qa/questions", json=posted | {"product_id": 7}, headers=key),
            client.post("/qa/questions/1/answers", json=posted | {"photos": ["http://a/b"]}),
            client.put("/qa/questions/1/helpful", headers={"Idempotency-Key": "l"}),
            client.put("/qa/answers/10/report"),
        ]
    assert [each.status_code for each in done] == [200, 201, 201, 204, 204]
    assert len(done[0].json()["results"]) == 2
