"""The error that every command prints as a single line, and error texts without row values.

The messages of PostgreSQL, its driver and Python may quote what a shopper sent: names, e-mail
addresses, texts. Logs and messages get what helps to find the cause, without such values.
"""

import traceback
from collections.abc import Iterator

_SAFE_CLASSES = ("08", "25", "26", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "XX")
"""SQLSTATE classes whose messages name database objects or the server, never values."""


class AtelierError(Exception):
    """An error that the user can fix: the message is one line and says how."""


def describe_error(error: BaseException | None) -> str:
    """Return an error's type, and its message if that cannot quote a value."""
    if error is None:
        return "unknown cause"
    message = _safe_message(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def format_traceback(error: BaseException) -> str:
    """Return the tracebacks of an error and its causes, each with its `describe_error` text."""
    return "\n".join(_traceback_lines(error, set())).rstrip("\n")


def _safe_message(error: BaseException) -> str:
    if isinstance(error, AtelierError):
        return str(error)
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate:
        return _postgres_message(error, sqlstate)
    if isinstance(error, OSError):
        return error.strerror or ""
    # asyncpg's own errors are about the connection, except ValueErrors, which quote arguments.
    is_asyncpg = type(error).__module__.startswith("asyncpg.") and not isinstance(error, ValueError)
    return str(error) if is_asyncpg else ""


def _postgres_message(error: BaseException, sqlstate: str) -> str:
    message = str(error.args[0]) if error.args and sqlstate.startswith(_SAFE_CLASSES) else ""
    names = [
        f"{kind} {name}"
        for kind in ("schema", "table", "column", "constraint")
        if (name := getattr(error, f"{kind}_name", None))
    ]
    return ", ".join(filter(None, (message, f"SQLSTATE {sqlstate}", *names)))


def _traceback_lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in seen:
        yield from _traceback_lines(cause, seen)
        yield "\nwhich led to:\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield describe_error(error)
    for member in getattr(error, "exceptions", ()):  # of an exception group
        if id(member) not in seen:
            yield from _traceback_lines(member, seen)
