"""POST: validation of product ids and photos."""

import json

import httpx
import pytest

from tests.contract.api import ADD_ANSWER, ADD_QUESTION, NEW_ANSWER, NEW_QUESTION
from tests.contract.conftest import Shop
from tests.contract.posts import assert_refused


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 5.5, [], [5], {}, {"id": 5}, 0, -1, 2**63, 2**64, 10**30),
        *("", "hello", "null", "5.5", "1e3", "+5", "-5", "0", " 5", "5 ", "5\n", "1_000", "\uff15"),
        *("9223372036854775808", "9" * 5000),
    ],
    ids=lambda value: ascii(value)[:24],
)
async def test_a_product_id_that_is_no_positive_integer_is_refused(
    client: httpx.AsyncClient, value: object
) -> None:
    response = await ADD_QUESTION.call(client, None, json={**NEW_QUESTION, "product_id": value})
    assert_refused(response, "Question", "product_id")


@pytest.mark.parametrize(
    "number",
    [
        b"1e400",
        b"-1e400",
        b"1" * 21,
        b"1" * 5000,
        b"-" + b"1" * 5000,
        b"1E-400",
        b"-0",
        b"1." + b"0" * 5000,
    ],
    ids=lambda number: ascii(number)[:24],
)
async def test_a_number_beyond_all_bounds_is_refused(
    client: httpx.AsyncClient, number: bytes
) -> None:
    fields = json.dumps({**NEW_QUESTION, "product_id": 0}).encode()
    content = fields.replace(b'"product_id": 0', b'"product_id": ' + number)
    headers = {"Content-Type": "application/json"}
    response = await ADD_QUESTION.call(client, None, content=content, headers=headers)
    assert_refused(response, "Question", "product_id")


@pytest.mark.parametrize(
    "value", [1, 2**63 - 1, "1", "9223372036854775807", "0" * 5000 + "5"], ids=lambda v: str(v)[:24]
)
async def test_every_positive_integer_of_64_bits_is_a_product_id(
    client: httpx.AsyncClient, value: object
) -> None:
    response = await ADD_QUESTION.call(client, None, json={**NEW_QUESTION, "product_id": value})
    assert response.status_code == 201


@pytest.mark.parametrize(
    "photos",
    [
        "https://example.com/a.jpg",
        {"0": "https://example.com/a.jpg"},
        [None],
        [5],
        [["https://example.com/a.jpg"]],
        [{"url": "https://example.com/a.jpg"}],
        [""],
        ["example.com/a.jpg"],
        ["//example.com/a.jpg"],
        ["ftp://example.com/a.jpg"],
        ["javascript:alert(1)"],
        ["data:image/png;base64,AA=="],
        ["http://"],
        ["https:///a.jpg"],
        ["https://?a"],
        ["https://example.com/a b.jpg"],
        [" https://example.com/a.jpg"],
        ["https://example.com/a.jpg\n"],
        ["https://example.com/\x00"],
        ["https://example.com/a.jpg", "nowhere"],
        ["https://example.com/a.jpg"] * 6,
        ["https://example.com/".ljust(2049, "a")],
    ],
    ids=lambda photos: ascii(photos)[:40],
)
async def test_photos_that_are_not_up_to_five_urls_are_refused(
    client: httpx.AsyncClient, shop: Shop, photos: object
) -> None:
    response = await ADD_ANSWER.call(
        client, shop.question_id, json={**NEW_ANSWER, "photos": photos}
    )
    assert_refused(response, "Answer", "photos")


@pytest.mark.parametrize(
    "photos",
    [
        ["https://example.com/a.jpg"] * 5,
        ["http://localhost:8080/a", "HTTPS://EXAMPLE.COM", "https://例え.jp/写真?a=b#c"],
        ["https://example.com/".ljust(2048, "a")],
    ],
    ids=lambda photos: ascii(photos)[:40],
)
async def test_up_to_five_http_urls_are_photos(
    client: httpx.AsyncClient, shop: Shop, photos: object
) -> None:
    response = await ADD_ANSWER.call(
        client, shop.question_id, json={**NEW_ANSWER, "photos": photos}
    )
    assert response.status_code == 201
