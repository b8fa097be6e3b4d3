"""The webhook that a path names."""

from http import HTTPStatus
from typing import Any

from atelier.http.common.errors import ApiError
from atelier.http.common.ids import integer
from atelier.store.webhooks.endpoints import Endpoints


async def endpoint(endpoints: Endpoints, webhook_id: str) -> dict[str, Any]:
    """Return the endpoint with the id of a path; raise ApiError (404) if there is none."""
    number = integer(webhook_id)
    found = None if number is None else await endpoints.get(number)
    if found is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "there is no webhook with this id")
    return found
