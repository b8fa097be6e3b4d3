"""POST: validation of bodies, names and e-mail addresses."""

import json

import httpx
import pytest

from tests.contract.api import ADD_ANSWER, ADD_QUESTION, NEW_ANSWER, NEW_QUESTION
from tests.contract.conftest import Shop
from tests.contract.posts import assert_refused, post, post_bytes

LONGEST = {"body": 1000, "name": 60}
BLANK = ["", " ", "\t\r\n", "\u2003\u00a0\u3000"]
MISTYPED = [None, 5, 5.5, True, [], ["text"], {}, {"text": "text"}]


@pytest.mark.parametrize("character", ["a", "é", "漢", "🎉"])
@pytest.mark.parametrize("name", LONGEST)
async def test_text_may_have_its_maximum_length_and_not_one_more(
    client: httpx.AsyncClient, shop: Shop, what: str, name: str, character: str
) -> None:
    for length in (1, LONGEST[name]):
        response = await post(client, shop, what, **{name: character * length})
        assert response.status_code == 201
    response = await post(client, shop, what, **{name: character * (LONGEST[name] + 1)})
    assert_refused(response, what, name)


@pytest.mark.parametrize("value", [*BLANK, *MISTYPED], ids=ascii)
@pytest.mark.parametrize("name", ["body", "name", "email"])
async def test_a_blank_or_mistyped_text_is_refused(
    client: httpx.AsyncClient, shop: Shop, what: str, name: str, value: object
) -> None:
    assert_refused(await post(client, shop, what, **{name: value}), what, name)


async def test_a_missing_field_is_refused(client: httpx.AsyncClient, shop: Shop, what: str) -> None:
    fields = {**NEW_QUESTION, **NEW_ANSWER}
    for name in ["body", "name", "email", *(["product_id"] if what == "Question" else [])]:
        rest = {key: value for key, value in fields.items() if key != name}
        response = await post_bytes(client, shop, what, json.dumps(rest).encode())
        assert_refused(response, what, name)


async def test_all_errors_are_reported_at_once(client: httpx.AsyncClient, shop: Shop) -> None:
    question = {"body": "", "name": 5, "email": "nobody", "product_id": "hello"}
    response = await ADD_QUESTION.call(client, None, json=question)
    assert_refused(response, "Question", "body", "name", "email", "product_id")
    answer = {"body": " ", "photos": ["nowhere"]}
    response = await ADD_ANSWER.call(client, shop.question_id, json=answer)
    assert_refused(response, "Answer", "body", "name", "email", "photos")


@pytest.mark.parametrize(
    "email",
    [
        "a@b.co",
        "first.last+tag@sub.example.museum",
        "o'neil_%x-1@example.com",
        "é@exämple.fr",
        "a" * 55 + "@b.co",
    ],
)
async def test_valid_email_address_is_accepted(
    client: httpx.AsyncClient, shop: Shop, what: str, email: str
) -> None:
    assert (await post(client, shop, what, email=email)).status_code == 201


@pytest.mark.parametrize(
    "email",
    [
        *("nobody", "a@b", "@b.co", "a@", "a@@b.co", "a@b@c.co", "a@.co", "a@b..co", "a@b.co."),
        *("a b@c.co", "a@b c.co", " a@b.co", "a@b.co ", "a@b.co\n", "a\x00@b.co", "a@b,co"),
        "a" * 56 + "@b.co",
    ],
    ids=ascii,
)
async def test_invalid_email_address_is_rejected(
    client: httpx.AsyncClient, shop: Shop, what: str, email: str
) -> None:
    assert_refused(await post(client, shop, what, email=email), what, "email")


@pytest.mark.parametrize("name", ["body", "name", "email"])
async def test_a_text_with_the_character_nul_is_refused(
    client: httpx.AsyncClient, shop: Shop, what: str, name: str
) -> None:
    assert_refused(await post(client, shop, what, **{name: "a\x00@b.co"}), what, name)


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\udfff", rb"\ud83d text", rb"\udc00\ud800"])
@pytest.mark.parametrize("name", ["body", "name"])
async def test_text_with_an_unpaired_surrogate_is_rejected(
    client: httpx.AsyncClient, shop: Shop, what: str, name: str, escape: bytes
) -> None:
    fields = {**NEW_QUESTION, **NEW_ANSWER, name: "HERE"}
    content = json.dumps(fields).encode().replace(b"HERE", escape)
    assert_refused(await post_bytes(client, shop, what, content), what, name)


async def test_a_surrogate_pair_is_one_character(
    client: httpx.AsyncClient, shop: Shop, what: str
) -> None:
    fields = {**NEW_QUESTION, **NEW_ANSWER, "body": "🎉" * 1000}
    content = json.dumps(fields, ensure_ascii=True).encode()
    assert (await post_bytes(client, shop, what, content)).status_code == 201
