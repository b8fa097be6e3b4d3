"""PUT: helpful votes and reports."""

import asyncio

import httpx
import pytest

from tests.contract.api import VOTES, Route, answers, questions
from tests.contract.conftest import Shop
from tests.support.data import Data

SEVERAL = 12  # concurrent reads: enough to reach every instance


def assert_done(response: httpx.Response) -> None:
    assert response.status_code == 204
    assert response.content == b""
    assert "content-type" not in response.headers


async def test_a_questions_vote_shows_on_the_next_read_of_any_instance(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    for votes in (1, 2, 3):
        assert_done(await client.put(f"/qa/questions/{shop.question_id}/helpful"))
        reads = (questions(client, shop.product_id) for _ in range(SEVERAL))
        for [question] in await asyncio.gather(*reads):
            assert question["question_helpfulness"] == votes


async def test_an_answers_vote_shows_on_the_next_read_of_any_instance(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    for votes in (1, 2, 3):
        assert_done(await client.put(f"/qa/answers/{shop.answer_id}/helpful"))
        reads = (questions(client, shop.product_id) for _ in range(SEVERAL))
        for [question] in await asyncio.gather(*reads):
            assert question["answers"][str(shop.answer_id)]["helpfulness"] == votes
        pages = (answers(client, shop.question_id) for _ in range(SEVERAL))
        for [answer] in await asyncio.gather(*pages):
            assert answer["helpfulness"] == votes


async def test_a_reported_question_and_its_answers_are_gone_on_the_next_read(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    assert_done(await client.put(f"/qa/questions/{shop.question_id}/report"))
    reads = (questions(client, shop.product_id) for _ in range(SEVERAL))
    assert await asyncio.gather(*reads) == [[]] * SEVERAL
    pages = (answers(client, shop.question_id) for _ in range(SEVERAL))
    assert await asyncio.gather(*pages) == [[]] * SEVERAL


async def test_a_reported_answer_is_gone_on_the_next_read(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    assert_done(await client.put(f"/qa/answers/{shop.answer_id}/report"))
    reads = (questions(client, shop.product_id) for _ in range(SEVERAL))
    for [question] in await asyncio.gather(*reads):
        assert question["answers"] == {}
    pages = (answers(client, shop.question_id) for _ in range(SEVERAL))
    assert await asyncio.gather(*pages) == [[]] * SEVERAL


@pytest.mark.parametrize("route", VOTES)
async def test_a_vote_touches_nothing_else(
    client: httpx.AsyncClient, data: Data, shop: Shop, route: Route
) -> None:
    other = await data.question(shop.product_id)
    other_answer = await data.answer(other)
    target = shop.question_id if "/questions/" in route.path else shop.answer_id
    assert_done(await route.call(client, target))
    [question] = [
        question
        for question in await questions(client, shop.product_id)
        if question["question_id"] == other
    ]
    assert question["question_helpfulness"] == 0
    assert question["answers"][str(other_answer)]["helpfulness"] == 0


async def test_reported_items_can_be_reported_and_voted_on_again(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    for path in (f"/qa/answers/{shop.answer_id}", f"/qa/questions/{shop.question_id}"):
        for action in ("report", "report", "helpful"):
            assert_done(await client.put(f"{path}/{action}"))


async def test_a_vote_changes_the_order_of_the_next_page(
    client: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    newer = await data.question(shop.product_id)
    found = [q["question_id"] for q in await questions(client, shop.product_id)]
    assert found == [newer, shop.question_id]
    await client.put(f"/qa/questions/{shop.question_id}/helpful")
    found = [q["question_id"] for q in await questions(client, shop.product_id)]
    assert found == [shop.question_id, newer]


async def test_votes_cast_at_once_are_all_counted(client: httpx.AsyncClient, shop: Shop) -> None:
    url = f"/qa/questions/{shop.question_id}/helpful"
    for response in await asyncio.gather(*(client.put(url) for _ in range(40))):
        assert_done(response)
    [question] = await questions(client, shop.product_id)
    assert question["question_helpfulness"] == 40
