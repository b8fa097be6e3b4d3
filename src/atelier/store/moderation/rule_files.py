"""Reads rules from their file format, TOML; every error says where it is and what to write."""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from atelier.store.moderation import matching
from atelier.store.moderation.matching import BlockedWords
from atelier.store.moderation.rules import (
    Check,
    Kind,
    Links,
    NewAddress,
    Repeated,
    Rule,
    RuleAction,
    Target,
    Words,
)

MAX_BYTES = 64 * 1024
"""The maximum size of a file of rules."""
MAX_RULES = 50
MAX_WORDS = 5000
"""The maximum number of words and phrases of a rule."""
MAX_REPEATED_HOURS = 30 * 24
MAX_ADDRESS_DAYS = 90
_MAX_PHRASE_LENGTH = 100
_MAX_LINKS = 100
_MAX_MESSAGE_LENGTH = 200
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)
_TABLE = "[[rule]]"
_KEY_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_KEY_PART}){{100}}", re.ASCII)
"""A key of so many parts is in no rule; tomllib's time grows with the square of their number."""


class InvalidRulesError(ValueError):
    """What is wrong in a file of rules, one line per error."""

    def __init__(self, *errors: str) -> None:
        """Take one error or more."""
        super().__init__("; ".join(errors))
        self.errors = errors


class _InvalidRuleError(ValueError):
    """What is wrong in a rule."""


def parse(source: str) -> tuple[Rule, ...]:
    """Return the rules of a file; raise InvalidRulesError with all that is wrong in it."""
    rules, errors = _read(source)
    if errors:
        raise InvalidRulesError(*errors)
    return rules


def known(source: str) -> tuple[tuple[Rule, ...], list[str]]:
    """Return the rules of a file that this version understands, and why it leaves out the others.

    A file that is in force may have been accepted by a newer version.
    """
    try:
        return _read(source)
    except InvalidRulesError as error:
        return (), list(error.errors)


def _read(source: str) -> tuple[tuple[Rule, ...], list[str]]:
    """Return the valid rules, and what is wrong in the others."""
    tables = _tables(source)
    lines = _lines(source, len(tables))
    rules: list[Rule] = []
    errors: list[str] = []
    for number, (table, line) in enumerate(zip(tables, lines, strict=True), 1):
        try:
            rule = _rule(table)
            _require(
                all(other.name != rule.name for other in rules), "name: another rule has this name"
            )
            rules.append(rule)
        except _InvalidRuleError as error:
            errors.append(f"{_place(number, table, line)}: {error}")
    return tuple(rules), errors


def _tables(source: str) -> list[dict[str, Any]]:
    document = _document(source)
    for key in document:
        if key != "rule":
            raise InvalidRulesError(f"{_unknown(key, ['rule'])}: each rule begins with {_TABLE}")
    tables = document.get("rule")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InvalidRulesError(f"there is no rule: each begins with {_TABLE}")
    if len(tables) > MAX_RULES:
        raise InvalidRulesError(f"there are over {MAX_RULES} rules")
    return tables


