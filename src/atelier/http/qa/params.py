"""What a request asks for, parsed or refused. Nothing here needs the database."""

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from atelier.http.common.errors import invalid, not_found
from atelier.store.reads import PageKey
from atelier.store.writes import Target

Values: TypeAlias = Mapping[str, str | list[str]]
"""The parameters of a query; one that is repeated has a list."""

_INTEGER = re.compile(r"(-?)0*([0-9]{1,19})", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_LEAST, _MOST = -(2**63), 2**63 - 1
_DEFAULT_PAGE, _DEFAULT_COUNT = 1, 5


class PageRequest(NamedTuple):
    """A page as asked for, and how its answer begins: with what was asked for."""

    key: PageKey
    opening: str


def questions_page(values: Values) -> PageRequest:
    """Return the page of questions asked for."""
    echo = values.get("product_id")
    product_id = _integer(echo)
    if product_id is None:
        raise invalid("product_id")
    take, skip, _ = _page(values)
    return PageRequest(PageKey(product_id, take, skip), f'{{"product_id":"{echo!s}","results":[')


def answers_page(values: Values, question: str) -> PageRequest:
    """Return the page of answers asked for, given the question id of the path."""
    question_id = target_id("question", question)
    take, skip, echoes = _page(values)
    return PageRequest(
        PageKey(question_id, take, skip), f'{{"question":"{question}",{echoes},"results":['
    )


def target_id(target: Target, text: str) -> int:
    """Return the question or answer id of a path."""
    number = _integer(text)
    if number is None:
        raise not_found(target)
    return number


def _page(values: Values) -> tuple[int, int, str]:
    """Return rows to take, rows to skip, and the echo: a number where defaulted, else a string."""
    number, page_echo = _counting(values, "page", _DEFAULT_PAGE)
    take, count_echo = _counting(values, "count", _DEFAULT_COUNT)
    skip = min(max(number - 1, 0) * take, _MOST)
    return take, skip, f'"page":{page_echo},"count":{count_echo}'


def _counting(values: Values, name: str, default: int) -> tuple[int, str]:
    text = values.get(name)
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
