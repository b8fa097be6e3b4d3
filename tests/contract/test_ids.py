"""Ids in queries and paths: decimal integers of at most 64 bits, and nothing else."""

from urllib.parse import quote

import httpx
import pytest

from tests.contract.api import (
    ANSWER_VOTES,
    LIST_ANSWERS,
    LIST_QUESTIONS,
    QUESTION_ROUTES,
    QUESTION_WRITES,
    Route,
    refusal,
)

NOT_IDS = [
    *("hello", "null", "undefined", "NaN", "5.55", "5.0", "1e3", "0x10", "+5", " 5", "5 ", "5\n"),
    *(
        "1_000",
        "1,000",
        "--5",
        "-",
        "\uff15",
        "\u0665",
        "\u00b2",
        "\u00bd",
        "true",
        "[5]",
        "{}",
        "5;",
        "5'",
    ),
    *("9223372036854775808", "-9223372036854775809", "9" * 30, "9" * 5000),
]
EDGES = ["9223372036854775807", "-9223372036854775808", "-1", "0", "-0", "007", "0" * 30 + "7"]


def label(value: object) -> str | None:
    """Abbreviate long values in test ids."""
    return ascii(value)[:24] if isinstance(value, str) else None


def escaped(value: str) -> str:
    """Return a value encoded as one path segment."""
    return quote(value, safe="")


@pytest.mark.parametrize("value", ["", "5\x00", *NOT_IDS], ids=label)
async def test_a_product_id_that_is_no_integer_is_refused(
    client: httpx.AsyncClient, value: str
) -> None:
    response = await LIST_QUESTIONS.call(client, escaped(value))
    assert refusal(response) == (422, "Error: invalid product_id provided")


@pytest.mark.parametrize(
    "query", ["", "?product_id", "?product_id=", "?product_id=%ff", "?PRODUCT_ID=5", "?page=1"]
)
async def test_a_missing_product_id_is_refused(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/qa/questions{query}")
    assert refusal(response) == (422, "Error: invalid product_id provided")


@pytest.mark.parametrize("query", ["product_id=5&product_id=5", "product_id=5&product_id="])
async def test_a_product_id_given_twice_is_refused(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/qa/questions?{query}")
    assert refusal(response) == (422, "Error: invalid product_id provided")


@pytest.mark.parametrize("value", EDGES)
async def test_any_integer_of_64_bits_is_a_product_id_and_echoed_as_given(
    client: httpx.AsyncClient, value: str
) -> None:
    response = await LIST_QUESTIONS.call(client, value)
    assert response.status_code == 200
    assert response.json()["product_id"] == value


@pytest.mark.parametrize("value", [*NOT_IDS, "%ff"], ids=label)
@pytest.mark.parametrize("route", QUESTION_ROUTES)
async def test_a_question_id_that_is_no_integer_is_refused_on_every_route(
    client: httpx.AsyncClient, route: Route, value: str
) -> None:
    response = await route.call(client, value if value == "%ff" else escaped(value))
    assert refusal(response) == (404, "Error: invalid question id provided")


@pytest.mark.parametrize("value", [*NOT_IDS, "%ff"], ids=label)
@pytest.mark.parametrize("route", ANSWER_VOTES)
async def test_an_answer_id_that_is_no_integer_is_refused_on_every_route(
    client: httpx.AsyncClient, route: Route, value: str
) -> None:
    response = await route.call(client, value if value == "%ff" else escaped(value))
    assert refusal(response) == (404, "Error: invalid answer id provided")


@pytest.mark.parametrize("value", EDGES[:5])
async def test_any_integer_of_64_bits_may_be_asked_for_answers(
    client: httpx.AsyncClient, value: str
) -> None:
    response = await LIST_ANSWERS.call(client, value)
    assert response.status_code == 200
    assert response.json() == {"question": value, "page": 1, "count": 5, "results": []}


@pytest.mark.parametrize("value", ["987654321987654321", *EDGES[:4]])
@pytest.mark.parametrize("route", QUESTION_WRITES)
async def test_a_write_to_an_unknown_question_is_refused(
    client: httpx.AsyncClient, route: Route, value: str
) -> None:
    response = await route.call(client, value)
    assert refusal(response) == (404, "Error: invalid question id provided")


@pytest.mark.parametrize("value", ["987654321987654321", *EDGES[:4]])
@pytest.mark.parametrize("route", ANSWER_VOTES)
async def test_a_write_to_an_unknown_answer_is_refused(
    client: httpx.AsyncClient, route: Route, value: str
) -> None:
    response = await route.call(client, value)
    assert refusal(response) == (404, "Error: invalid answer id provided")
