"""Parsing of the bodies of posts and reports, JSON or form."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from urllib.parse import parse_qs

import falcon
import falcon.asgi

from atelier.http.common import json_body
from atelier.http.common.errors import ApiError
from atelier.http.common.writing import content
from atelier.http.common.writing.fields import Fields, InvalidFieldsError
from atelier.http.common.writing.fields import reason as reason_of

_MAX_FIELDS = 100
_MAX_REASON_BYTES = 4096  # of the whole body; enough for the longest reason, however escaped


@contextmanager
def entries(kind: str) -> Iterator[None]:
    """Raise ApiError with the contract's text if the fields of a post are invalid."""
    try:
        yield
    except InvalidFieldsError as error:
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"Error: {kind} body contains invalid entries: {error}",
        ) from error


async def reason(req: falcon.asgi.Request) -> str | None:
    """Return the `reason` in the JSON body of a report; None if there is no valid one."""
    if not (req.content_length or req.get_header("Transfer-Encoding")):
        return None
    sent = await req.stream.read(_MAX_REASON_BYTES + 1)
    if len(sent) > _MAX_REASON_BYTES:
        return None
    with suppress(ValueError, InvalidFieldsError):
        value = json_body.parse(sent)
        return reason_of(value) if isinstance(value, Mapping) else None
    return None


async def fields(req: falcon.asgi.Request) -> Fields:
    """Return the unvalidated fields of a JSON or form body."""
    parse = _PARSERS.get(content.media_type(req))
    if not parse:
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Error: send {falcon.MEDIA_JSON} or {falcon.MEDIA_URLENCODED}",
        )
    return content.mapping(parse(await content.read(req)))


def _parse_form(sent: bytes) -> Fields:
    try:
        form = parse_qs(
            sent.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, f"Error: the body is not a form: {error}") from error
    photos = form.pop("photos", []) + form.pop("photos[]", [])
    return {
        **{name: values[0] if len(values) == 1 else values for name, values in form.items()},
        "photos": photos,
    }


_PARSERS: dict[str, Callable[[bytes], object]] = {
    falcon.MEDIA_JSON: content.parse_json,
    falcon.MEDIA_URLENCODED: _parse_form,
}
