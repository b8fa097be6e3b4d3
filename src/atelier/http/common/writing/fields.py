"""Validation of the fields of posts and reports. Nothing here accesses the database."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from atelier.http.common.writing import texts
from atelier.http.common.writing.spam import SpamGuards

_MAX_BODY_LENGTH, _MAX_NAME_LENGTH, _MAX_EMAIL_LENGTH = 1000, 60, 60
_MAX_PHOTOS, _MAX_URL_LENGTH = 5, 2048
_MAX_REASON_LENGTH = 200
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


class FieldError(NamedTuple):
    """The name of an invalid field, None for the whole body, and why it is invalid."""

    name: str | None
    text: str

    def __str__(self) -> str:
        """Return both as one text."""
        return f"{self.name}: {self.text}" if self.name else self.text


class InvalidFieldsError(Exception):
    """All that is invalid in the fields of a request."""

    def __init__(self, *errors: FieldError, rule: str | None = None) -> None:
        """Take one error or more in the order of the fields, and the rule that refused them."""
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors
        self.rule = rule


REPEATED = FieldError("body", "was recently posted on this product")
"""The error of a text that was recently posted on the same product."""


class _InvalidFieldError(Exception):
    """Why a field is invalid."""


def new_question(fields: Fields, guards: SpamGuards) -> NewQuestion:
    """Return the question in these fields; or raise InvalidFieldsError."""
    question = NewQuestion(*_validate(fields, _QUESTION))
    _reject_spam(fields, question, guards)
    return question


def new_answer(fields: Fields, guards: SpamGuards) -> NewAnswer:
    """Return the answer in these fields; or raise InvalidFieldsError."""
    answer = NewAnswer(*_validate(fields, _ANSWER))
    _reject_spam(fields, answer, guards)
    return answer


def reason(fields: Fields) -> str:
    """Return the reason of a report; raise InvalidFieldsError if it is missing or invalid."""
    [text] = _validate(fields, _REPORT)
    return str(text)


def _validate(fields: Fields, validators: Mapping[str, Validator]) -> list[Any]:
    """Return the values in the order of the validators; or raise InvalidFieldsError."""
    values, errors = [], []
    for name, validate in validators.items():
        try:
            values.append(validate(fields.get(name)))
        except (_InvalidFieldError, texts.InvalidTextError) as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise InvalidFieldsError(*errors)
    return values


def _reject_spam(fields: Fields, post: NewQuestion | NewAnswer, guards: SpamGuards) -> None:
    violations = guards.violations(fields, {"body": post.body, "name": post.name})
    errors = [FieldError(*violation) for violation in violations]
    if errors:
        raise InvalidFieldsError(*errors)


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
_REPORT: dict[str, Validator] = {"reason": _text(_MAX_REASON_LENGTH, texts.normalize_lines)}
