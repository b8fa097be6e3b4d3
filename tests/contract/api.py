"""The routes of the contract, and helpers for requests and responses."""

import json
from typing import Any, NamedTuple

import httpx

NEW_QUESTION: dict[str, object] = {
    "body": "Does it shrink in the wash?",
    "name": "yankeelover",
    "email": "yankee@example.com",
    "product_id": 5,
}
NEW_ANSWER: dict[str, object] = {
    "body": "Not at all",
    "name": "Seller",
    "email": "seller@example.com",
    "photos": ["https://example.com/a.jpg", "http://example.com/b.jpg"],
}


class Route(NamedTuple):
    """A method and a path with a placeholder for an id."""

    method: str
    path: str

    async def call(
        self,
        client: httpx.AsyncClient,
        target: object,
        **options: Any,  # noqa: ANN401 - httpx's options
    ) -> httpx.Response:
        """Call the route for an id; a POST without a body gets a valid one."""
        if self.method == "POST" and not {"json", "data", "content"} & options.keys():
            options["json"] = {**NEW_QUESTION, **NEW_ANSWER}
        return await client.request(self.method, self.path.format(target), **options)


LIST_QUESTIONS = Route("GET", "/qa/questions?product_id={}")
ADD_QUESTION = Route("POST", "/qa/questions")
LIST_ANSWERS = Route("GET", "/qa/questions/{}/answers")
ADD_ANSWER = Route("POST", "/qa/questions/{}/answers")
QUESTION_VOTES = [
    Route("PUT", "/qa/questions/{}/helpful"),
    Route("PUT", "/qa/questions/{}/report"),
]
ANSWER_VOTES = [Route("PUT", "/qa/answers/{}/helpful"), Route("PUT", "/qa/answers/{}/report")]

QUESTION_ROUTES = [LIST_ANSWERS, ADD_ANSWER, *QUESTION_VOTES]
QUESTION_WRITES = [ADD_ANSWER, *QUESTION_VOTES]
VOTES = [*QUESTION_VOTES, *ANSWER_VOTES]
ALL_ROUTES = [LIST_QUESTIONS, ADD_QUESTION, *QUESTION_ROUTES, *ANSWER_VOTES]


def compact(value: object) -> bytes:
    """Return a value as the JSON bytes that the service sends."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Return the status and text of an error response, which must be plain text."""
    assert response.headers["content-type"].replace(" ", "").lower() in (
        "text/plain",
        "text/plain;charset=utf-8",
    )
    return response.status_code, response.text


async def questions(client: httpx.AsyncClient, product_id: int, **query: int) -> list[Any]:
    """Return the questions on a page of a product."""
    response = await client.get("/qa/questions", params={"product_id": product_id, **query})
    assert response.status_code == 200
    return list(response.json()["results"])


async def answers(client: httpx.AsyncClient, question_id: int, **query: int) -> list[Any]:
    """Return the answers on a page of a question."""
    response = await client.get(f"/qa/questions/{question_id}/answers", params=query)
    assert response.status_code == 200
    return list(response.json()["results"])
