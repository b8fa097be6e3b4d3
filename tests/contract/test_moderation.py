"""The routes of moderators, with tokens of every scope, over HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from atelier.store import tokens
from tests.contract.conftest import Shop
from tests.support.cluster import Cluster
from tests.support.data import Data, new_product_id

QUEUE, DECISIONS = "/admin/v1/queue", "/admin/v1/decisions"


@pytest.fixture(scope="session")
async def scopes(data: Data) -> dict[str, dict[str, str]]:
    """Return the headers with a token of each scope; each token is named after it."""
    headers = {}
    for scope in tokens.Scope:
        name = f"{scope.text} {new_product_id()}"
        token = await tokens.create(data.connection, name, scope)
        headers[scope.text] = {"Authorization": f"Bearer {token}"}
    return headers


@pytest.fixture
async def anna(
    service: Cluster, scopes: dict[str, dict[str, str]]
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client that may decide."""
    async with httpx.AsyncClient(
        base_url=service.base_url, headers=scopes["moderate"], timeout=30
    ) as client:
        yield client


async def queue(anna: httpx.AsyncClient, **query: object) -> list[dict[str, Any]]:
    response = await anna.get(QUEUE, params=query)  # type: ignore[arg-type] # plain values
    assert response.status_code == 200
    return list(response.json()["results"])


async def newest(anna: httpx.AsyncClient, target: str, number: int) -> dict[str, Any]:
    """Return a post's item in the list of all posts."""
    query: dict[str, str] = {"filter": "newest", "limit": "100"}
    while True:
        page = (await anna.get(QUEUE, params=query)).json()
        for item in page["results"]:
            if (item["target"], item["id"]) == (target, number):
                return dict(item)
        query["after"] = page["next"]


async def reported(anna: httpx.AsyncClient, shop: Shop) -> dict[str, Any]:
    """Report the shop's answer with a reason; return its item in the queue."""
    await anna.put(f"/qa/answers/{shop.answer_id}/report", json={"reason": "rude"})
    [item] = await queue(anna, product_id=shop.product_id)
    return item


def decision(item: dict[str, Any], action: str, **fields: object) -> dict[str, object]:
    named = {name: item[name] for name in ("target", "id", "version")}
    return {**named, "action": action, "reason": "spam", **fields}


async def shown(anna: httpx.AsyncClient, shop: Shop) -> dict[str, Any]:
    """Return the answers that shoppers see, by id."""
    response = await anna.get("/qa/questions", params={"product_id": shop.product_id})
    [question] = response.json()["results"]
    return dict(question["answers"])


async def test_reported_answer_is_restored_and_its_decision_recorded(
    anna: httpx.AsyncClient, shop: Shop
) -> None:
    item = await reported(anna, shop)
    assert (item["target"], item["id"], item["state"]) == ("answer", shop.answer_id, "reported")
    assert item["reasons"] == [{"reason": "rude", "count": 1}]
    assert await shown(anna, shop) == {}
    made = await anna.post(DECISIONS, json=decision(item, "restore", note="It is fine."))
    assert made.status_code == 201
    assert made.json()["note"] == "It is fine."
    assert made.json()["actor"].startswith("moderate ")
    assert (await anna.get(made.headers["location"])).json() == made.json()
    assert list(await shown(anna, shop)) == [str(shop.answer_id)]
    assert await queue(anna, product_id=shop.product_id) == []


async def test_second_moderator_gets_409_with_what_the_first_decided(
    anna: httpx.AsyncClient, shop: Shop
) -> None:
    item = await reported(anna, shop)
    first = await anna.post(DECISIONS, json=decision(item, "remove"))
    second = await anna.post(DECISIONS, json=decision(item, "restore"))
    assert second.status_code == 409
    assert second.headers["content-type"] == "application/problem+json"
    assert second.json()["decision"] == first.json()


async def test_batch_has_a_status_for_each_decision(anna: httpx.AsyncClient, shop: Shop) -> None:
    item = await reported(anna, shop)
    sent = [
        decision(item, "hold"),
        decision(item, "remove"),
        decision(item, "remove", target="question", id=-5),
    ]
    response = await anna.post(DECISIONS, json={"decisions": sent})
    assert response.status_code == 200
    results = response.json()["results"]
    assert [each["status"] for each in results] == [201, 409, 404]
    assert results[1]["decision"] == results[0]["decision"]


