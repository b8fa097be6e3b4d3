"""Cursors of the queue and of the unanswered questions: positions as opaque texts."""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import cast

from atelier.store import unanswered
from atelier.store.moderation.queue import NewestPosition, Position

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_ID = 2**63 - 1
_TARGETS = ("question", "answer")
_UNANSWERED = re.compile(r"([a-z]+)\.(-?[0-9]{1,18})\.(-?[0-9]{1,19})", re.ASCII)


def encode(position: Position | NewestPosition) -> str:
    """Return the cursor of a position."""
    if isinstance(position, NewestPosition):
        text = f"n.{position.question}.{position.answer}"
    else:
        microseconds = (position.since - _EPOCH) // _MICROSECOND
        text = f"q.{microseconds}.{position.id}.{position.target}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position(cursor: str) -> Position:
    """Return the position in the queue; raise ValueError if the cursor is not one of it."""
    kind, microseconds, number, target = _fields(cursor, 4)
    if kind != "q" or target not in _TARGETS:
        raise ValueError
    try:
        return Position(_EPOCH + int(microseconds) * _MICROSECOND, _id(number), target)
    except OverflowError as error:
        raise ValueError from error


def newest_position(cursor: str) -> NewestPosition:
    """Return the position in the list of all posts; raise ValueError if it is not one of it."""
    kind, question, answer = _fields(cursor, 3)
    if kind != "n":
        raise ValueError
    return NewestPosition(_id(question), _id(answer))


def unanswered_position(text: str) -> tuple[unanswered.Order, unanswered.Position]:
    """Return the order of a page of unanswered questions, and where it ended.

    Raises ValueError if the cursor is not one of such a page.
    """
    match = _UNANSWERED.fullmatch(text)
    if not match or match[1] not in unanswered.STARTS:
        raise ValueError
    order = cast("unanswered.Order", match[1])
    position = unanswered.Position(int(match[2]), int(match[3]))
    if position < unanswered.STARTS[order] or abs(position.id) > -unanswered.STARTS[order].id:
        raise ValueError
    return order, position


def _fields(cursor: str, number: int) -> list[str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        fields = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(".")
    except (binascii.Error, UnicodeError) as error:
        raise ValueError from error
    if len(fields) != number:
        raise ValueError
    return fields


def _id(text: str) -> int:
    number = int(text)
    if not -_MAX_ID <= number <= _MAX_ID:
        raise ValueError
    return number