def _document(source: str) -> dict[str, Any]:
    if len(source.encode(errors="replace")) > MAX_BYTES:
        raise InvalidRulesError(f"the rules are over {MAX_BYTES} bytes")
    if _LONG_KEY.search(source):
        raise InvalidRulesError("a key has over 100 parts")
    try:
        source.encode()  # TOML is UTF-8: a text from JSON may have unpaired surrogates
        return tomllib.loads(source.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InvalidRulesError(f"this is not TOML: {error}") from error


def _lines(source: str, number: int) -> list[int | None]:
    """Return the line of each rule; None if the tables are not written one per line."""
    found = [
        line
        for line, text in enumerate(source.splitlines(), 1)
        if "".join(text.partition("#")[0].split()) == _TABLE
    ]
    return [*found] if len(found) == number else [None] * number


def _place(number: int, table: Mapping[str, Any], line: int | None) -> str:
    name = table.get("name")
    which = (
        f'rule "{name}"' if isinstance(name, str) and _NAME.fullmatch(name) else f"rule {number}"
    )
    return f"line {line}, {which}" if line else which


def _rule(table: Mapping[str, Any]) -> Rule:
    name = table.get("name")
    _require(
        isinstance(name, str) and _NAME.fullmatch(name),
        "name: write a name of at most 40 lower-case letters, digits, - and _ that begins with a "
        "letter",
    )
    kind = Kind(_choice(table, "kind", *Kind))
    keys, check_of = _KINDS[kind]
    _reject_unknown(table, (*_COMMON, *keys))
    action = RuleAction(_choice(table, "action", *RuleAction))
    _require(
        not (kind is Kind.NEW_ADDRESS and action is RuleAction.REFUSE),
        'action: write "hold": an address that is refused would stay new for ever',
    )
    return Rule(str(name), kind, action, _targets(table), check_of(table), _message(table, action))


def _reject_unknown(table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        _require(key in known, _unknown(key, known))


def _unknown(key: str, known: tuple[str, ...] | list[str]) -> str:
    shown = ascii(key[:60])[1:-1]
    for similar in get_close_matches(key, known, 1):
        return f'unknown key "{shown}"; do you mean "{similar}"?'
    return f'unknown key "{shown}"; known are {", ".join(known)}'


def _targets(table: Mapping[str, Any]) -> frozenset[Target]:
    given = table.get("applies_to", [*Target])
    _require(
        isinstance(given, list) and given and all(each in tuple(Target) for each in given),
        'applies_to: write a list of "questions" and "answers"',
    )
    return frozenset(map(Target, given))


def _message(table: Mapping[str, Any], action: RuleAction) -> str | None:
    text = table.get("message")
    if text is None:
        return None
    _require(action is RuleAction.REFUSE, "message: only a rule that refuses has one")
    _require(
        isinstance(text, str) and text.isprintable() and 1 <= len(text) <= _MAX_MESSAGE_LENGTH,
        f"message: write a line of at most {_MAX_MESSAGE_LENGTH} characters",
    )
    return str(text)


def _words(table: Mapping[str, Any]) -> Words:
    phrases = table.get("words")
    _require(
        isinstance(phrases, list) and 1 <= len(phrases) <= MAX_WORDS,
        f"words: write a list of 1 to {MAX_WORDS} words or phrases",
    )
    for phrase in phrases or ():
        _require(
            isinstance(phrase, str)
            and len(phrase) <= _MAX_PHRASE_LENGTH
            and matching.has_words(phrase),
            f"words: {ascii(phrase)[:60]} must be a text of at most {_MAX_PHRASE_LENGTH} "
            "characters with a letter or a digit",
        )
    return Words(BlockedWords(phrases or ()))


def _links(table: Mapping[str, Any]) -> Links:
    return Links(int(_number(table, "max", 0, _MAX_LINKS, whole=True)))


def _repeated(table: Mapping[str, Any]) -> Repeated:
    hours = _number(table, "within_hours", 0.01, MAX_REPEATED_HOURS)
    on_product = _choice({"on": "product", **table}, "on", "product", "shop") == "product"
    return Repeated(timedelta(hours=hours), on_product)


def _new_address(table: Mapping[str, Any]) -> NewAddress:
    days = _number(table, "within_days", 1, MAX_ADDRESS_DAYS)
    hours = _number({"new_for_hours": 24, **table}, "new_for_hours", 0, MAX_ADDRESS_DAYS * 24)
    return NewAddress(timedelta(days=days), timedelta(hours=hours))


def _number(
    table: Mapping[str, Any], key: str, minimum: float, maximum: float, *, whole: bool = False
) -> float:
    given = table.get(key)
    is_number = isinstance(given, int if whole else int | float) and not isinstance(given, bool)
    _require(
        is_number and minimum <= (given or 0) <= maximum,
        f"{key}: write a {'whole ' * whole}number from {minimum:g} to {maximum:g}",
    )
    return float(given or 0)


def _choice(table: Mapping[str, Any], key: str, *values: str) -> str:
    given = table.get(key)
    if not isinstance(given, str) or given not in values:
        similar = get_close_matches(given, values, 1) if isinstance(given, str) else []
        quoted = [f'"{each}"' for each in similar or values]
        raise _InvalidRuleError(
            f"{key}: write {', '.join(quoted[:-1])}{' or ' * (len(quoted) > 1)}{quoted[-1]}"
        )
    return given


def _require(condition: object, text: str) -> None:
    if not condition:
        raise _InvalidRuleError(text)


_COMMON = ("name", "kind", "action", "applies_to", "message")
_KINDS: dict[Kind, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Check]]] = {
    Kind.WORDS: (("words",), _words),
    Kind.LINKS: (("max",), _links),
    Kind.REPEATED: (("within_hours", "on"), _repeated),
    Kind.NEW_ADDRESS: (("within_days", "new_for_hours"), _new_address),
}
