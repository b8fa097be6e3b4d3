"""Posts of questions and answers, valid but for what a test is about."""

import httpx

from tests.contract.api import ADD_ANSWER, ADD_QUESTION, NEW_ANSWER, NEW_QUESTION, Route, refusal
from tests.contract.conftest import Shop


async def post(
    client: httpx.AsyncClient, shop: Shop, what: str, **fields: object
) -> httpx.Response:
    """Post a valid body but for the fields given."""
    if what == "Question":
        valid = {**NEW_QUESTION, "product_id": shop.product_id}
        return await ADD_QUESTION.call(client, None, json={**valid, **fields})
    return await ADD_ANSWER.call(client, shop.question_id, json={**NEW_ANSWER, **fields})


async def post_bytes(
    client: httpx.AsyncClient,
    shop: Shop,
    what: str,
    content: bytes,
    content_type: str = "application/json",
) -> httpx.Response:
    """Post a body as it is."""
    route: Route = ADD_QUESTION if what == "Question" else ADD_ANSWER
    headers = {"Content-Type": content_type}
    return await route.call(client, shop.question_id, content=content, headers=headers)


def assert_refused(response: httpx.Response, what: str, *names: str) -> None:
    """Hold that the fields named, and no others, are said to be wrong."""
    status, text = refusal(response)
    assert status == 422
    opening = f"Error: {what} body contains invalid entries"
    assert text.startswith(opening)
    said = text.removeprefix(opening)
    assert [name for name in ("body", "name", "email", "product_id", "photos") if name in said] == [
        *names
    ]
