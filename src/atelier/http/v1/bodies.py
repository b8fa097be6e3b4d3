"""Reads the JSON objects that posts and reports send."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.common.writing import content
from atelier.http.common.writing.fields import Fields, InvalidFieldsError


async def fields(req: falcon.asgi.Request) -> Fields:
    """Return the unvalidated fields of a JSON body; raise ApiError or InvalidFieldsError."""
    if content.media_type(req) != falcon.MEDIA_JSON:
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {falcon.MEDIA_JSON}")
    return content.mapping(content.parse_json(await content.read(req)))


@contextmanager
def problems() -> Iterator[None]:
    """Raise ApiError with all errors, and the name of the first field, if fields are invalid."""
    try:
        yield
    except InvalidFieldsError as error:
        name = error.errors[0].name
        members = {"field": name, "rule": error.rule}
        members = {key: value for key, value in members.items() if value}
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), None, **members) from error
