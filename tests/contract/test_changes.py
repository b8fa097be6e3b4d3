"""`GET /admin/v1/changes`: a consumer learns of every change through the API."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract.api import NEW_ANSWER
from tests.contract.conftest import Shop
from tests.support.cluster import Cluster, cluster

PATH = "/admin/v1/changes"


class Consumer:
    """Follows the events from the moment of its creation on."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}
        self.cursor = "now"

    async def get(self, **parameters: object) -> httpx.Response:
        query = {name: str(value) for name, value in parameters.items()}
        return await self._client.get(PATH, params=query, headers=self._headers)

    async def follow(self, **parameters: object) -> list[dict[str, Any]]:
        response = await self.get(after=self.cursor, **parameters)
        assert response.status_code == 200, response.text
        page = response.json()
        self.cursor = page["next"]
        results: list[dict[str, Any]] = page["results"]
        return results

    async def of_question(self, question_id: int) -> list[dict[str, Any]]:
        """Return the new events of a question; other tests write, too."""
        return [e for e in await self.follow(limit=1000) if e["question_id"] == question_id]


@pytest.fixture
def single(service: Cluster) -> Iterator[Cluster]:
    """Return another instance on the database of the shared service."""
    with cluster(service.database, instances=1) as running:
        yield running


@pytest.fixture
async def consumer(client: httpx.AsyncClient, token: str) -> Consumer:
    consumer = Consumer(client, token)
    assert await consumer.follow() == []
    return consumer


async def test_posts_and_reports_are_events_and_votes_are_not(
    client: httpx.AsyncClient, consumer: Consumer, shop: Shop
) -> None:
    await client.post(f"/qa/questions/{shop.question_id}/answers", json=NEW_ANSWER)
    await client.put(f"/qa/answers/{shop.answer_id}/helpful")
    await client.put(f"/qa/answers/{shop.answer_id}/report")
    asked, answered, posted, reported = await consumer.of_question(shop.question_id)
    kinds = [event["kind"] for event in (asked, answered, posted, reported)]
    assert kinds == ["asked", "answered", "answered", "reported"]
    assert posted["content"]["body"] == NEW_ANSWER["body"]
    assert (reported["id"], reported["content"]) == (shop.answer_id, None)
    assert asked["product_id"] == asked["content"]["product_id"] == shop.product_id
    assert asked["content"]["answers"] == [posted["content"]]
    assert "email" not in str(asked)


async def test_who_waits_gets_a_change_from_any_instance(
    client: httpx.AsyncClient, consumer: Consumer, token: str, shop: Shop
) -> None:
    await consumer.follow(limit=1000)
    others = [Consumer(client, token) for _ in range(6)]
    for other in others:
        other.cursor = consumer.cursor
    waiting = [asyncio.create_task(each.follow(wait=30)) for each in others]
    await asyncio.sleep(0.2)
    await client.put(f"/qa/questions/{shop.question_id}/report")
    for events in await asyncio.gather(*waiting):
        assert events


async def test_pages_follow_each_other_without_gaps(
    consumer: Consumer, client: httpx.AsyncClient, shop: Shop
) -> None:
    for _ in range(5):
        await client.post(f"/qa/questions/{shop.question_id}/answers", json=NEW_ANSWER)
    positions: list[int] = []
    while events := await consumer.follow(limit=2):
        assert len(events) <= 2
        positions += [event["position"] for event in events]
    assert len(positions) >= 7
    assert positions == list(range(positions[0], positions[0] + len(positions)))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("after", ["", "later", "1", "1-", "-1-1", "1-2-3", "1" * 19 + "-1"]),
        ("limit", ["", "0", "1001", "-1", "1.5", "x"]),
        ("wait", ["", "31", "-1", "1.5", "9" * 30]),
    ],
)
async def test_an_invalid_parameter_is_named(
    consumer: Consumer, name: str, values: list[str]
) -> None:
    for value in values:
        response = await consumer.get(**{name: value})
        assert response.status_code == 422
        assert response.json()["parameter"] == name


async def test_a_cursor_that_no_event_continues_gets_410(consumer: Consumer) -> None:
    response = await consumer.get(after=f"{10**17}-1")
    assert response.status_code == 410
    assert "after=now" in response.json()["detail"]


async def test_an_instance_that_stops_answers_who_waits(single: Cluster, token: str) -> None:
    async with httpx.AsyncClient(base_url=single.base_url, timeout=30) as client:
        consumer = Consumer(client, token)
        await consumer.follow()
        waiting = asyncio.create_task(consumer.follow(wait=30))
        await asyncio.sleep(0.5)
        single.instances[0].terminate()
        await waiting
    await asyncio.to_thread(single.instances[0].wait, 20)
