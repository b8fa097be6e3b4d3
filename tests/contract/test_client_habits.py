"""Requests that real clients send."""

from typing import Any

import httpx
import pytest

from tests.contract.api import (
    ADD_ANSWER,
    ADD_QUESTION,
    ALL_ROUTES,
    LIST_ANSWERS,
    LIST_QUESTIONS,
    NEW_ANSWER,
    NEW_QUESTION,
    VOTES,
    Route,
    questions,
)
from tests.contract.conftest import Shop
from tests.support.data import new_product_id

ORIGIN = {"Origin": "https://shop.example"}
JSON = {"Content-Type": "application/json"}
PUT_BODIES: dict[str, dict[str, Any]] = {
    "none": {},
    "null": {"json": None},
    "object": {"json": {}},
    "number in an object": {"json": {"body": 5}},
    "text in an object": {"json": {"question_id": "5"}},
    "empty JSON": {"content": b"", "headers": JSON},
    "broken JSON": {"content": b"{", "headers": JSON},
    "form": {"data": {"question_id": "5"}},
    "bytes": {"content": b"\xff\x00", "headers": {"Content-Type": "application/octet-stream"}},
}


def target(route: Route, shop: Shop) -> int:
    """Return the id for a route."""
    if "product_id" in route.path:
        return shop.product_id
    return shop.answer_id if "/answers/" in route.path else shop.question_id


@pytest.mark.parametrize("route", ALL_ROUTES)
async def test_a_trailing_slash_is_ignored_without_a_redirect(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    path, question_mark, query = route.path.partition("?")
    slashed = Route(route.method, f"{path}/{question_mark}{query}")
    response = await slashed.call(client, target(route, shop))
    assert response.status_code == {"GET": 200, "POST": 201, "PUT": 204}[route.method]


async def test_a_question_may_be_posted_to_a_slash_and_a_query(client: httpx.AsyncClient) -> None:
    product_id = new_product_id()
    new_question = {**NEW_QUESTION, "product_id": product_id}
    response = await client.post("/qa/questions/?product_id=1", json=new_question)
    assert (response.status_code, response.text) == (201, "Created")
    assert len(await questions(client, product_id)) == 1


@pytest.mark.parametrize("body", PUT_BODIES.values(), ids=PUT_BODIES)
@pytest.mark.parametrize("route", VOTES)
async def test_the_body_of_a_put_is_ignored(
    client: httpx.AsyncClient, shop: Shop, route: Route, body: dict[str, Any]
) -> None:
    response = await route.call(client, target(route, shop), **body)
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("route", ALL_ROUTES)
async def test_unknown_query_parameters_are_ignored(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    separator = "&" if "?" in route.path else "?"
    odd = Route(route.method, f"{route.path}{separator}sort=newest&sort=&_=1&%ff=%00&[]=a&=")
    response = await odd.call(client, target(route, shop))
    assert response.is_success


@pytest.mark.parametrize("route", ALL_ROUTES)
async def test_an_authorization_header_is_ignored(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    for value in ("ghp_0123456789", "Bearer x", "Basic !", ""):
        headers = {"Authorization": value}
        response = await route.call(client, target(route, shop), headers=headers)
        assert response.is_success


@pytest.mark.parametrize("route", ALL_ROUTES)
async def test_every_route_answers_the_preflight_of_any_origin(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    for slash in ("", "/"):
        response = await client.options(
            route.path.format(target(route, shop)).partition("?")[0] + slash,
            headers={
                **ORIGIN,
                "Access-Control-Request-Method": route.method,
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        assert response.status_code in (200, 204)
        assert response.headers["access-control-allow-origin"] in ("*", ORIGIN["Origin"])
        assert route.method in _listed(response, "access-control-allow-methods")
        allowed = _listed(response, "access-control-allow-headers")
        assert {"AUTHORIZATION", "CONTENT-TYPE"} <= allowed


@pytest.mark.parametrize("route", ALL_ROUTES)
async def test_another_origin_may_read_every_answer_errors_too(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    for which in (target(route, shop), "hello", 987654321987654321):
        response = await route.call(client, which, headers=ORIGIN)
        assert response.headers["access-control-allow-origin"] in ("*", ORIGIN["Origin"])


async def test_another_origin_may_read_why_a_post_is_refused(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    refusals = []
    for content_type, content in [
        ("application/json", b"{"),
        ("application/json", b"{}"),
        ("text/xml", b"<a/>"),
        ("application/json", b" " * 70_000),
        ("application/json", b" " * 3_000_000),
    ]:
        headers = {**ORIGIN, "Content-Type": content_type}
        response = await ADD_ANSWER.call(client, shop.question_id, content=content, headers=headers)
        refusals.append(response.status_code)
        assert response.headers["access-control-allow-origin"] in ("*", ORIGIN["Origin"])
    assert refusals == [400, 422, 415, 413, 413]


async def test_head_answers_where_get_does_with_the_same_headers_and_no_body(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    for path in [
        LIST_QUESTIONS.path.format(shop.product_id),
        LIST_ANSWERS.path.format(shop.question_id),
        LIST_QUESTIONS.path.format("hello"),
        LIST_ANSWERS.path.format("hello"),
        "/live",
        "/ready",
        "/ready/reads",
        "/openapi.yaml",
        "/docs",
        "/nowhere",
    ]:
        get, head = await client.get(path), await client.head(path)
        assert head.status_code == get.status_code
        assert head.content == b""
        assert _headers(head) == _headers(get)


async def test_posts_are_answered_repeatedly_on_one_connection(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    for route, body in [(ADD_QUESTION, NEW_QUESTION), (ADD_ANSWER, NEW_ANSWER)] * 3:
        response = await route.call(client, shop.question_id, json=body)
        assert response.status_code == 201
        await route.call(client, shop.question_id, content=b" " * 70_000, headers=JSON)


def _listed(response: httpx.Response, header: str) -> set[str]:
    return {item.strip().upper() for item in response.headers[header].split(",")}


def _headers(response: httpx.Response) -> dict[str, str]:
    own = {"date", "x-request-id", "transfer-encoding"}  # the last only with a body
    return {name: value for name, value in response.headers.items() if name not in own}
