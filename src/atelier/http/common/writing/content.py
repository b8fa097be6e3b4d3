"""The content of a request's body, limited in size."""

from collections.abc import Mapping
from http import HTTPStatus

import falcon.asgi

from atelier.http.common import json_body
from atelier.http.common.errors import ApiError
from atelier.http.common.writing.fields import FieldError, Fields, InvalidFieldsError

MAX_REQUEST_BYTES = 64 * 1024
"""The maximum size of a request's body."""


def media_type(req: falcon.asgi.Request) -> str:
    """Return the media type of a request's body; JSON if it does not say."""
    return (req.content_type or falcon.MEDIA_JSON).partition(";")[0].strip().lower()


async def read(req: falcon.asgi.Request) -> bytes:
    """Return a request's body; raise ApiError if it is too large."""
    # Content-Length is not enough: a chunked body has none.
    content: bytes = await req.stream.read(MAX_REQUEST_BYTES + 1)
    if len(content) > MAX_REQUEST_BYTES:
        raise ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"Error: the body is over {MAX_REQUEST_BYTES} bytes",
        )
    return content


def parse_json(content: bytes) -> object:
    """Return the value of a JSON body; raise ApiError if it is not JSON."""
    try:
        return json_body.parse(content)
    except ValueError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, f"Error: {error}") from error


def mapping(value: object) -> Fields:
    """Return the fields of a parsed body; raise InvalidFieldsError if it is not an object."""
    if not isinstance(value, Mapping):
        raise InvalidFieldsError(FieldError(None, "the body must be a JSON object"))
    return value