async def test_undo_is_a_decision_and_only_the_last_can_be_undone(
    anna: httpx.AsyncClient, shop: Shop
) -> None:
    item = await reported(anna, shop)
    made = (await anna.post(DECISIONS, json=decision(item, "restore"))).json()
    path = f"{DECISIONS}/{made['id']}/undo"
    undone = await anna.post(path, json={"reason": "mistake"})
    assert (undone.status_code, undone.json()["undoes"]) == (201, made["id"])
    assert await shown(anna, shop) == {}
    again = await anna.post(path, json={"reason": "mistake"})
    assert (again.status_code, again.json()["decision"]["id"]) == (409, undone.json()["id"])


async def test_seller_answers_and_corrects_from_the_queue(
    anna: httpx.AsyncClient, shop: Shop
) -> None:
    await anna.put(f"/qa/questions/{shop.question_id}/report")
    [item] = await queue(anna, product_id=shop.product_id)
    restored = (await anna.post(DECISIONS, json=decision(item, "restore"))).json()
    item = await newest(anna, "question", item["id"])
    assert item["last_decision"] == restored
    sent = decision(item, "answer_as_seller", text=" It does. ")
    answered = (await anna.post(DECISIONS, json=sent)).json()
    answer = (await shown(anna, shop))[str(answered["answer_id"])]
    assert (answer["answerer_name"], answer["body"]) == ("Seller", "It does.")


async def test_audit_trail_is_paged_filtered_and_exported(
    anna: httpx.AsyncClient, shop: Shop
) -> None:
    item = await reported(anna, shop)
    for action in ("hold", "remove", "restore"):
        made = (await anna.post(DECISIONS, json=decision(item, action))).json()
        item["version"] = f"{made['id']}-{item['version'].partition('-')[2]}"
    chosen: dict[str, str] = {"target": "answer", "target_id": str(shop.answer_id), "limit": "2"}
    first = (await anna.get(DECISIONS, params=chosen)).json()
    rest = (await anna.get(DECISIONS, params={**chosen, "after": first["next"]})).json()
    trail = [*first["results"], *rest["results"]]
    assert [each["action"] for each in trail] == ["restore", "remove", "hold"]
    assert rest["next"] is None
    for query, headers in (
        ({"format": "jsonl"}, {}),
        ({}, {"Accept": "application/jsonl"}),
    ):
        exported = await anna.get(DECISIONS, params={**chosen, **query}, headers=headers)
        assert exported.headers["content-type"] == "application/jsonl"
        assert list(map(json.loads, exported.text.splitlines())) == trail[::-1]


