"""JSON bodies, read alike by every version of Python: what is refused, and in which words."""

import json
import re
from itertools import accumulate

MOST_LEVELS = 100
"""How deep arrays and objects may stand in each other. Python's own limit is its version's."""

_MOST_DIGITS = 20
_SHOWN = 60  # characters of a name
_BEYOND = 10**20
"""Stands for every integer with more digits: all that matters is that it is out of range."""
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)
_AFTER_COMMA = re.compile(r",[ \t\n\r]*+")


def parse(content: bytes) -> object:
    """Return the value that a body holds; raise ValueError, which says what is wrong with it."""
    text = _decoded(content)
    if _levels(text) > MOST_LEVELS:
        raise ValueError(f"the body is nested more than {MOST_LEVELS} levels deep")
    try:
        return json.loads(
            text, parse_int=_integer, parse_constant=_no_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"the body is not JSON: {_as_before_3_13(error)}") from error


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not JSON: {error}") from error


def _levels(text: str) -> int:
    """Return how deep brackets stand in each other, outside strings."""
    most = text.count("[") + text.count("{")
    if most <= MOST_LEVELS:
        return most
    found = (match[0] for match in _STRING_OR_BRACKET.finditer(text))
    steps = (1 if each in "[{" else -1 for each in found if each in "[]{}")
    return max(accumulate(steps), default=0)


def _integer(digits: str) -> int:
    if len(digits) <= _MOST_DIGITS:
        return int(digits)
    return -_BEYOND if digits.startswith("-") else _BEYOND


def _no_constant(name: str) -> None:
    raise ValueError(f"the body is not JSON: {name} is no number")


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse names that are given twice: one reader takes the first of them, another the last."""
    found: dict[str, object] = {}
    for name, value in members:
        if name in found:
            raise ValueError(f"the body gives {json.dumps(name[:_SHOWN])} twice in one object")
        found[name] = value
    return found


def _as_before_3_13(error: json.JSONDecodeError) -> json.JSONDecodeError:
    """Return an error as older versions of Python word it, which do not look for last commas."""
    comma = _AFTER_COMMA.match(error.doc, error.pos)
    if not comma or not error.msg.startswith("Illegal trailing comma"):
        return error
    end = comma.end()
    expected = "Expecting value"
    if error.doc[end] == "}":
        expected = "Expecting property name enclosed in double quotes"
    return json.JSONDecodeError(expected, error.doc, end)
