"""Errors as RFC 9457 problem documents, for clients that accept them explicitly."""

from typing import Any

import httpx
import pytest

from tests.contract.api import LIST_ANSWERS, LIST_QUESTIONS, NEW_QUESTION, refusal

PROBLEM = "application/problem+json"

ASKS_FOR_PROBLEMS = [
    PROBLEM,
    "Application/Problem+JSON",
    f"{PROBLEM}; charset=utf-8",
    f"{PROBLEM}, */*",
    f"*/*, {PROBLEM}",
    f"application/json, {PROBLEM}",
    f"application/json, text/plain;q=0.9, {PROBLEM}, */*;q=0.8",
    f"text/plain;q=0.5,{PROBLEM};q=0.8",
    f"{PROBLEM};q=0.1, application/json",
]
ASKS_FOR_TEXT = [
    "*/*",
    "application/json, text/plain, */*",
    "application/json",
    "text/plain",
    "text/*",
    "application/*",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    f"text/plain, {PROBLEM};q=0.5",
    f"{PROBLEM};q=0, */*",
    f"{PROBLEM}x",
    "application/problem+xml",
    "",
    ";;;q=,,/",
]


@pytest.mark.parametrize("accept", ASKS_FOR_PROBLEMS)
async def test_a_client_that_names_problem_json_gets_it(
    client: httpx.AsyncClient, accept: str
) -> None:
    response = await LIST_QUESTIONS.call(client, "hello", headers={"Accept": accept})
    assert response.status_code == 422
    assert response.headers["content-type"].partition(";")[0] == PROBLEM
    assert response.json() == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "Error: invalid product_id provided",
    }


@pytest.mark.parametrize("accept", ASKS_FOR_TEXT)
async def test_every_other_client_gets_the_text(client: httpx.AsyncClient, accept: str) -> None:
    response = await LIST_QUESTIONS.call(client, "hello", headers={"Accept": accept})
    assert refusal(response) == (422, "Error: invalid product_id provided")


async def test_a_client_without_an_accept_header_gets_the_text(client: httpx.AsyncClient) -> None:
    request = client.build_request("GET", "/qa/questions")
    del request.headers["Accept"]
    assert refusal(await client.send(request)) == (422, "Error: invalid product_id provided")


async def test_every_error_has_both_forms_with_the_same_words(client: httpx.AsyncClient) -> None:
    json = {"Content-Type": "application/json"}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", LIST_ANSWERS.path.format("x"), {}),
        ("GET", "/qa/questions/1/answers?page=-1", {}),
        ("GET", "/nowhere", {}),
        ("DELETE", "/qa/questions", {}),
        ("PUT", "/qa/answers/x/helpful", {}),
        ("POST", "/qa/questions", {"json": {**NEW_QUESTION, "name": 5, "email": ""}}),
        ("POST", "/qa/questions", {"content": b"{", "headers": json}),
        ("POST", "/qa/questions", {"content": b"<a/>", "headers": {"Content-Type": "text/xml"}}),
        ("POST", "/qa/questions", {"content": b" " * 70_000, "headers": json}),
    ]
    for method, url, options in requests:
        status, text = refusal(await client.request(method, url, **options))
        options["headers"] = {**options.get("headers", {}), "Accept": PROBLEM}
        response = await client.request(method, url, **options)
        assert response.status_code == status
        assert response.headers["content-type"].partition(";")[0] == PROBLEM
        assert (response.json()["status"], response.json()["detail"]) == (status, text)


async def test_a_success_does_not_depend_on_the_accept_header(client: httpx.AsyncClient) -> None:
    for accept in ["text/plain", "text/html", PROBLEM, "image/png", ""]:
        response = await LIST_QUESTIONS.call(client, 5, headers={"Accept": accept})
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == "application/json"
