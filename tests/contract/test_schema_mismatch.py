"""Responses of an instance while the database's schema does not fit its version."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from falcon.testing import ASGIConductor

from atelier.http.app import create_service
from atelier.http.common import logs
from atelier.local.postgres import roles
from atelier.local.postgres.server import Server
from atelier.settings import Settings
from atelier.store.connections.database import connect
from atelier.store.migrate import migrate, names
from tests.contract.api import ALL_ROUTES, NEW_ANSWER, NEW_QUESTION, VOTES, Route
from tests.contract.test_fast_path import instance
from tests.support.cluster import as_role
from tests.support.postgres import temporary_folder

_POSTED = {**NEW_QUESTION, **NEW_ANSWER}
_VOTE = "/qa/questions/1/helpful"
_PAGE = "/qa/questions?product_id=1"
_numbers = itertools.count(1)


@pytest.fixture
async def empty(postgres: Server) -> AsyncIterator[str]:
    """Return the URL of a database without tables, dropped after the test."""
    connection = await asyncpg.connect(postgres.dsn())
    name = f"empty_{next(_numbers)}"
    await connection.execute(f"CREATE DATABASE {name}")
    yield postgres.dsn(name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
def one_report(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Extend the log interval to the whole test."""
    monkeypatch.setattr(logs, "_LOG_INTERVAL_SECONDS", 3600.0)
    logs._last_logged.clear()  # noqa: SLF001 - earlier tests have logged, too
    yield
    logs._last_logged.clear()  # noqa: SLF001


async def call(alone: ASGIConductor, route: Route) -> tuple[int, str]:
    """Return the status and text of a response; a 503 must have Retry-After."""
    path, _, query = route.path.format(5).partition("?")
    body = _POSTED if route.method == "POST" else None
    response = await alone.simulate_request(route.method, path, query_string=query, json=body)
    if response.status_code == 503:
        assert int(response.headers["retry-after"]) >= 1
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
    return response.status_code, response.text


async def test_unmigrated_database_gives_a_remedy_on_every_route(empty: str) -> None:
    async with ASGIConductor(create_service(Settings(), empty).app) as alone:
        for route in ALL_ROUTES:
            assert await call(alone, route) == (
                503,
                "Error: the database is not migrated: run `atelier migrate`",
            )
        deep = await alone.simulate_get("/qa/questions?product_id=1&page=1000&count=100")
        assert deep.status_code == 503
        ready = await alone.simulate_get("/ready")
        assert (ready.status_code, ready.json["status"]) == (503, "not ready")
        assert ready.json["detail"].startswith("run `atelier migrate`; pending: 2026")


@pytest.mark.usefixtures("one_report")
async def test_schema_mismatch_is_logged_once_a_second_without_a_traceback(
    empty: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with ASGIConductor(create_service(Settings(), empty).app) as alone:
        for route in ALL_ROUTES * 2:
            await call(alone, route)
    # The webhooks' sender, which no request waits for, also says why it sends nothing.
    [record] = [each for each in caplog.records if each.module != "sender"]
    assert record.getMessage().startswith("the database is not migrated: run `atelier migrate`: ")
    assert record.exc_info is None


async def test_after_a_migration_an_instance_serves_without_a_restart(empty: str) -> None:
    with temporary_folder() as folder:
        async with instance(empty, folder) as running:
            assert (await running.client.get(_PAGE)).status_code == 503
            assert (await running.client.put(_VOTE)).status_code == 503
            await migrate(empty)
            assert (await running.client.get(_PAGE)).status_code == 200
            assert (await running.client.put(_VOTE)).status_code == 404
            assert (await running.client.get("/ready")).status_code == 200


async def test_concurrent_migrations_wait_for_each_other(empty: str) -> None:
    applied = await asyncio.gather(*(migrate(empty) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, len(names())]


async def test_statements_prepared_before_a_schema_swap_still_work(database: str) -> None:
    connection = await connect(database)
    async with ASGIConductor(create_service(Settings(), database).app) as alone:
        served = [await call(alone, route) for route in ALL_ROUTES]
        assert 503 not in {status for status, _ in served}
        await connection.execute("DROP SCHEMA atelier CASCADE")
        await connection.execute("DELETE FROM public._pogo_migration")
        assert {status for status, _ in [await call(alone, r) for r in ALL_ROUTES]} == {503}
        await migrate(database)
        assert [await call(alone, route) for route in ALL_ROUTES] == served
    await connection.close()


async def test_partially_migrated_database_rejects_only_what_it_lacks(database: str) -> None:
    connection = await connect(database)
    await connection.execute(
        "DROP FUNCTION count_votes; DELETE FROM public._pogo_migration WHERE migration_id ~ '_04_'"
    )
    async with ASGIConductor(create_service(Settings(), database).app) as alone:
        assert (await alone.simulate_get(_PAGE)).status_code == 200
        vote = await alone.simulate_put(_VOTE)
        assert (vote.status_code, vote.text) == (
            503,
            "Error: the database is not migrated: run `atelier migrate`",
        )
        ready = await alone.simulate_get("/ready")
        assert (ready.status_code, ready.json["reads"], ready.json["writes"]) == (503, True, False)
        assert ready.json["detail"] == "run `atelier migrate`; pending: 20261122_04_votes"
    await connection.close()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE question_documents RENAME TO pages",
        "ALTER TABLE question_documents RENAME document TO content",
        "ALTER TABLE question_documents ALTER document TYPE json USING document::json",
        "ALTER TABLE question_documents SET SCHEMA public",
    ],
)
async def test_newer_database_asks_to_install_the_newer_version(database: str, change: str) -> None:
    connection = await connect(database)
    await connection.execute(
        "INSERT INTO public._pogo_migration (migration_hash, migration_id, schema_name)"
        " VALUES ('x', '20991231_01_future', 'atelier')"
    )
    async with ASGIConductor(create_service(Settings(), database).app) as alone:
        assert (await alone.simulate_get("/ready")).status_code == 200
        await connection.execute(change)
        page = await alone.simulate_get(_PAGE)
        remedy = "the database is migrated for a newer version: install that version"
        assert (page.status_code, page.text) == (503, f"Error: {remedy}")
        ready = await alone.simulate_get("/ready")
        assert (ready.status_code, ready.json["detail"]) == (503, remedy)
    await connection.close()


async def test_missing_privileges_name_the_command_that_grants_them(database: str) -> None:
    remedy = "the database's role lacks privileges: run `atelier db roles --apply`"
    await roles.ensure(database)
    connection = await connect(database)
    service = as_role(database, roles.SERVICE_ROLE)
    async with ASGIConductor(create_service(Settings(), service).app) as alone:
        assert 503 not in [(await call(alone, route))[0] for route in ALL_ROUTES]
        for privilege in ("EXECUTE ON FUNCTION count_votes", "USAGE ON SCHEMA atelier"):
            await connection.execute(f"REVOKE {privilege} FROM {roles.SERVICE_ROLE}")
        assert await call(alone, VOTES[0]) == (503, f"Error: {remedy}")
        await connection.execute(
            f"REVOKE ALL ON public._pogo_migration, question_documents FROM {roles.SERVICE_ROLE}"
        )
        assert {(503, f"Error: {remedy}")} == {await call(alone, route) for route in ALL_ROUTES}
        ready = await alone.simulate_get("/ready")
        assert (ready.status_code, ready.json["detail"]) == (503, remedy)
        await roles.ensure(database)
        assert 503 not in [(await call(alone, route))[0] for route in ALL_ROUTES]
        assert (await alone.simulate_get("/ready")).status_code == 200
    await connection.close()
