"""The questions that wait for an answer, and how long questions waited."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from atelier.cli.stats import duration
from atelier.store.connections.database import connect
from tests.support.cluster import Cluster
from tests.support.commands import run
from tests.support.data import Data, new_product_id

_START = datetime(2020, 1, 1, tzinfo=UTC)
_ORDERS = {
    "oldest": lambda each: (each["created_at"], each["id"]),
    "newest": lambda each: (-datetime.fromisoformat(each["created_at"]).timestamp(), -each["id"]),
    "helpful": lambda each: (-each["helpful"], -each["id"]),
}


@pytest.fixture(scope="session")
async def admin(service: Cluster, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=service.base_url, headers=headers, timeout=30) as client:
        yield client


async def page(admin: httpx.AsyncClient, **query: object) -> dict[str, Any]:
    response = await admin.get("/admin/v1/unanswered", params=query)  # type: ignore[arg-type] # any value
    assert response.status_code == 200, response.text
    return dict(response.json())


async def all_pages(admin: httpx.AsyncClient, **query: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        received = await page(admin, **query, **after)
        assert (received["time_to_first_answer"] is None) == bool(after)
        found += received["results"]
        if received["next"] is None:
            return found
        assert received["results"]
        after = {"after": received["next"]}


async def test_only_visible_questions_without_a_visible_answer_are_listed(
    admin: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    waiting = await data.question(product, helpful=3)
    hidden_answer = await data.question(product)
    await data.answer(hidden_answer, reported=True)
    await data.answer(await data.question(product))
    await data.question(product, reported=True)
    for sort in _ORDERS:
        found = await page(admin, product_id=product, sort=sort)
        assert {each["id"] for each in found["results"]} == {waiting, hidden_answer}
    [first] = [each for each in found["results"] if each["id"] == waiting]
    assert first == {
        "id": waiting,
        "product_id": product,
        "body": "Why is this product cheaper here than other sites?",
        "created_at": "2018-10-18T00:00:00.000Z",
        "author": "williamsmith",
        "helpful": 3,
    }


@pytest.mark.parametrize("sort", _ORDERS)
@pytest.mark.parametrize("of_product", [True, False])
async def test_pages_contain_every_question_once_in_order(
    admin: httpx.AsyncClient, data: Data, sort: str, *, of_product: bool
) -> None:
    product, year = new_product_id(), 2100 + list(_ORDERS).index(sort) * 2 + of_product
    start = datetime(year, 3, 1, tzinfo=UTC)
    asked = {
        await data.question(product, date=start + timedelta(milliseconds=n // 3), helpful=n % 4)
        for n in range(25)
    }
    filters: dict[str, object] = {
        "asked_from": f"{year}-01-01",
        "asked_before": f"{year + 1}-01-01",
    }
    if of_product:
        filters = {"product_id": product}
    for limit in (1, 7, 24, 25, 100):
        found = await all_pages(admin, sort=sort, limit=limit, **filters)
        assert [each["id"] for each in found] == [
            each["id"] for each in sorted(found, key=_ORDERS[sort])
        ]
        assert len(found) == len(asked)
        assert {each["id"] for each in found} == asked
    await data.connection.execute("DELETE FROM questions WHERE product_id = $1", product)


async def test_a_cursor_continues_in_the_order_of_its_page(
    admin: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    ids = [await data.question(product, date=_START + timedelta(hours=n)) for n in range(3)]
    first = await page(admin, product_id=product, sort="newest", limit=1)
    rest = await page(admin, product_id=product, sort="oldest", after=first["next"])
    assert [each["id"] for each in first["results"] + rest["results"]] == ids[::-1]


async def test_a_time_includes_its_begin_and_excludes_its_end(
    admin: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    ids = [await data.question(product, date=_START + timedelta(hours=n)) for n in range(3)]
    for asked_from, asked_before, expected in [
        ("2020-01-01", "2020-01-01T02:00:00Z", ids[:2]),
        ("2020-01-01T02:00:00+01:00", "2021-01-01", ids[1:]),
        ("2020-01-01T02:00:00.001Z", "2021-01-01", []),
    ]:
        found = await page(
            admin, product_id=product, asked_from=asked_from, asked_before=asked_before
        )
        assert [each["id"] for each in found["results"]] == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("sort", text) for text in ("", "votes", "OLDEST")),
        *(("limit", text) for text in ("0", "101", "x", "")),
        ("product_id", "x"),
        *(("asked_from", text) for text in ("yesterday", "2026-13-01", "2026-01-01T10:00:00")),
        ("asked_before", "0"),
        *(("after", text) for text in ("", "x", "votes.1.1", "oldest.1", "oldest.1.1.1")),
        ("after", f"oldest.{10**18 - 1}.{10**19 - 1}"),
        ("after", f"oldest.-{10**18 - 1}.1"),
    ],
)
async def test_an_invalid_parameter_is_named(
    admin: httpx.AsyncClient, name: str, text: str
) -> None:
    response = await admin.get("/admin/v1/unanswered", params={name: text})
    assert response.status_code == 422, response.text
    assert response.json()["parameter"] == name
    assert response.json()["detail"].startswith(f"{name} must be ")


async def test_questions_of_the_last_90_days_tell_how_long_they_waited(
    database: str,
) -> None:
    connection = await connect(database)
    data, now = Data(connection), datetime.now(UTC)
    for hours in range(1, 11):
        asked = now - timedelta(days=10)
        question = await data.question(5, date=asked)
        await data.answer(question, date=asked + timedelta(hours=hours))
        await data.answer(question, date=asked + timedelta(hours=hours + 5))
        await data.answer(question, date=asked, reported=True)
    old = await data.question(5, date=now - timedelta(days=91))
    await data.answer(old, date=now)
    oldest = await data.question(5, date=_START)
    await data.question(5, date=now - timedelta(days=1))
    await data.question(5, reported=True)
    await connection.execute("INSERT INTO rule_counts VALUES (2, 'casino', 1234, $1)", _START)
    await connection.close()

    def stats(*options: str) -> str:
        done = run(Path("/nonexistent/home"), "stats", *options, ATELIER_DATABASE_URL=database)
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = json.loads(await asyncio.to_thread(stats, "--json"))
    assert {name: found[name] for name in list(found)[:5]} == {
        "questions": 13,
        "answers": 21,
        "hidden_questions": 1,
        "hidden_answers": 10,
        "unanswered": 2,
    }
    assert oldest
    assert found["oldest_unanswered"] == "2020-01-01T00:00:00.000Z"
    assert found["time_to_first_answer"]["median_seconds"] == pytest.approx(6 * 3600)
    assert len(found["days"]) == 7
    assert sum(day["questions"] for day in found["days"]) == 1
    assert sum(day["answers"] for day in found["days"]) == 1
    counted = {"version": 2, "rule": "casino", "posts": 1234, "last_at": "2020-01-01T00:00:00.000Z"}
    assert found["rules"] == [counted]
    table = await asyncio.to_thread(stats)
    assert "6.0 hours" in table
    assert "1,234" in table
    assert found["days"][-1]["day"] in table


async def test_waiting_times_are_those_of_the_first_visible_answers(
    admin: httpx.AsyncClient, data: Data
) -> None:
    before = (await page(admin, limit=1))["time_to_first_answer"]
    asked = datetime.now(UTC) - timedelta(days=1)
    question = await data.question(new_product_id(), date=asked)
    between = (await page(admin, limit=1))["time_to_first_answer"]
    await data.answer(question, date=asked - timedelta(days=9))
    after = (await page(admin, limit=1))["time_to_first_answer"]
    assert between["questions"] > before["questions"]
    assert after["answered"] > between["answered"]
    assert after["median_seconds"] >= 0


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "none"),
        (0, "0 seconds"),
        (59.4, "59 seconds"),
        (90, "1.5 minutes"),
        (5400, "1.5 hours"),
        (86400 * 1234.5, "1,234.5 days"),
    ],
)
def test_a_time_is_shown_in_its_largest_unit(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown
