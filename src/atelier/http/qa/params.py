"""Parsing and validation of the parameters of pages. Nothing here accesses the database."""

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from atelier.http.common.errors import invalid
from atelier.http.common.ids import MAX_INTEGER, integer, target_id
from atelier.store.reads import PageKey

Values: TypeAlias = Mapping[str, str | list[str]]
"""Query parameters; a repeated one has a list."""

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_DEFAULT_PAGE, _DEFAULT_COUNT = 1, 5
_FIRST_PAGE = (_DEFAULT_COUNT, 0, f'"page":{_DEFAULT_PAGE},"count":{_DEFAULT_COUNT}')


class PageRequest(NamedTuple):
    """A requested page, and the beginning of its response, which echoes the parameters."""

    key: PageKey
    opening: str


def questions_page(values: Values) -> PageRequest:
    """Return the requested page of questions."""
    echo = values.get("product_id")
    product_id = integer(echo)
    if product_id is None:
        raise invalid("product_id")
    limit, offset, _ = _page(values)
    return PageRequest(PageKey(product_id, limit, offset), f'{{"product_id":"{echo!s}","results":[')


def answers_page(values: Values, question: str) -> PageRequest:
    """Return the requested page of answers, given the question id of the path."""
    question_id = target_id("question", question)
    limit, offset, echoes = _page(values)
    return PageRequest(
        PageKey(question_id, limit, offset), f'{{"question":"{question}",{echoes},"results":['
    )


def _page(values: Values) -> tuple[int, int, str]:
    """Return the limit, the offset and the echo: a number where defaulted, else a string."""
    if "page" not in values and "count" not in values:
        return _FIRST_PAGE  # of most requests
    number, page_echo = _natural(values, "page", _DEFAULT_PAGE)
    limit, count_echo = _natural(values, "count", _DEFAULT_COUNT)
    offset = min(max(number - 1, 0) * limit, MAX_INTEGER)
    return limit, offset, f'"page":{page_echo},"count":{count_echo}'


def _natural(values: Values, name: str, default: int) -> tuple[int, str]:
    text = values.get(name)
    if text is None:
        return default, str(default)
    if not isinstance(text, str) or not _DIGITS.fullmatch(text):
        raise invalid(name)
    return _bounded(text), f'"{text}"'


def _bounded(digits: str) -> int:
    """Return a number of any length, capped at 64 bits: more is beyond the last row anyway."""
    digits = digits.lstrip("0")
    if len(digits) > len(str(MAX_INTEGER)):
        return MAX_INTEGER
    return min(int(digits or "0"), MAX_INTEGER)
