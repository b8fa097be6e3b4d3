"""Parses integers, and dates in the formats of both editions of the export."""

import re
from datetime import UTC, datetime, timedelta

from atelier.transfer.files.layout import Column
from atelier.transfer.files.rejects import Reason
from atelier.transfer.reader.records import MalformedError

_INTEGER = re.compile(rb"[+-]?[0-9]+")
_MAX_DIGITS = 20


def parse_integer(value: bytes) -> int | None:
    """Return the integer, or None if the value is not one.

    Python refuses to convert very long numbers, so they are truncated to 20 significant digits,
    which still exceeds 64 bits.
    """
    text = value.strip()
    if not _INTEGER.fullmatch(text):
        return None
    digits = text.lstrip(b"+-").lstrip(b"0")[:_MAX_DIGITS]
    return int(digits or b"0") * (-1 if text.startswith(b"-") else 1)


_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIN = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
_MAX = (datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC) - _EPOCH) // _MILLISECOND


def epoch_date(column: Column, value: bytes) -> bytes:
    """Return a date as milliseconds since 1970; raise MalformedError if it is invalid."""
    return b"%d" % _milliseconds(column, value)


def iso_date(column: Column, value: bytes) -> bytes:
    """Return a date as ISO 8601 in UTC; raise MalformedError if it is invalid."""
    timestamp = _EPOCH + _milliseconds(column, value) * _MILLISECOND
    return timestamp.isoformat(timespec="milliseconds").encode()


def _milliseconds(column: Column, value: bytes) -> int:
    milliseconds = parse_integer(value)
    if milliseconds is None:
        milliseconds = _from_iso(value)
    if milliseconds is None:
        raise MalformedError(Reason.DATE, f"{column.name} is not a date")
    if not _MIN <= milliseconds <= _MAX:
        raise MalformedError(Reason.DATE, f"{column.name} is not in the years 1 to 9999")
    return milliseconds


def _from_iso(value: bytes) -> int | None:
    try:
        timestamp = datetime.fromisoformat(value.strip().decode("ascii"))
    except ValueError:
        return None
    # Without a time zone it is UTC. A fraction of a millisecond would be lost: reject it.
    aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    milliseconds, remainder = divmod(aware - _EPOCH, _MILLISECOND)
    return None if remainder else milliseconds
