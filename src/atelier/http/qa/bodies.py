"""Bodies of POST requests, read and checked field by field. Nothing here needs the database."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import falcon
import falcon.asgi

from atelier.http.common import json_body
from atelier.http.common.errors import ApiError
from atelier.http.qa import texts
from atelier.http.qa.spam import SpamGuards

LARGEST_BODY = 64 * 1024
"""The most bytes of a request's body."""

_LONGEST_BODY, _LONGEST_NAME, _LONGEST_EMAIL = 1000, 60, 60
_MOST_PHOTOS, _LONGEST_URL = 5, 2048
_MOST_FIELDS = 100
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


async def new_question(req: falcon.asgi.Request, guards: SpamGuards) -> NewQuestion:
    """Return the question that a request's body holds, or refuse it."""
    fields = _object("Question", await _fields(req))
    question = NewQuestion(*_check("Question", fields, _QUESTION))
    _guard("Question", fields, question, guards)
    return question


async def new_answer(req: falcon.asgi.Request, guards: SpamGuards) -> NewAnswer:
    """Return the answer that a request's body holds, or refuse it."""
    fields = _object("Answer", await _fields(req))
    answer = NewAnswer(*_check("Answer", fields, _ANSWER))
    _guard("Answer", fields, answer, guards)
    return answer


def repeated(what: str) -> ApiError:
    """Return the refusal of a text that is on the same product already."""
    return _invalid_entries(what, ["body: was posted on this product shortly before"])


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


def _object(what: str, fields: object) -> Fields:
    if not isinstance(fields, Mapping):
        raise _invalid_entries(what, ["the body must be a JSON object"])
    return fields


def _check(what: str, fields: Fields, checks: Mapping[str, Check]) -> list[Any]:
    """Return the checked values in the order of the checks, or refuse with all that is wrong."""
    values, wrong = [], []
    for name, check in checks.items():
        try:
            values.append(check(fields.get(name)))
        except (_InvalidFieldError, texts.TextError) as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise _invalid_entries(what, wrong)
    return values


def _guard(what: str, fields: Fields, post: NewQuestion | NewAnswer, guards: SpamGuards) -> None:
    wrong = list(guards.objections(fields, {"body": post.body, "name": post.name}))
    if wrong:
        raise _invalid_entries(what, wrong)


def _invalid_entries(what: str, wrong: list[str]) -> ApiError:
    return ApiError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"Error: {what} body contains invalid entries: {'; '.join(wrong)}",
    )


def _text(most: int, kept: Callable[[str], str]) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise _InvalidFieldError(f"must be a text of 1 to {most} characters")
        if len(value.strip()) <= most * texts.MOST_PARTS:  # else no form of it is short enough
            text = kept(value)
            if len(text) <= most and not texts.is_blank(text):
                return text
        raise _InvalidFieldError(f"must have 1 to {most} characters, not only spaces")

    return check


def _email(value: object) -> str:
    text: str = _text(_LONGEST_EMAIL, texts.address)(value)
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
    url: str = _text(_LONGEST_URL, texts.address)(value)
    if not _URL.fullmatch(url):
        raise _InvalidFieldError("each must be an http or https URL")
    return url


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
    "body": _text(_LONGEST_BODY, texts.lines),
    "name": _text(_LONGEST_NAME, texts.line),
    "email": _email,
}
_ANSWER: dict[str, Check] = {
    "body": _text(_LONGEST_BODY, texts.lines),
    "name": _text(_LONGEST_NAME, texts.line),
    "email": _email,
    "photos": _photos,
}
