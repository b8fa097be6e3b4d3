"""The service through PgBouncer in transaction mode, with the settings of docs/deploy-hosts.md."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from atelier.local.postgres import roles
from atelier.local.postgres.server import USER, Server
from tests.support.cluster import Cluster, cluster
from tests.support.commands import run
from tests.support.pgbouncer import guide, pgbouncer
from tests.support.postgres import temporary_folder
from tests.transfer.exports import write_export

_PRODUCT = 7
_POST = {"product_id": _PRODUCT, "body": "Does it run?", "name": "n", "email": "n@shop.example"}


@dataclass
class Pooled:
    """A database, its owner's URLs directly and through PgBouncer, and the service's."""

    direct: str
    owner: str
    service: str


async def _prepare(url: str, *more: str) -> None:
    """Grant the service's role its privileges, and give it the settings of the guide."""
    await roles.ensure(url)
    connection = await asyncpg.connect(url)
    for statement in (guide("sql"), *more):
        await connection.execute(statement.replace("DATABASE atelier ", f"DATABASE {_name(url)} "))
    await connection.close()


def _name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


def _pooled(direct: str, port: int) -> Pooled:
    at = f"127.0.0.1:{port}/{_name(direct)}"
    return Pooled(direct, *(f"postgresql://{role}@{at}" for role in (USER, roles.SERVICE_ROLE)))


@pytest.fixture
async def pooled(postgres: Server, database: str) -> AsyncIterator[Pooled]:
    await _prepare(database)
    with temporary_folder() as folder, pgbouncer(postgres, _name(database), folder) as port:
        yield _pooled(database, port)


@pytest.fixture
def running(pooled: Pooled) -> Iterator[Cluster]:
    with cluster(pooled.service, instances=2) as made:
        yield made


@pytest.fixture
def client(running: Cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.base_url) as made:
        yield made


def page(client: httpx.Client) -> list[dict[str, object]]:
    answered = client.get("/qa/questions", params={"product_id": _PRODUCT})
    assert answered.status_code == 200
    results: list[dict[str, object]] = answered.json()["results"]
    return results


def at_once(count: int, call: Callable[[int], httpx.Response]) -> list[int]:
    """Call a function many times at once; return the statuses."""
    with ThreadPoolExecutor(16) as threads:
        return [answer.status_code for answer in threads.map(call, range(count))]


def test_pages_votes_and_posts_of_many_clients_share_two_connections(client: httpx.Client) -> None:
    assert client.post("/qa/questions", json=_POST).status_code == 201
    (question,) = page(client)
    path = f"/qa/questions/{question['question_id']}"
    answer = {"body": "Yes.", "name": "m", "email": "m@shop.example"}
    assert client.post(f"{path}/answers", json=answer).status_code == 201
    assert at_once(200, lambda _: client.put(f"{path}/helpful")) == [204] * 200
    assert at_once(200, lambda n: client.get(f"{path}/answers?count={n}")) == [200] * 200
    more = [_POST | {"body": f"Question {n}"} for n in range(30)]
    assert at_once(30, lambda n: client.post("/qa/questions", json=more[n])) == [201] * 30
    listed = client.get("/qa/questions", params={"product_id": _PRODUCT, "count": 1000}).json()
    assert [each["question_helpfulness"] for each in listed["results"]] == [200, *[0] * 30]
    assert len(listed["results"][0]["answers"]) == 1


def test_an_import_through_pgbouncer_is_refused_and_harms_nothing(
    pooled: Pooled, client: httpx.Client, tmp_path: Path
) -> None:
    export = str(write_export(tmp_path / "export"))
    for command in (("import", export), ("migrate",), ("db", "roles", "--apply")):
        refused = run(tmp_path / "home", *command, ATELIER_DATABASE_URL=pooled.owner)
        assert refused.returncode == 1, refused.stdout
        assert "leads to a pooler" in refused.stderr
        assert "ATELIER_ADMIN_DATABASE_URL" in refused.stderr
    assert page(client) == []


def test_an_import_over_the_direct_url_is_served_through_pgbouncer(
    pooled: Pooled, client: httpx.Client, tmp_path: Path
) -> None:
    assert page(client) == []  # its statements are prepared, for tables that are replaced now
    done = run(
        tmp_path / "home",
        "import",
        str(write_export(tmp_path / "export")),
        ATELIER_DATABASE_URL=pooled.service,
        ATELIER_ADMIN_DATABASE_URL=pooled.direct,
    )
    assert done.returncode == 0, done.stderr
    found = page(client)
    assert found
    voted = client.put(f"/qa/questions/{found[0]['question_id']}/helpful")
    assert voted.status_code == 204
    assert at_once(50, lambda _: client.get(f"/qa/questions?product_id={_PRODUCT}")) == [200] * 50


def test_new_posts_wait_for_moderation_behind_pgbouncer(postgres: Server, database: str) -> None:
    setting = "ALTER ROLE atelier_service IN DATABASE atelier SET atelier.moderation = 'pre'"
    asyncio.run(_prepare(database, setting))
    with (
        temporary_folder() as folder,
        pgbouncer(postgres, _name(database), folder, ",atelier.moderation") as port,
        cluster(_pooled(database, port).service, instances=1, ATELIER_MODERATION="pre") as made,
        httpx.Client(base_url=made.base_url) as client,
    ):
        assert client.post("/qa/questions", json=_POST).status_code == 201
        assert page(client) == []
