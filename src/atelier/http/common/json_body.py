"""Parses JSON bodies with the same limits and error messages in every version of Python."""

import json
import re
from itertools import accumulate

MAX_DEPTH = 100
"""Maximum nesting of arrays and objects. Python's own limit depends on its version."""

_MAX_DIGITS = 20
_MAX_QUOTED_NAME = 60  # characters
_OUT_OF_RANGE = 10**20
"""Replaces every integer with more digits: any of them is out of range."""
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)
_AFTER_COMMA = re.compile(r",[ \t\n\r]*+")


def parse(content: bytes) -> object:
    """Return the value of a JSON body; raise ValueError with the reason if it is invalid."""
    text = _decoded(content)
    if _depth(text) > MAX_DEPTH:
        raise ValueError(f"the body is nested more than {MAX_DEPTH} levels deep")
    try:
        return json.loads(
            text,
            parse_int=_integer,
            parse_constant=_reject_constant,
            object_pairs_hook=_unique_names,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"the body is not JSON: {_as_before_python_3_13(error)}") from error


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not JSON: {error}") from error


def _depth(text: str) -> int:
    """Return the nesting depth, or an upper bound that is within the limit."""
    upper_bound = text.count("[") + text.count("{")
    if upper_bound <= MAX_DEPTH:
        return upper_bound
    lexemes = (match[0] for match in _STRING_OR_BRACKET.finditer(text))
    steps = (1 if lexeme in "[{" else -1 for lexeme in lexemes if lexeme in "[]{}")
    return max(accumulate(steps), default=0)


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_DIGITS:
        return int(digits)
    return -_OUT_OF_RANGE if digits.startswith("-") else _OUT_OF_RANGE


def _reject_constant(name: str) -> None:
    raise ValueError(f"the body is not JSON: {name} is not a number")


def _unique_names(members: list[tuple[str, object]]) -> dict[str, object]:
    """Reject duplicate names: some parsers use the first value, others the last."""
    unique: dict[str, object] = {}
    for name, value in members:
        if name in unique:
            quoted = json.dumps(name[:_MAX_QUOTED_NAME])
            raise ValueError(f"the body has an object with the duplicate name {quoted}")
        unique[name] = value
    return unique


def _as_before_python_3_13(error: json.JSONDecodeError) -> json.JSONDecodeError:
    """Return the error that Python before 3.13, which has none for trailing commas, raises."""
    comma = _AFTER_COMMA.match(error.doc, error.pos)
    if not comma or not error.msg.startswith("Illegal trailing comma"):
        return error
    end = comma.end()
    expected = "Expecting value"
    if error.doc[end] == "}":
        expected = "Expecting property name enclosed in double quotes"
    return json.JSONDecodeError(expected, error.doc, end)