async def test_pages_of_the_queue_follow_their_cursors(anna: httpx.AsyncClient, data: Data) -> None:
    product = new_product_id()
    expected = {await data.question(product, reported=True) for _ in range(5)}
    found: list[int] = []
    query: dict[str, Any] | None = {"product_id": product, "limit": 2}
    while query:
        page = (await anna.get(QUEUE, params=query)).json()
        found += [item["id"] for item in page["results"]]
        query = {**query, "after": page["next"]} if page["next"] else None
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("GET", QUEUE, "read"),
        ("GET", DECISIONS, "read"),
        ("GET", f"{DECISIONS}?format=jsonl", "read"),
        ("GET", f"{DECISIONS}/999999999", "read"),
        ("POST", DECISIONS, "moderate"),
        ("POST", f"{DECISIONS}/999999999/undo", "moderate"),
    ],
)
async def test_each_route_needs_a_token_of_its_scope(
    client: httpx.AsyncClient,
    scopes: dict[str, dict[str, str]],
    method: str,
    path: str,
    least: str,
) -> None:
    assert (await client.request(method, path, json={})).status_code == 401
    order = list(scopes)
    for scope, headers in scopes.items():
        response = await client.request(method, path, json={}, headers=headers)
        is_sufficient = order.index(scope) >= order.index(least)
        assert (response.status_code != 403) is is_sufficient
        assert response.status_code != 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"target": "photo"}, "target"),
        ({"id": "5"}, "id"),
        ({"id": True}, "id"),
        ({"id": 2**63}, "id"),
        ({"version": None}, "version"),
        ({"version": "17"}, "version"),
        ({"action": "delete"}, "action"),
        ({"action": "answer_as_seller", "text": "x"}, "target"),
        ({"action": "edit_typo"}, "text"),
        ({"action": "edit_typo", "text": " \u200b"}, "text"),
        ({"action": "edit_typo", "text": "x" * 1001}, "text"),
        ({"action": "edit_typo", "text": "\0"}, "text"),
        ({"reason": "Not a code"}, "reason"),
        ({"note": ""}, "note"),
        ({"note": 5}, "note"),
    ],
)
async def test_invalid_decision_is_rejected_and_its_field_named(
    anna: httpx.AsyncClient, change: dict[str, object], field: str
) -> None:
    valid = {"target": "answer", "id": 1, "version": f"0-{'0' * 12}", "action": "remove"}
    sent = {**valid, "reason": "spam", **change}
    response = await anna.post(DECISIONS, json=sent)
    assert (response.status_code, response.json()["field"]) == (422, field)
    response = await anna.post(DECISIONS, json={"decisions": [{**valid, "reason": "a"}, sent]})
    assert (response.status_code, response.json()["field"]) == (422, f"decisions[1].{field}")


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"[]", 422), (b'{"decisions": []}', 422), (b'{"decisions": [5]}', 422)],
)
async def test_body_that_is_no_decision_is_rejected(
    anna: httpx.AsyncClient, content: bytes, status: int
) -> None:
    response = await anna.post(DECISIONS, content=content)
    assert response.status_code == status


@pytest.mark.parametrize(
    "query",
    [
        "filter=all",
        "filter=held&filter=held",
        "limit=0",
        "limit=101",
        "product_id=x",
        "after=x",
        "after=!",
        "after=cS4x",
        "filter=newest&product_id=5",
        "filter=newest&after=cS4xLjEucXVlc3Rpb24",
        "reason=",
        "after=cS45OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuMS5xdWVzdGlvbg",
    ],
)
async def test_invalid_parameter_of_the_queue_is_named(anna: httpx.AsyncClient, query: str) -> None:
    response = await anna.get(f"{QUEUE}?{query}")
    assert response.status_code == 422
    assert response.json()["parameter"] in query


@pytest.mark.parametrize("form", ["json", "jsonl"])
@pytest.mark.parametrize("query", ["limit=0", "after=x", "action=delete", "target=photo"])
async def test_invalid_parameter_of_the_audit_trail_is_named(
    anna: httpx.AsyncClient, form: str, query: str
) -> None:
    response = await anna.get(f"{DECISIONS}?format={form}&{query}")
    assert response.status_code == 422
    assert response.json()["parameter"] in query


async def test_moderators_search_in_all_posts(
    anna: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    word = f"word{new_product_id()}"
    removed = await data.question(shop.product_id, body=f"Where is {word}?", reported=True)
    answer = await data.answer(shop.question_id, body=f"{word.upper()}s!")
    page = (await anna.get("/admin/v1/search", params={"q": word})).json()
    assert sorted((item["target"], item["id"]) for item in page["results"]) == [
        ("answer", answer),
        ("question", removed),
    ]
    assert (page["next"], page["indexed"]) == (None, False)
    hidden = (await anna.get("/admin/v1/search", params={"q": word, "status": "reported"})).json()
    assert [item["id"] for item in hidden["results"]] == [removed]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "a" * 201}, "q"),
        ({"q": "why", "status": "some"}, "status"),
        ({"q": "why", "after": "AAAA"}, "after"),
        ({"q": "why", "limit": "0"}, "limit"),
    ],
)
async def test_a_search_names_the_invalid_parameter(
    anna: httpx.AsyncClient, query: dict[str, str], parameter: str
) -> None:
    response = await anna.get("/admin/v1/search", params=query)
    assert (response.status_code, response.json()["parameter"]) == (422, parameter)
