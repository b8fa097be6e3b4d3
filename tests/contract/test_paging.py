"""`page` and `count`, the same for questions and for answers."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest

from tests.contract.api import refusal
from tests.support.data import Data, new_product_id

NOT_COUNTING_NUMBERS = [
    *("-1", "-9223372036854775808", "abc", "1.5", "", "null", "1e3", "+5", " 5", "5 ", "1_000"),
    *(
        "\uff15",
        "\u0663",
        "\u00b2",
        "0x10",
        "1,2",
        "5\n",
        "5\x00",
        "--1",
        "true",
        "Infinity",
        "[1]",
    ),
]
HUGE = ["10000000000", "9223372036854775807", "9223372036854775808", "1" + "0" * 30, "9" * 500]


@dataclass(frozen=True)
class Listing:
    """A list of seven items, and its URL."""

    path: str
    query: Mapping[str, str]
    key: str
    ids: list[int]

    async def get(
        self, client: httpx.AsyncClient, *more: tuple[str, str], **query: str
    ) -> httpx.Response:
        """Request a page."""
        pairs = (*self.query.items(), *query.items(), *more)
        return await client.get(self.path, params=pairs)

    async def page(self, client: httpx.AsyncClient, **query: str) -> list[int]:
        """Return the ids on a page."""
        response = await self.get(client, **query)
        assert response.status_code == 200
        return [row[self.key] for row in response.json()["results"]]


@pytest.fixture(params=["questions", "answers"])
async def listing(request: pytest.FixtureRequest, data: Data) -> Listing:
    product_id = new_product_id()
    if request.param == "questions":
        ids = [await data.question(product_id) for _ in range(7)]
        query = {"product_id": str(product_id)}
        return Listing("/qa/questions", query, "question_id", ids[::-1])
    question_id = await data.question(product_id)
    ids = [await data.answer(question_id) for _ in range(7)]
    return Listing(f"/qa/questions/{question_id}/answers", {}, "answer_id", ids[::-1])


async def test_pages_follow_each_other_without_a_gap(
    client: httpx.AsyncClient, listing: Listing
) -> None:
    pages = [await listing.page(client, page=str(n), count="3") for n in (1, 2, 3, 4)]
    assert pages == [listing.ids[:3], listing.ids[3:6], listing.ids[6:], []]


async def test_page_0_is_the_first_page(client: httpx.AsyncClient, listing: Listing) -> None:
    assert await listing.page(client, page="0", count="2") == listing.ids[:2]


async def test_count_0_is_an_empty_page(client: httpx.AsyncClient, listing: Listing) -> None:
    assert await listing.page(client, count="0") == []
    assert await listing.page(client, page="0", count="0") == []
    assert await listing.page(client, page=HUGE[-1], count="0") == []


async def test_leading_zeros_are_ignored(client: httpx.AsyncClient, listing: Listing) -> None:
    assert await listing.page(client, page="002", count="0" * 30 + "3") == listing.ids[3:6]


@pytest.mark.parametrize("count", ["500", "1000", *HUGE])
async def test_a_huge_count_gives_everything(
    client: httpx.AsyncClient, listing: Listing, count: str
) -> None:
    assert await listing.page(client, count=count) == listing.ids
    assert await listing.page(client, page="2", count=count) == []


@pytest.mark.parametrize("page", ["3", *HUGE])
async def test_a_page_beyond_the_end_is_empty(
    client: httpx.AsyncClient, listing: Listing, page: str
) -> None:
    assert await listing.page(client, page=page) == []
    assert await listing.page(client, page=page, count=HUGE[-1]) == []


@pytest.mark.parametrize("value", NOT_COUNTING_NUMBERS)
@pytest.mark.parametrize("name", ["page", "count"])
async def test_negative_or_invalid_number_is_rejected(
    client: httpx.AsyncClient, listing: Listing, name: str, value: str
) -> None:
    response = await listing.get(client, (name, value))
    assert refusal(response) == (422, f"Error: invalid {name} provided")


@pytest.mark.parametrize("name", ["page", "count"])
async def test_a_parameter_given_twice_is_refused(
    client: httpx.AsyncClient, listing: Listing, name: str
) -> None:
    response = await listing.get(client, (name, "1"), (name, "1"))
    assert refusal(response) == (422, f"Error: invalid {name} provided")


async def test_more_than_a_hundred_results_fit_on_one_page(
    client: httpx.AsyncClient, data: Data
) -> None:
    product_id = new_product_id()
    ids = [await data.question(product_id) for _ in range(250)]
    listing = Listing("/qa/questions", {"product_id": str(product_id)}, "question_id", ids[::-1])
    assert await listing.page(client, count="240") == listing.ids[:240]
    assert await listing.page(client, count="10000000000") == listing.ids
    assert await listing.page(client, page="2", count="120") == listing.ids[120:240]
