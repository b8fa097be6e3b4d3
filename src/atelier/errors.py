"""The one error every command shows as a single line, and errors told without values of rows.

What PostgreSQL, its driver and Python itself say of an error may quote what a shopper sent: names,
addresses, texts. Logs and messages get what helps to find the cause, and nothing of that.
"""

import traceback
from collections.abc import Iterator

_SAFE_CLASSES = ("08", "25", "26", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "XX")
"""SQLSTATE's classes whose messages name things of the database or the server, not values."""


class AtelierError(Exception):
    """Something the user can put right: the message is one line and says what to do."""


def described(error: BaseException | None) -> str:
    """Return an error's kind, and what it says as far as that cannot quote a value of a row."""
    if error is None:
        return "no more is known"
    said = _said(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def traceback_of(error: BaseException) -> str:
    """Return where an error and those that led to it were raised, each as `described`."""
    return "\n".join(_lines(error, set())).rstrip("\n")


def _said(error: BaseException) -> str:
    if isinstance(error, AtelierError):
        return str(error)
    state = getattr(error, "sqlstate", None)
    if state:
        return _said_by_postgresql(error, state)
    if isinstance(error, OSError):
        return error.strerror or ""
    # The driver's own: of the connection, but for those about values, which are ValueErrors, too.
    is_drivers = type(error).__module__.startswith("asyncpg.") and not isinstance(error, ValueError)
    return str(error) if is_drivers else ""


def _said_by_postgresql(error: BaseException, state: str) -> str:
    message = str(error.args[0]) if error.args and state.startswith(_SAFE_CLASSES) else ""
    names = [
        f"{kind} {name}"
        for kind in ("schema", "table", "column", "constraint")
        if (name := getattr(error, f"{kind}_name", None))
    ]
    return ", ".join(filter(None, (message, f"SQLSTATE {state}", *names)))


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    led_to_it = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if led_to_it is not None and id(led_to_it) not in seen:
        yield from _lines(led_to_it, seen)
        yield "\nwhich led to:\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield described(error)
    for each in getattr(error, "exceptions", ()):  # of a group
        if id(each) not in seen:
            yield from _lines(each, seen)
