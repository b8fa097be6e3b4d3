"""The fields of a JSON object in a request's body, under /admin."""

from collections.abc import Mapping
from http import HTTPStatus

import falcon.asgi

from atelier.http.common import json_body
from atelier.http.common.errors import ApiError

_MAX_BYTES = 1 << 20


async def read(req: falcon.asgi.Request) -> Mapping[str, object]:
    """Return the fields of a request's body; raise ApiError."""
    media_type = (req.content_type or falcon.MEDIA_JSON).partition(";")[0].strip().lower()
    if media_type != falcon.MEDIA_JSON:
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {falcon.MEDIA_JSON}")
    content = await req.stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is over {_MAX_BYTES} bytes")
    try:
        return mapping(json_body.parse(content))
    except ValueError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, str(error)) from error


def mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object; raise ApiError if the value is none."""
    if not isinstance(value, Mapping):
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "it must be a JSON object")
    return value


def invalid(field: str, rule: str) -> ApiError:
    """Return the error for a field of a body, given what it must be."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{field} {rule}", field=field)
