"""The ids in paths and queries: 64-bit integers."""

import re

from atelier.http.common.errors import not_found
from atelier.store.writes import Target

_INTEGER = re.compile(r"(-?)0*([0-9]{1,19})", re.ASCII)
_MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1


def integer(text: object) -> int | None:
    """Return a text as a 64-bit integer, None if it is not one. A repeated parameter is a list."""
    match = _INTEGER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    number = int(match[1] + match[2])
    return number if _MIN_INTEGER <= number <= MAX_INTEGER else None


def target_id(target: Target, text: str) -> int:
    """Return the question or answer id of a path; raise ApiError if it is not one."""
    number = integer(text)
    if number is None:
        raise not_found(target)
    return number
