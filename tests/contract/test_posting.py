"""POST: a post is stored, answered with `Created`, and visible in the next read."""

import asyncio
import json

import httpx
import pytest

from tests.contract.api import (
    ADD_ANSWER,
    ADD_QUESTION,
    NEW_ANSWER,
    NEW_QUESTION,
    answers,
    questions,
)
from tests.contract.conftest import Shop
from tests.support.data import Data, new_product_id

JSON_TYPES = ["application/json", "application/json; charset=utf-8", "Application/JSON", None]
FORM_TYPES = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=UTF-8",
    "Application/X-WWW-Form-Urlencoded",
]


def headers(content_type: str | None) -> dict[str, str]:
    """Return the headers for a content type, or none."""
    return {} if content_type is None else {"Content-Type": content_type}


def assert_created(response: httpx.Response) -> None:
    assert response.status_code == 201
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.content == b"Created"


async def test_a_question_shows_on_the_next_read_of_every_instance(
    client: httpx.AsyncClient, data: Data
) -> None:
    product_id = new_product_id()
    older = await data.question(product_id)
    assert_created(
        await ADD_QUESTION.call(client, None, json={**NEW_QUESTION, "product_id": product_id})
    )
    for page in await asyncio.gather(*(questions(client, product_id) for _ in range(12))):
        question = page[0]
        assert question["question_id"] > older
        assert question["question_body"] == NEW_QUESTION["body"]
        assert question["asker_name"] == NEW_QUESTION["name"]
        assert (question["question_helpfulness"], question["reported"]) == (0, False)
        assert question["answers"] == {}


async def test_an_answer_shows_on_the_next_read_of_every_instance(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    assert_created(await ADD_ANSWER.call(client, shop.question_id, json=NEW_ANSWER))
    pages = await asyncio.gather(*(answers(client, shop.question_id) for _ in range(6)))
    for page in pages:
        answer = page[0]
        assert answer["answer_id"] > shop.answer_id
        assert answer["body"] == NEW_ANSWER["body"]
        assert answer["answerer_name"] == NEW_ANSWER["name"]
        assert answer["helpfulness"] == 0
        assert [photo["url"] for photo in answer["photos"]] == NEW_ANSWER["photos"]
    products = await asyncio.gather(*(questions(client, shop.product_id) for _ in range(6)))
    for [question] in products:
        nested = question["answers"][str(pages[0][0]["answer_id"])]
        assert nested["body"] == NEW_ANSWER["body"]
        assert nested["photos"] == NEW_ANSWER["photos"]


async def test_the_email_address_is_kept(client: httpx.AsyncClient, data: Data, shop: Shop) -> None:
    product_id = new_product_id()
    await ADD_QUESTION.call(client, None, json={**NEW_QUESTION, "product_id": product_id})
    await ADD_ANSWER.call(client, shop.question_id, json=NEW_ANSWER)
    question = await data.row(
        "SELECT asker_email AS email FROM questions WHERE product_id = $1", product_id
    )
    answer = await data.row(
        "SELECT answerer_email AS email FROM answers WHERE question_id = $1 AND id > $2",
        shop.question_id,
        shop.answer_id,
    )
    assert question["email"] == NEW_QUESTION["email"]
    assert answer["email"] == NEW_ANSWER["email"]


@pytest.mark.parametrize("as_text", [False, True], ids=["number", "text"])
async def test_a_product_id_may_be_a_number_or_a_numeric_text(
    client: httpx.AsyncClient, *, as_text: bool
) -> None:
    product_id = new_product_id()
    value = str(product_id) if as_text else product_id
    assert_created(
        await ADD_QUESTION.call(client, None, json={**NEW_QUESTION, "product_id": value})
    )
    assert len(await questions(client, product_id)) == 1


@pytest.mark.parametrize("content_type", JSON_TYPES)
async def test_json_content_type_is_case_insensitive_and_optional(
    client: httpx.AsyncClient, shop: Shop, content_type: str | None
) -> None:
    content = json.dumps(NEW_ANSWER).encode()
    assert_created(
        await ADD_ANSWER.call(
            client, shop.question_id, content=content, headers=headers(content_type)
        )
    )
    assert len(await answers(client, shop.question_id)) == 2


@pytest.mark.parametrize("content_type", FORM_TYPES)
async def test_a_question_may_be_a_form(client: httpx.AsyncClient, content_type: str) -> None:
    product_id = new_product_id()
    content = f"body=Is+it+%F0%9F%8E%89%3F&name=a%26b&email=a%40b.co&product_id={product_id}"
    assert_created(
        await ADD_QUESTION.call(client, None, content=content, headers=headers(content_type))
    )
    [question] = await questions(client, product_id)
    assert (question["question_body"], question["asker_name"]) == ("Is it 🎉?", "a&b")


async def test_an_answer_may_be_a_form_with_any_number_of_photos(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    urls = ["https://example.com/a.jpg", "https://example.com/b.jpg?x=1&y=2"]
    for photos in [[], urls[:1], urls]:
        assert_created(
            await ADD_ANSWER.call(client, shop.question_id, data={**NEW_ANSWER, "photos": photos})
        )
        answer = (await answers(client, shop.question_id))[0]
        assert [photo["url"] for photo in answer["photos"]] == photos


@pytest.mark.parametrize("photos", [{}, {"photos": None}, {"photos": []}], ids=str)
async def test_an_answer_needs_no_photos(
    client: httpx.AsyncClient, shop: Shop, photos: dict[str, object]
) -> None:
    fields = {name: value for name, value in NEW_ANSWER.items() if name != "photos"}
    assert_created(await ADD_ANSWER.call(client, shop.question_id, json={**fields, **photos}))
    assert (await answers(client, shop.question_id))[0]["photos"] == []


async def test_unknown_fields_are_ignored(client: httpx.AsyncClient, shop: Shop) -> None:
    more = {"question_id": shop.question_id, "id": 1, "helpful": 99, "reported": True}
    assert_created(await ADD_ANSWER.call(client, shop.question_id, json={**NEW_ANSWER, **more}))
    answer = (await answers(client, shop.question_id))[0]
    assert (answer["helpfulness"], answer["body"]) == (0, NEW_ANSWER["body"])


async def test_texts_are_stored_as_they_were_sent(client: httpx.AsyncClient, shop: Shop) -> None:
    body = '"q" \\ \'; DROP TABLE answers; --\n\t é 漢字 👩‍👩‍👧 \u2028 {0} %s $1 \U0010fffd'
    await ADD_ANSWER.call(client, shop.question_id, json={**NEW_ANSWER, "body": body})
    assert (await answers(client, shop.question_id))[0]["body"] == body
