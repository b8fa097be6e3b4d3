"""Posts under /v1: what was added is returned with its id, and shows on the next read."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from atelier.store.privacy import Mode, erase, find
from tests.contract.api import Route, answers, questions
from tests.contract.conftest import Shop
from tests.contract.voting import two_instances
from tests.support.data import Data, new_product_id

POST = {"body": " Does it shrink?\r\n", "name": "jane", "email": "jane@example.com"}
PHOTOS = ["https://example.com/b.jpg", "https://example.com/a.jpg"]
ASK = Route("POST", "/v1/products/{}/questions")
ANSWER = Route("POST", "/v1/questions/{}/answers")
REPORTS = [Route("POST", "/v1/questions/{}/reports"), Route("POST", "/v1/answers/{}/reports")]
VOTES = [Route("PUT", "/v1/questions/{}/vote"), Route("PUT", "/v1/answers/{}/vote")]
POSTS = [ASK, ANSWER]


def parent(route: Route, shop: Shop) -> int:
    """Return the id in the path of a route."""
    if "products" in route.path:
        return shop.product_id
    return shop.answer_id if "/answers/{}" in route.path else shop.question_id


async def send(
    client: httpx.AsyncClient,
    route: Route,
    target: object,
    key: str | None = None,
    fields: Mapping[str, object] | None = None,
) -> httpx.Response:
    """Send a body that is valid for every route, with these fields changed."""
    body = {**POST, "reason": "spam", **(fields or {})}
    headers = {"Idempotency-Key": key} if key else {}
    return await route.call(client, target, json=body, headers=headers)


def problem(response: httpx.Response) -> dict[str, Any]:
    """Return the problem document of an error response."""
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found.keys() - {"field", "parameter"} == {"type", "title", "status", "detail"}
    assert (found["type"], found["status"]) == ("about:blank", response.status_code)
    return found


async def test_a_question_is_returned_as_added_and_shows_on_the_next_read(
    client: httpx.AsyncClient,
) -> None:
    product_id = new_product_id()
    response = await send(client, ASK, product_id)
    [shown] = await questions(client, product_id)
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/questions/{shown['question_id']}"
    assert response.json() == {
        "id": shown["question_id"],
        "product_id": product_id,
        "body": "Does it shrink?",
        "created_at": shown["question_date"],
        "author": "jane",
        "helpful": 0,
        "answer_count": 0,
        "answers": [],
        "status": "published",
        "status_url": response.links["status"]["url"],
    }


@pytest.mark.parametrize("name", ["Seller", "seller"])
async def test_an_answer_is_returned_as_added_and_shows_on_the_next_read(
    client: httpx.AsyncClient, shop: Shop, name: str
) -> None:
    response = await send(client, ANSWER, shop.question_id, fields={"name": name, "photos": PHOTOS})
    [shown, _] = await answers(client, shop.question_id)
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/answers/{shown['answer_id']}"
    assert response.json() == {
        "id": shown["answer_id"],
        "question_id": shop.question_id,
        "body": "Does it shrink?",
        "created_at": shown["date"],
        "author": name,
        "is_seller": name == "Seller",
        "helpful": 0,
        "photos": shown["photos"],
        "status": "published",
        "status_url": response.links["status"]["url"],
    }
    assert [photo["url"] for photo in shown["photos"]] == PHOTOS


@pytest.mark.parametrize("route", POSTS)
async def test_a_replay_gets_the_first_response(
    client: httpx.AsyncClient, shop: Shop, data: Data, route: Route
) -> None:
    key = str(uuid4())
    first = await send(client, route, parent(route, shop), key, {"photos": PHOTOS})
    assert "idempotency-replayed" not in first.headers
    await data.connection.execute("UPDATE answers SET helpful = 7 WHERE id = $1", shop.answer_id)
    for _ in range(2):
        again = await send(client, route, parent(route, shop), key, {"photos": PHOTOS})
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["location"] == first.headers["location"]
        assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("route", POSTS)
async def test_concurrent_repetitions_add_one_post_and_all_get_its_id(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    key = str(uuid4())
    target = new_product_id() if route is ASK else shop.question_id
    responses = await asyncio.gather(*(send(client, route, target, key) for _ in range(20)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    read = questions(client, target) if route is ASK else answers(client, target)
    assert len(await read) == (1 if route is ASK else 2)


@pytest.mark.parametrize("route", [*POSTS, *REPORTS, *VOTES])
async def test_a_key_of_another_request_is_rejected(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    key = str(uuid4())
    await send(client, ASK, new_product_id(), key)
    response = await send(client, route, parent(route, shop), key)
    assert response.status_code == 422
    assert problem(response)["detail"] == "this Idempotency-Key was used for another request"


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("route", POSTS)
async def test_a_replay_does_not_reveal_a_post_that_was_erased(
    database: str, route: Route, mode: Mode
) -> None:
    async with two_instances(database) as service:
        target = await service.question() if route is ANSWER else 1
        headers = {"Idempotency-Key": "k"}
        path = route.path.format(target)
        first = await service.send("POST", path, json=POST, headers=headers)
        assert first.status_code == 201
        found = await find(service.connection, POST["email"])
        await erase(service.connection, POST["email"], found, mode, done_by="a test")
        other = {**POST, "body": "another"}
        for body in (POST, other):
            again = await service.send("POST", path, json=body, headers=headers)
            assert again.status_code == 410
        assert await service.rows("SELECT post_id FROM idempotency_keys") == [(None,)]


@pytest.mark.parametrize("route", POSTS)
async def test_a_replay_of_a_deleted_post_does_not_add_it_again(
    client: httpx.AsyncClient, shop: Shop, data: Data, route: Route
) -> None:
    key = str(uuid4())
    number = (await send(client, route, parent(route, shop), key)).json()["id"]
    table = "questions" if route is ASK else "answers"
    await data.connection.execute(f"DELETE FROM {table} WHERE id = $1", number)  # noqa: S608
    again = await send(client, route, parent(route, shop), key)
    assert again.status_code == 410
    assert "no longer exists" in problem(again)["detail"]


@pytest.mark.parametrize("route", POSTS)
@pytest.mark.parametrize(
    ("field", "value"),
    [("body", ""), ("body", 5), ("name", "a" * 61), ("email", "nobody"), ("body", "a\x00")],
)
async def test_an_invalid_field_is_named(
    client: httpx.AsyncClient, shop: Shop, route: Route, field: str, value: object
) -> None:
    response = await send(client, route, parent(route, shop), fields={field: value})
    found = problem(response)
    assert (response.status_code, found["field"]) == (422, field)
    assert found["detail"].startswith(f"{field}: ")


async def test_all_invalid_fields_are_explained_and_the_first_is_named(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    fields = {"body": None, "email": "x", "photos": ["ftp://a"] * 2}
    found = problem(await send(client, ANSWER, shop.question_id, fields=fields))
    assert found["field"] == "body"
    assert [text.partition(":")[0] for text in found["detail"].split("; ")] == [*fields]


@pytest.mark.parametrize("route", REPORTS)
@pytest.mark.parametrize("reason", [None, "", " ", 5, "a" * 201, "a\x00"])
async def test_a_report_needs_a_reason(
    client: httpx.AsyncClient, shop: Shop, route: Route, reason: object
) -> None:
    response = await send(client, route, parent(route, shop), fields={"reason": reason})
    assert (response.status_code, problem(response)["field"]) == (422, "reason")


@pytest.mark.parametrize("route", [*POSTS, *REPORTS])
@pytest.mark.parametrize(
    ("status", "content_type", "content"),
    [
        (422, "application/json", b"[]"),
        (422, "application/json", b"null"),
        (400, "application/json", b"{"),
        (400, "application/json", b""),
        (400, "application/json", b'{"body":1,"body":2}'),
        (415, "application/x-www-form-urlencoded", b"body=a"),
        (415, "text/plain", b"{}"),
        (413, "application/json", b" " * (64 * 1024 + 1)),
    ],
)
async def test_only_json_objects_of_limited_size_are_read(
    client: httpx.AsyncClient, route: Route, status: int, content_type: str, content: bytes
) -> None:
    headers = {"Content-Type": content_type, "Accept": "text/plain"}
    response = await route.call(client, 1, content=content, headers=headers)
    assert response.status_code == status
    assert problem(response)


@pytest.mark.parametrize("product_id", ["x", "0", "-1", "1.5", f"{2**63}"])
async def test_a_product_is_a_number_from_1(client: httpx.AsyncClient, product_id: str) -> None:
    response = await send(client, ASK, product_id)
    assert (response.status_code, problem(response)["field"]) == (422, "product_id")


@pytest.mark.parametrize("route", [ANSWER, *REPORTS, *VOTES])
@pytest.mark.parametrize("target", ["x", 2**63, 987654321987654321])
async def test_a_write_to_what_does_not_exist_is_404(
    client: httpx.AsyncClient, route: Route, target: object
) -> None:
    response = await send(client, route, target)
    kind = "answer" if "/answers/{}" in route.path else "question"
    assert response.status_code == 404
    assert problem(response)["detail"] == f"there is no {kind} with this id"


async def test_posts_of_both_apis_share_guards_and_the_daily_limit(database: str) -> None:
    async with two_instances(
        database, posts_per_day=2, spam_honeypot="website", spam_repeat_minutes=5
    ) as service:
        ask = "/v1/products/1/questions"
        old = {**POST, "product_id": 1}
        assert (await service.send("POST", "/qa/questions", json=old)).status_code == 201
        for spam, field in [(POST, "body"), ({**POST, "body": "b", "website": "x"}, "website")]:
            refused = await service.send("POST", ask, json=spam)
            assert (refused.status_code, refused.json["field"]) == (422, field)
        number = await service.question()
        path = f"/v1/questions/{number}/answers"
        assert (await service.send("POST", path, json={**POST, "body": "1"})).status_code == 201
        limited = await service.send("POST", ask, json={**POST, "body": "2"})
        assert limited.status_code == 429
        assert int(limited.headers["retry-after"]) > 0


async def test_a_post_replayed_above_the_daily_limit_still_gets_its_id(database: str) -> None:
    async with two_instances(database, posts_per_day=1) as service:
        path, headers = "/v1/products/1/questions", {"Idempotency-Key": "k"}
        first, again = [
            await service.send("POST", path, json=POST, headers=headers) for _ in range(2)
        ]
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json == again.json


@pytest.mark.parametrize("route", VOTES)
async def test_a_vote_counts_and_returns_the_new_number(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    number = parent(route, shop)
    for votes in (1, 2):
        response = await route.call(client, number)
        assert (response.status_code, response.json()) == (200, {"id": number, "helpful": votes})
        assert (await client.get(response.headers["location"])).json()["helpful"] == votes


async def test_a_vote_with_a_key_counts_once(client: httpx.AsyncClient, shop: Shop) -> None:
    key = str(uuid4())
    responses = [await send(client, VOTES[0], shop.question_id, key) for _ in range(3)]
    assert [response.json()["helpful"] for response in responses] == [1, 1, 1]
    replayed = [response.headers.get("idempotency-replayed") for response in responses]
    assert replayed == [None, "true", "true"]


@pytest.mark.parametrize("route", VOTES)
async def test_a_vote_cannot_be_taken_back_where_persons_are_not_known(
    client: httpx.AsyncClient, shop: Shop, route: Route
) -> None:
    await route.call(client, parent(route, shop))
    response = await client.delete(route.path.format(parent(route, shop)))
    assert response.status_code == 409
    assert "ATELIER_VOTE_ONCE" in problem(response)["detail"]
    assert (await route.call(client, parent(route, shop))).json()["helpful"] == 2


@pytest.mark.parametrize("route", REPORTS)
async def test_a_report_hides_and_its_reason_is_stored(
    client: httpx.AsyncClient, shop: Shop, data: Data, route: Route
) -> None:
    number = parent(route, shop)
    response = await send(client, route, number, fields={"reason": " rude "})
    assert (response.status_code, response.json()) == (201, {"id": number, "hidden": True})
    assert (await client.get(response.headers["location"])).status_code == 404
    assert len(await answers(client, shop.question_id)) == 0
    query = "SELECT reason FROM reports WHERE target_id = $1"
    assert await data.connection.fetchval(query, number) == "rude"


async def test_a_report_hides_once_enough_persons_have_reported(database: str) -> None:
    async with two_instances(database, vote_once="address", reports_to_hide=2) as service:
        path, reason = f"/v1/answers/{await service.answer()}/reports", {"reason": "r"}
        reports = [
            await service.send("POST", path, address, json=reason)
            for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
        ]
        assert [report.json["hidden"] for report in reports] == [False, False, True]
        counted = [report.headers.get("vote-counted") for report in reports]
        assert counted == [None, "false", None]


async def test_a_write_shows_on_the_next_read_of_another_instance(database: str) -> None:
    async with two_instances(database) as service:
        writer, reader = service.instances
        added = await writer.simulate_post("/v1/products/9/questions", json=POST)
        page = await reader.simulate_get("/qa/questions?product_id=9")
        assert [q["question_id"] for q in page.json["results"]] == [added.json["id"]]


async def test_pages_of_other_origins_may_read_the_headers(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    headers = {"Origin": "https://shop.example"}
    response = await ASK.call(client, shop.product_id, json=POST, headers=headers)
    assert response.headers["access-control-allow-origin"] == "*"
    assert "Location" in response.headers["access-control-expose-headers"]
