"""Parsing and validation of POST bodies. Nothing here accesses the database."""

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
from atelier.http.qa import texts
from atelier.http.qa.spam import SpamGuards

MAX_REQUEST_BYTES = 64 * 1024
"""The maximum size of a request's body."""

_MAX_BODY_LENGTH, _MAX_NAME_LENGTH, _MAX_EMAIL_LENGTH = 1000, 60, 60
_MAX_PHOTOS, _MAX_URL_LENGTH = 5, 2048
_MAX_FIELDS = 100
_MAX_REASON_LENGTH = 200
_MAX_REASON_BYTES = 4096  # of the whole body; enough for the longest reason, however escaped
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_URL = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)
_DIGITS = re.compile(r"0*([0-9]{1,19})", re.ASCII)
_MAX_ID = 2**63 - 1

Fields = Mapping[str, object]
Validator = Callable[[object], Any]


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
    """Why a field is invalid."""


async def new_question(req: falcon.asgi.Request, guards: SpamGuards) -> NewQuestion:
    """Return the question in a request's body; raise ApiError if it is invalid or spam."""
    fields = _object("Question", await _fields(req))
    question = NewQuestion(*_validate("Question", fields, _QUESTION))
    _reject_spam("Question", fields, question, guards)
    return question


async def new_answer(req: falcon.asgi.Request, guards: SpamGuards) -> NewAnswer:
    """Return the answer in a request's body; raise ApiError if it is invalid or spam."""
    fields = _object("Answer", await _fields(req))
    answer = NewAnswer(*_validate("Answer", fields, _ANSWER))
    _reject_spam("Answer", fields, answer, guards)
    return answer


def repeated(kind: str) -> ApiError:
    """Return the error for a text that was recently posted on the same product."""
    return _invalid_entries(kind, ["body: was recently posted on this product"])


async def reason(req: falcon.asgi.Request) -> str | None:
    """Return the `reason` in the JSON body of a report; None if there is no valid one."""
    if not (req.content_length or req.get_header("Transfer-Encoding")):
        return None
    content = await req.stream.read(_MAX_REASON_BYTES + 1)
    if len(content) > _MAX_REASON_BYTES:
        return None
    with suppress(ValueError, _InvalidFieldError):
        fields = json_body.parse(content)
        if isinstance(fields, Mapping):
            text: str = _text(_MAX_REASON_LENGTH, texts.normalize_lines)(fields.get("reason"))
            return text
    return None


async def _fields(req: falcon.asgi.Request) -> object:
    """Return the unvalidated fields of a JSON or form body."""
    media_type = (req.content_type or falcon.MEDIA_JSON).partition(";")[0].strip().lower()
    if media_type not in _PARSERS:
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Error: send {falcon.MEDIA_JSON} or {falcon.MEDIA_URLENCODED}",
        )
    return _PARSERS[media_type](await _content(req))


async def _content(req: falcon.asgi.Request) -> bytes:
    # Content-Length is not enough: a chunked body has none.
    content: bytes = await req.stream.read(MAX_REQUEST_BYTES + 1)
    if len(content) > MAX_REQUEST_BYTES:
        raise ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"Error: the body is over {MAX_REQUEST_BYTES} bytes",
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
            content.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
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


def _object(kind: str, fields: object) -> Fields:
    if not isinstance(fields, Mapping):
        raise _invalid_entries(kind, ["the body must be a JSON object"])
    return fields


def _validate(kind: str, fields: Fields, validators: Mapping[str, Validator]) -> list[Any]:
    """Return the values in the order of the validators; raise ApiError with all errors."""
    values, errors = [], []
    for name, validate in validators.items():
        try:
            values.append(validate(fields.get(name)))
        except (_InvalidFieldError, texts.InvalidTextError) as error:
            errors.append(f"{name}: {error}")
    if errors:
        raise _invalid_entries(kind, errors)
    return values


def _reject_spam(
    kind: str, fields: Fields, post: NewQuestion | NewAnswer, guards: SpamGuards
) -> None:
    errors = list(guards.violations(fields, {"body": post.body, "name": post.name}))
    if errors:
        raise _invalid_entries(kind, errors)


def _invalid_entries(kind: str, errors: list[str]) -> ApiError:
    return ApiError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"Error: {kind} body contains invalid entries: {'; '.join(errors)}",
    )


def _text(max_length: int, normalize: Callable[[str], str]) -> Validator:
    def validate(value: object) -> str:
        if not isinstance(value, str):
            raise _InvalidFieldError(f"must be a text of 1 to {max_length} characters")
        if len(value.strip()) <= max_length * texts.MAX_DECOMPOSITION:  # else NFC is too long
            text = normalize(value)
            if len(text) <= max_length and not texts.is_blank(text):
                return text
        raise _InvalidFieldError(f"must have 1 to {max_length} characters, not only spaces")

    return validate


def _email(value: object) -> str:
    text: str = _text(_MAX_EMAIL_LENGTH, texts.normalize_address)(value)
    if not _EMAIL.fullmatch(text):
        raise _InvalidFieldError("must be an e-mail address such as jane@example.com")
    return text


def _photos(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MAX_PHOTOS:
        raise _InvalidFieldError(f"must be a list of at most {_MAX_PHOTOS} URLs")
    return [_url(item) for item in value]


def _url(value: object) -> str:
    url: str = _text(_MAX_URL_LENGTH, texts.normalize_address)(value)
    if not _URL.fullmatch(url):
        raise _InvalidFieldError("each must be an http or https URL")
    return url


def _product_id(value: object) -> int:
    digits = _DIGITS.fullmatch(value) if isinstance(value, str) else None
    number = int(digits[1]) if digits else value
    if not isinstance(number, int) or isinstance(number, bool):
        raise _InvalidFieldError("must be a whole number")
    if not 1 <= number <= _MAX_ID:
        raise _InvalidFieldError(f"must be a number from 1 to {_MAX_ID}")
    return number


_QUESTION: dict[str, Validator] = {
    "product_id": _product_id,
    "body": _text(_MAX_BODY_LENGTH, texts.normalize_lines),
    "name": _text(_MAX_NAME_LENGTH, texts.normalize_line),
    "email": _email,
}
_ANSWER: dict[str, Validator] = {
    "body": _text(_MAX_BODY_LENGTH, texts.normalize_lines),
    "name": _text(_MAX_NAME_LENGTH, texts.normalize_line),
    "email": _email,
    "photos": _photos,
}
