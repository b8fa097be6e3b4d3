"""`Idempotency-Key`: a write with a key can be repeated, and is applied once."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from tests.contract.api import (
    ADD_ANSWER,
    ADD_QUESTION,
    NEW_ANSWER,
    NEW_QUESTION,
    VOTES,
    Route,
    answers,
    questions,
    refusal,
)
from tests.contract.conftest import Shop
from tests.support.data import new_product_id

WRITES = [ADD_QUESTION, ADD_ANSWER, *VOTES]


def with_key(value: str | None = None) -> dict[str, str]:
    """Return headers with the given key, or a new one."""
    return {"Idempotency-Key": value or str(uuid4())}


def target(route: Route, shop: Shop) -> int:
    """Return the id for a route."""
    return shop.answer_id if "/answers/" in route.path else shop.question_id


@pytest.mark.parametrize("route", WRITES)
async def test_repeated_write_gets_the_first_response_marked_as_replayed(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    headers = with_key()
    first = await route.call(client, target(route, shop), headers=headers)
    assert first.is_success
    assert "idempotency-replayed" not in first.headers
    for _ in range(4):
        again = await route.call(client, target(route, shop), headers=headers)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotency-replayed"] == "true"


async def test_concurrent_repetitions_are_applied_once(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    product_id = new_product_id()
    question = {**NEW_QUESTION, "product_id": product_id}
    url = f"/qa/questions/{shop.question_id}"
    keys = [with_key() for _ in range(3)]
    for responses in await asyncio.gather(
        *(
            asyncio.gather(
                ADD_QUESTION.call(client, None, json=question, headers=keys[0]),
                ADD_ANSWER.call(client, shop.question_id, json=NEW_ANSWER, headers=keys[1]),
                client.put(f"{url}/helpful", headers=keys[2]),
            )
            for _ in range(8)
        )
    ):
        assert [response.status_code for response in responses] == [201, 201, 204]
    assert len(await questions(client, product_id)) == 1
    assert len(await answers(client, shop.question_id)) == 2
    [voted] = await questions(client, shop.product_id)
    assert voted["question_helpfulness"] == 1


@pytest.mark.parametrize("route", WRITES)
async def test_key_used_for_another_request_is_rejected(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    headers = with_key()
    other = {**NEW_QUESTION, "product_id": new_product_id()}
    assert (await ADD_QUESTION.call(client, None, json=other, headers=headers)).status_code == 201
    response = await route.call(client, target(route, shop), headers=headers)
    assert refusal(response) == (422, "Error: this Idempotency-Key was used for another request")


@pytest.mark.parametrize("value", ["", "a b", "a\tb", "a" * 256, "é"], ids=ascii)
@pytest.mark.parametrize("route", WRITES)
async def test_a_key_of_other_than_visible_ascii_characters_is_refused(
    client: httpx.AsyncClient, shop: Shop, route: Route, value: str
) -> None:
    headers = {"Idempotency-Key": value.encode()}
    response = await route.call(client, target(route, shop), headers=headers)
    status, text = refusal(response)
    assert status == 400
    assert text.startswith("Error: invalid Idempotency-Key provided")


async def test_rejected_write_does_not_use_its_key(client: httpx.AsyncClient, shop: Shop) -> None:
    headers = with_key()
    for body in ({**NEW_ANSWER, "email": "nobody"}, {}):
        response = await ADD_ANSWER.call(client, shop.question_id, json=body, headers=headers)
        assert response.status_code == 422
    response = await ADD_ANSWER.call(client, 987654321987654321, json=NEW_ANSWER, headers=headers)
    assert response.status_code == 404
    response = await ADD_ANSWER.call(client, shop.question_id, json=NEW_ANSWER, headers=headers)
    assert response.status_code == 201
    assert "idempotency-replayed" not in response.headers
