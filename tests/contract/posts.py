"""Posts questions and answers that are valid except for the given fields."""

import httpx

from tests.contract.api import ADD_ANSWER, ADD_QUESTION, NEW_ANSWER, NEW_QUESTION, Route, refusal
from tests.contract.conftest import Shop


async def post(
    client: httpx.AsyncClient, shop: Shop, what: str, **fields: object
) -> httpx.Response:
    """Post a body that is valid except for the given fields."""
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
    """Post raw bytes."""
    route: Route = ADD_QUESTION if what == "Question" else ADD_ANSWER
    headers = {"Content-Type": content_type}
    return await route.call(client, shop.question_id, content=content, headers=headers)


def assert_refused(response: httpx.Response, what: str, *names: str) -> None:
    """Assert that exactly the named fields are reported as invalid."""
    status, text = refusal(response)
    assert status == 422
    opening = f"Error: {what} body contains invalid entries"
    assert text.startswith(opening)
    errors = text.removeprefix(opening)
    assert [
        name for name in ("body", "name", "email", "product_id", "photos") if name in errors
    ] == [*names]
