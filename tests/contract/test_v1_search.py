"""`q` on the questions of a product, and GET /v1/products/{id}/similar."""

from typing import Any

import httpx
import pytest

from tests.contract.conftest import Shop
from tests.support.data import Data, new_product_id


async def get(client: httpx.AsyncClient, path: str, **query: object) -> dict[str, Any]:
    params = {name: str(value) for name, value in query.items()}
    response = await client.get(f"/v1/products/{path}", params=params)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def ids(page: dict[str, Any]) -> list[int]:
    return [question["id"] for question in page["results"]]


async def test_a_search_returns_questions_with_what_matches(
    client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    question = await data.question(product, body="Is the CAFÉ 👍 mug waterproof?", helpful=2)
    answer = await data.answer(question, body="Our café mugs are", name="Seller")
    await data.question(product, body="Anything else?")

    page = await get(client, f"{product}/questions", q="cafe waterprof")

    plain = (await get(client, f"{product}/questions"))["results"][0]
    assert page["results"] == [
        {
            **plain,
            "matches": [
                {
                    "part": "question",
                    "snippet": "Is the CAFÉ 👍 mug waterproof?",
                    "ranges": [[7, 11], [18, 28]],
                },
                {
                    "part": "answer",
                    "answer_id": answer,
                    "snippet": "Our café mugs are",
                    "ranges": [[4, 8]],
                },
            ],
        }
    ]
    assert page["next"] is None
    assert page["totals"] == (await get(client, f"{product}/questions"))["totals"]


async def test_pages_of_a_search_follow_each_other(client: httpx.AsyncClient, data: Data) -> None:
    product = new_product_id()
    expected = [await data.question(product, body="Which size?") for _ in range(5)][::-1]
    found: list[int] = []
    after = None
    for _ in range(3):
        cursor: dict[str, str] = {"after": after} if after else {}
        page = await get(client, f"{product}/questions", q="SIZE", limit=2, answers=0, **cursor)
        found += ids(page)
        after = page["next"]
    assert (found, after) == (expected, None)


async def test_results_are_sorted_and_filtered_like_the_questions_of_a_product(
    client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    questions = [
        await data.question(product, body=body, helpful=helpful)
        for body, helpful in [("Which size?", 1), ("The sizes?", 3), ("Colour?", 9), ("My size", 2)]
    ]
    await data.answer(questions[0])
    await data.answer(questions[2])

    async def found(**query: str) -> list[int]:
        page = await get(client, f"{product}/questions", q="size", **query)
        return [questions.index(question) for question in ids(page)]

    assert await found() == await found(sort="relevance") == [1, 3, 0]
    assert await found(sort="newest") == [3, 1, 0]
    assert await found(sort="oldest") == [0, 1, 3]
    assert await found(sort="most_answers") == [0, 3, 1]
    assert await found(filter="answered") == [0]
    assert await found(filter="unanswered", sort="oldest") == [1, 3]


async def test_a_vote_between_two_pages_repeats_no_question(
    client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    path = f"{product}/questions"
    questions = [await data.question(product, body="Which size?", helpful=n) for n in range(4)]
    first = await get(client, path, q="size", limit=2)
    for _ in range(9):
        await client.put(f"/qa/questions/{questions[3]}/helpful")
    await data.question(product, body="A new size?", helpful=100)
    second = await get(client, path, q="size", limit=2, after=first["next"])
    assert ids(first) + ids(second) == questions[::-1]


async def test_a_cursor_belongs_to_one_order_and_filter(
    client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    for _ in range(3):
        await data.question(product, body="Which size?")
    cursor = (await get(client, f"{product}/questions", q="size", limit=1))["next"]
    for other in ({"sort": "newest"}, {"filter": "answered"}, {"q": "sizes"}):
        query = {"q": "size", "after": cursor, **other}
        response = await client.get(f"/v1/products/{product}/questions", params=query)
        assert (response.status_code, response.json()["parameter"]) == (422, "after")


async def test_similar_questions_are_found_while_one_is_typed(
    client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    question = await data.question(product, body="Does it shrink in the wash?")
    await data.question(product, body="Where is it made?")
    page = await get(client, f"{product}/similar", text="will it shrink?", answers=0)
    assert ids(page) == [question]
    [match] = page["results"][0]["matches"]
    assert match["ranges"] == [[8, 14]]


async def test_new_answers_are_found_and_hidden_ones_are_not(
    client: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    path = f"{shop.product_id}/questions"
    answer = await data.answer(shop.question_id, body="A bumblebee fits in")
    assert ids(await get(client, path, q="bumblebee")) == [shop.question_id]
    assert (await client.put(f"/qa/answers/{answer}/report")).status_code == 204
    assert await get(client, path, q="bumblebee") == {
        **await get(client, path, q="cheaper bumblebee"),
        "results": [],
    }


async def test_without_matches_results_are_empty(client: httpx.AsyncClient, shop: Shop) -> None:
    assert (await get(client, f"{shop.product_id}/questions", q="%%%"))["results"] == []
    assert await get(client, f"{new_product_id()}/similar", text="anything") == {"results": []}


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("questions", {"q": "ab"}, "q"),
        ("questions", {"q": " a\u0301b "}, "q"),
        ("questions", {"q": "\u200b\u200b\u200b\u200b"}, "q"),
        ("questions", {"q": "a" * 201}, "q"),
        ("questions", {"q": ["one", "two"]}, "q"),
        ("questions", {"q": "size", "sort": "best"}, "sort"),
        ("questions", {"q": "size", "sort": ["newest", "newest"]}, "sort"),
        ("questions", {"sort": "relevance"}, "sort"),
        ("questions", {"q": "size", "filter": "some"}, "filter"),
        ("questions", {"q": "size", "after": "AAAA"}, "after"),
        ("questions", {"q": "size", "limit": "101"}, "limit"),
        ("similar", {}, "text"),
        ("similar", {"text": "ab"}, "text"),
        ("similar", {"text": "a" * 1001}, "text"),
        ("similar", {"text": "size", "limit": "21"}, "limit"),
    ],
)
async def test_invalid_parameters_are_named(
    client: httpx.AsyncClient, path: str, query: dict[str, Any], parameter: str
) -> None:
    response = await client.get(f"/v1/products/7/{path}", params=query)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["parameter"] == parameter


async def test_zero_characters_and_invalid_utf_8_are_searched_for_like_others(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    for query in ("abc%00def", "abc%FFdef", "%ED%A0%80abc"):
        response = await client.get(f"/v1/products/{shop.product_id}/questions?q={query}")
        assert (response.status_code, response.json()["results"]) == (200, [])
