"""POST: syntax, content type and size of the body."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.contract.api import ADD_ANSWER, ADD_QUESTION, NEW_ANSWER, NEW_QUESTION, refusal
from tests.contract.conftest import Shop
from tests.contract.posts import assert_refused, post_bytes
from tests.support.data import new_product_id

KIBIBYTE = 1024


@pytest.mark.parametrize("content", [b"null", b"[]", b'"text"', b"5", b"true", b"[{}]"])
async def test_json_that_is_not_an_object_is_refused(
    client: httpx.AsyncClient, shop: Shop, what: str, content: bytes
) -> None:
    status, text = refusal(await post_bytes(client, shop, what, content))
    assert status == 422
    assert text.startswith(f"Error: {what} body contains invalid entries")


@pytest.mark.parametrize(
    "form",
    [
        "body=a&body=b&name=n&email=a%40b.co&product_id=5",
        "body=%00&name=n&email=a%40b.co&product_id=5",
        "body=&name=n&email=a%40b.co&product_id=5",
        "name=n&email=a%40b.co&product_id=5",
    ],
)
async def test_form_has_the_same_rules(
    client: httpx.AsyncClient, shop: Shop, what: str, form: str
) -> None:
    response = await post_bytes(
        client, shop, what, form.encode(), "application/x-www-form-urlencoded"
    )
    assert_refused(response, what, "body")


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b" ", b"{", b"}", b"{'body': 1}", b'{"body": "a",}', b"body=a", b"NaN", b"nul"),
        *(b'{"body": "\xff"}', b'{"body": "\xed\xa0\x80"}', b'{"body": "a\nb"}', b"\xff\xfe{\0"),
        *(b"{} {}", b'{"a": 01}', b"[" * 30_000, b"[" * 30_000 + b"]" * 30_000),
        b'{"body": ' * 5_000 + b"1" + b"}" * 5_000,
    ],
    ids=lambda content: ascii(content)[:24],
)
async def test_a_body_that_is_not_json_is_refused(
    client: httpx.AsyncClient, shop: Shop, what: str, content: bytes
) -> None:
    status, text = refusal(await post_bytes(client, shop, what, content))
    assert status == 400
    assert text.startswith("Error: ")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (
            b'{"a": 1,}',
            "Expecting property name enclosed in double quotes: line 1 column 9 (char 8)",
        ),
        (b"[1 , \n]", "Expecting value: line 2 column 1 (char 6)"),
        (b"[1,,2]", "Expecting value: line 1 column 4 (char 3)"),
        (b'{"a": "b', "Unterminated string starting at: line 1 column 7 (char 6)"),
        (b'{"a": "\\', "Unterminated string starting at: line 1 column 7 (char 6)"),
        (b"{} {}", "Extra data: line 1 column 4 (char 3)"),
        (b"[NaN]", "NaN is not a number"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b"[\xff]", "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte"),
        (
            b"\xef\xbb\xbf{}",
            "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
        ),
    ],
    ids=ascii,
)
async def test_json_errors_have_the_same_text_on_every_python(
    client: httpx.AsyncClient, shop: Shop, content: bytes, text: str
) -> None:
    response = await post_bytes(client, shop, "Answer", content)
    assert refusal(response) == (400, f"Error: the body is not JSON: {text}")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
async def test_a_body_may_be_nested_a_hundred_levels_deep_and_not_one_more(
    client: httpx.AsyncClient, shop: Shop, opening: str, closing: str
) -> None:
    plain = json.dumps({**NEW_ANSWER, "name": "[" * 30 + '{"\\' * 5, "email": "[{@example.com"})
    for levels in (1, 99, 100, 1000, 10_000):
        nested = f"{opening * levels}1{closing * levels}"
        content = f'{plain[:-1]}, "more": {nested}}}'.encode()
        response = await post_bytes(client, shop, "Answer", content)
        if levels < 100:
            assert response.status_code == 201
        else:
            deep = "Error: the body is nested more than 100 levels deep"
            assert refusal(response) == (400, deep)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ('"body": "b"', '"body"'),
        ('"b\\u006fdy": "Not at all"', '"body"'),
        ('"x": [{"k\\"": 1, "k\\"": 1}]', '"k\\""'),
        ('"x": {"": {"\\ud800": 1, "\\ud800": 2}}', '"\\ud800"'),
        ('"é": 1, "é": 1', '"\\u00e9"'),
        (f'"{"a" * 500}": 1, "{"a" * 500}": 1', f'"{"a" * 60}"'),
    ],
    ids=lambda value: ascii(value)[:24],
)
async def test_duplicate_name_in_an_object_is_rejected_and_named(
    client: httpx.AsyncClient, shop: Shop, what: str, more: str, name: str
) -> None:
    content = f"{json.dumps({**NEW_QUESTION, **NEW_ANSWER})[:-1]}, {more}}}".encode()
    response = await post_bytes(client, shop, what, content)
    assert refusal(response) == (
        400,
        f"Error: the body has an object with the duplicate name {name}",
    )


async def test_different_objects_can_have_the_same_name(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    more = {"body": {"body": [{"body": 1}, {"body": 2}]}}
    response = await ADD_ANSWER.call(client, shop.question_id, json={**NEW_ANSWER, "more": more})
    assert response.status_code == 201


async def test_brackets_in_texts_are_not_nesting(client: httpx.AsyncClient, shop: Shop) -> None:
    text = '[{"\\' * 200
    response = await ADD_ANSWER.call(client, shop.question_id, json={**NEW_ANSWER, "body": text})
    assert response.status_code == 201


@pytest.mark.parametrize("content", [b'"\\' * 20_000, b"[" * 101 + b'\\"' * 20_000])
async def test_unterminated_strings_are_rejected_quickly(
    client: httpx.AsyncClient, shop: Shop, content: bytes
) -> None:
    assert refusal(await post_bytes(client, shop, "Answer", content))[0] == 400


@pytest.mark.parametrize(
    "value", ["9" * 5000, "-" + "9" * 5000, "1e999999", '"\\ud800"', '{"\\udfff": 0}', "[[], {}]"]
)
async def test_unknown_field_may_contain_any_json(
    client: httpx.AsyncClient, shop: Shop, value: str
) -> None:
    content = f'{json.dumps(NEW_ANSWER)[:-1]}, "more": {value}}}'.encode()
    assert (await post_bytes(client, shop, "Answer", content)).status_code == 201


@pytest.mark.parametrize("name", ["body", "name", "email"])
async def test_escaped_unpaired_surrogate_is_rejected_per_field(
    client: httpx.AsyncClient, shop: Shop, what: str, name: str
) -> None:
    fields = {**NEW_QUESTION, **NEW_ANSWER, name: "a\ud83d@example.com"}
    content = json.dumps(fields).encode()
    assert b"\\ud83d" in content
    assert_refused(await post_bytes(client, shop, what, content), what, name)


@pytest.mark.parametrize("form", [b"body=%ff", b"body=\xff", b"&".join([b"a=1"] * 10_000)])
async def test_a_body_that_is_not_a_form_is_refused(
    client: httpx.AsyncClient, shop: Shop, what: str, form: bytes
) -> None:
    response = await post_bytes(client, shop, what, form, "application/x-www-form-urlencoded")
    status, text = refusal(response)
    assert status == 400
    assert text.startswith("Error: ")


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "application/xml", "multipart/form-data; boundary=x", "application/jsonp"),
        *("application/problem+json", "json", "*/*", "application/json, text/plain"),
    ],
)
async def test_a_body_of_another_type_is_refused(
    client: httpx.AsyncClient, shop: Shop, what: str, content_type: str
) -> None:
    content = json.dumps({**NEW_QUESTION, **NEW_ANSWER}).encode()
    status, text = refusal(await post_bytes(client, shop, what, content, content_type))
    assert status == 415
    assert text.startswith("Error: ")


async def test_a_body_may_have_64_kib_and_not_one_byte_more(
    client: httpx.AsyncClient, shop: Shop, what: str
) -> None:
    content = json.dumps({**NEW_QUESTION, **NEW_ANSWER}).encode()
    largest = content.ljust(64 * KIBIBYTE)
    assert (await post_bytes(client, shop, what, largest)).status_code == 201
    for size in (64 * KIBIBYTE + 1, 3 * KIBIBYTE * KIBIBYTE):
        status, text = refusal(await post_bytes(client, shop, what, content.ljust(size)))
        assert status == 413
        assert text.startswith("Error: ")


async def test_a_chunked_body_has_the_same_limit(client: httpx.AsyncClient, shop: Shop) -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        yield json.dumps(NEW_ANSWER).encode()
        for _ in range(count):
            yield b" " * KIBIBYTE

    response = await ADD_ANSWER.call(client, shop.question_id, content=chunks(60))
    assert response.status_code == 201
    response = await ADD_ANSWER.call(client, shop.question_id, content=chunks(65))
    assert refusal(response)[0] == 413


async def test_nothing_of_a_refused_body_is_stored(client: httpx.AsyncClient) -> None:
    product_id = new_product_id()
    await ADD_QUESTION.call(
        client, None, json={**NEW_QUESTION, "product_id": product_id, "email": "nobody"}
    )
    response = await client.get("/qa/questions", params={"product_id": product_id})
    assert response.json()["results"] == []
