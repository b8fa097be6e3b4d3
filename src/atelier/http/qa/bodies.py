"""Bodies of POST requests, read and checked field by field. Nothing here needs the database."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import falcon
import falcon.asgi

from atelier.http.common import json_body
from atelier.http.common.errors import ApiError

LARGEST_BODY = 64 * 1024
"""The most bytes of a request's body."""

_LONGEST_BODY, _LONGEST_NAME, _LONGEST_EMAIL = 1000, 60, 60
_MOST_PHOTOS, _LONGEST_URL = 5, 2048
_MOST_FIELDS = 100
_LONGEST_REASON = 200
_LARGEST_REASON_BODY = 4096  # bytes; more than the longest reason takes, however it is escaped
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_URL = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)
_DIGITS = re.compile(r"0*([0-9]{1,19})", re.ASCII)
_LARGEST_ID = 2**63 - 1

Fields = Mapping[str, object]
Check = Callable[[object], Any]


class NewQuestion(NamedTuple):
    """A question as posted."""

    product_id: int
    body: str
    name: str
    email: str


class NewAnswer(NamedTuple):
    """An answer as posted."""

    body: str
    name: str
    email: str
    photos: list[str]


class _InvalidFieldError(Exception):
    """What is wrong with one field."""


async def new_question(req: falcon.asgi.Request) -> NewQuestion:
    """Return the question that a request's body holds, or refuse it."""
    return NewQuestion(*_check("Question", await _fields(req), _QUESTION))


async def new_answer(req: falcon.asgi.Request) -> NewAnswer:
    """Return the answer that a request's body holds, or refuse it."""
    return NewAnswer(*_check("Answer", await _fields(req), _ANSWER))


async def reason(req: falcon.asgi.Request) -> str | None:
    """Return the valid `reason` in a report's JSON; None for whatever else a client sends."""
    if not (req.content_length or req.get_header("Transfer-Encoding")):
        return None
    content = await req.stream.read(_LARGEST_REASON_BODY + 1)
    if len(content) > _LARGEST_REASON_BODY:
        return None
    with suppress(ValueError, _InvalidFieldError):
        fields = json_body.parse(content)
        if isinstance(fields, Mapping):
            text: str = _text(_LONGEST_REASON)(fields.get("reason"))
            return text.strip()
    return None


async def _fields(req: falcon.asgi.Request) -> object:
    """Return the fields of a JSON or form body, their values still unchecked."""
    media_type = (req.content_type or falcon.MEDIA_JSON).partition(";")[0].strip().lower()
    if media_type not in _PARSERS:
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Error: send {falcon.MEDIA_JSON} or {falcon.MEDIA_URLENCODED}",
        )
    return _PARSERS[media_type](await _content(req))


async def _content(req: falcon.asgi.Request) -> bytes:
    # Not by Content-Length alone: a chunked body has none.
    content: bytes = await req.stream.read(LARGEST_BODY + 1)
    if len(content) > LARGEST_BODY:
        raise ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Error: the body is over {LARGEST_BODY} bytes"
        )
    return content


def _parse_json(content: bytes) -> object:
    try:
        return json_body.parse(content)
    except ValueError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, f"Error: {error}") from error


def _parse_form(content: bytes) -> Fields:
    try:
        form = parse_qs(
            content.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, f"Error: the body is not a form: {error}") from error
    photos = form.pop("photos", []) + form.pop("photos[]", [])
    return {
        **{name: values[0] if len(values) == 1 else values for name, values in form.items()},
        "photos": photos,
    }


_PARSERS: dict[str, Callable[[bytes], object]] = {
    falcon.MEDIA_JSON: _parse_json,
    falcon.MEDIA_URLENCODED: _parse_form,
}


def _check(what: str, fields: object, checks: Mapping[str, Check]) -> list[Any]:
    """Return the checked values in the order of the checks, or refuse with all that is wrong."""
    values, wrong = [], []
    if not isinstance(fields, Mapping):
        raise _invalid_entries(what, ["the body must be a JSON object"])
    for name, check in checks.items():
        try:
            values.append(check(fields.get(name)))
        except _InvalidFieldError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise _invalid_entries(what, wrong)
    return values


def _invalid_entries(what: str, wrong: list[str]) -> ApiError:
    return ApiError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"Error: {what} body contains invalid entries: {'; '.join(wrong)}",
    )


def _text(most: int) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise _InvalidFieldError(f"must be a text of 1 to {most} characters")
        if not value.strip() or len(value) > most:
            raise _InvalidFieldError(f"must have 1 to {most} characters, not only spaces")
        return _storable(value)

    return check


def _storable(text: str) -> str:
    """Refuse what PostgreSQL cannot hold. A cut through an emoji leaves half a surrogate pair."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _InvalidFieldError("must not hold NUL or half a surrogate pair")
    return text


def _email(value: object) -> str:
    text: str = _text(_LONGEST_EMAIL)(value)
    if not _EMAIL.fullmatch(text):
        raise _InvalidFieldError("must be an e-mail address such as jane@example.com")
    return text


def _photos(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MOST_PHOTOS:
        raise _InvalidFieldError(f"must be a list of at most {_MOST_PHOTOS} URLs")
    return [_url(item) for item in value]


def _url(value: object) -> str:
    if not isinstance(value, str) or not _URL.fullmatch(value):
        raise _InvalidFieldError("each must be an http or https URL")
    if len(value) > _LONGEST_URL:
        raise _InvalidFieldError(f"each must have at most {_LONGEST_URL} characters")
    return _storable(value)


def _product_id(value: object) -> int:
    digits = _DIGITS.fullmatch(value) if isinstance(value, str) else None
    number = int(digits[1]) if digits else value
    if not isinstance(number, int) or isinstance(number, bool):
        raise _InvalidFieldError("must be a whole number")
    if not 1 <= number <= _LARGEST_ID:
        raise _InvalidFieldError(f"must be a number from 1 to {_LARGEST_ID}")
    return number


_QUESTION: dict[str, Check] = {
    "product_id": _product_id,
    "body": _text(_LONGEST_BODY),
    "name": _text(_LONGEST_NAME),
    "email": _email,
}
_ANSWER: dict[str, Check] = {
    "body": _text(_LONGEST_BODY),
    "name": _text(_LONGEST_NAME),
    "email": _email,
    "photos": _photos,
}
