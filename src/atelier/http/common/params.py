"""Query parameters under /admin."""

from collections.abc import Callable
from typing import TypeVar

import falcon.asgi

from atelier.http.common.errors import invalid_parameter
from atelier.http.common.ids import integer

T = TypeVar("T")

DEFAULT_LIMIT, MAX_LIMIT = 50, 100


def parse(
    req: falcon.asgi.Request, name: str, parse_text: Callable[[str], T], rule: str
) -> T | None:
    """Return a parameter, None if it is absent; raise ApiError with the rule if it is invalid.

    `parse_text` raises ValueError. A repeated parameter is invalid.
    """
    text = req.params.get(name)
    if text is None:
        return None
    try:
        if isinstance(text, str):
            return parse_text(text)
    except ValueError:
        pass
    raise invalid_parameter(name, rule)


def limit(req: falcon.asgi.Request) -> int:
    """Return the maximum number of results of a page."""
    given = parse(req, "limit", _limit, f"a number from 1 to {MAX_LIMIT}")
    return DEFAULT_LIMIT if given is None else given


def identifier(req: falcon.asgi.Request, name: str) -> int | None:
    """Return an id."""
    return parse(req, name, _integer, "a 64-bit integer")


def one_of(req: falcon.asgi.Request, name: str, *values: str) -> str | None:
    """Return one of these values."""

    def parse_text(text: str) -> str:
        if text not in values:
            raise ValueError
        return text

    return parse(req, name, parse_text, f"one of {', '.join(values)}")


def text(req: falcon.asgi.Request, name: str, max_length: int) -> str | None:
    """Return a text of one line."""

    def parse_text(value: str) -> str:
        if not 1 <= len(value) <= max_length or "\0" in value or not _is_unicode(value):
            raise ValueError
        return value

    return parse(req, name, parse_text, f"a text of 1 to {max_length} characters")


def _is_unicode(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _integer(value: str) -> int:
    number = integer(value)
    if number is None:
        raise ValueError
    return number


def _limit(value: str) -> int:
    number = _integer(value)
    if not 1 <= number <= MAX_LIMIT:
        raise ValueError
    return number
