"""What a request asks for, parsed or refused. Nothing here needs the database."""

import re
from typing import NamedTuple

import falcon.asgi

from atelier.http.errors import invalid, not_found
from atelier.store.writes import Target

_INTEGER = re.compile(r"(-?)0*([0-9]{1,19})", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_LEAST, _MOST = -(2**63), 2**63 - 1
_DEFAULT_PAGE, _DEFAULT_COUNT = 1, 5


class PageRequest(NamedTuple):
    """A page as asked for: rows to take after rows to skip, and the echo of both parameters."""

    take: int
    skip: int
    page_echo: str
    count_echo: str


def product_id(req: falcon.asgi.Request) -> tuple[int, str]:
    """Return the product id as a number and as the text that is echoed."""
    text = req.params.get("product_id")
    number = _integer(text)
    if number is None:
        raise invalid("product_id")
    return number, str(text)


def target_id(target: Target, text: str) -> int:
    """Return the question or answer id of a path."""
    number = _integer(text)
    if number is None:
        raise not_found(target)
    return number


def page(req: falcon.asgi.Request) -> PageRequest:
    """Return the page asked for. The echo is a number where defaulted, else a string."""
    number, page_echo = _counting(req, "page", _DEFAULT_PAGE)
    take, count_echo = _counting(req, "count", _DEFAULT_COUNT)
    skip = min(max(number - 1, 0) * take, _MOST)
    return PageRequest(take, skip, page_echo, count_echo)


def _counting(req: falcon.asgi.Request, name: str, default: int) -> tuple[int, str]:
    text = req.params.get(name)
    if text is None:
        return default, str(default)
    if not isinstance(text, str) or not _DIGITS.fullmatch(text):
        raise invalid(name)
    return _bounded(text), f'"{text}"'


def _bounded(digits: str) -> int:
    """Return a number of any length, cut to 64 bits: what lies beyond is beyond the end."""
    digits = digits.lstrip("0")
    return min(int(digits or "0"), _MOST) if len(digits) <= len(str(_MOST)) else _MOST


def _integer(text: object) -> int | None:
    """Return the integer of 64 bits that a text is, or None. A repeated parameter is a list."""
    match = _INTEGER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    number = int(match[1] + match[2])
    return number if _LEAST <= number <= _MOST else None
