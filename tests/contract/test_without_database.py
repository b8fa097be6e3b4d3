"""Responses of an instance without a database."""

from collections.abc import AsyncIterator

import pytest
from falcon.testing import ASGIConductor

from atelier.http.app import create_service
from atelier.settings import Settings
from tests.contract.api import ALL_ROUTES, NEW_ANSWER, NEW_QUESTION

NOWHERE = "postgresql://nobody@/nothing?host=/nonexistent"
POSTED = {**NEW_QUESTION, **NEW_ANSWER}


@pytest.fixture
async def alone() -> AsyncIterator[ASGIConductor]:
    async with ASGIConductor(create_service(Settings(request_timeout=1), NOWHERE).app) as conductor:
        yield conductor


async def test_every_route_says_when_to_try_again(alone: ASGIConductor) -> None:
    for route in ALL_ROUTES:
        body = POSTED if route.method == "POST" else None
        path, _, query = route.path.format(5).partition("?")
        response = await alone.simulate_request(route.method, path, query_string=query, json=body)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.text.startswith("Error: ")


async def test_a_bad_request_needs_no_database(alone: ASGIConductor) -> None:
    for method, path, status in [
        ("GET", "/qa/questions", 422),
        ("GET", "/qa/questions/5/answers?page=-1", 422),
        ("GET", "/qa/questions/x/answers", 404),
        ("POST", "/qa/questions", 400),
        ("POST", "/qa/questions/5/answers", 400),
        ("PUT", "/qa/questions/x/helpful", 404),
        ("PUT", "/qa/answers/x/report", 404),
        ("PUT", "/qa/questions", 405),
        ("GET", "/nowhere", 404),
    ]:
        response = await alone.simulate_request(method, path)
        assert response.status_code == status


async def test_the_instance_is_live_but_not_ready(alone: ASGIConductor) -> None:
    assert (await alone.simulate_get("/live")).status_code == 200
    for path, served in [
        ("/ready", {"reads": False, "writes": False}),
        ("/ready/reads", {"reads": False}),
    ]:
        response = await alone.simulate_get(path)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        detail = {"status": "not ready", "detail": "no database answers"}
        assert response.json == {**served, **detail}
