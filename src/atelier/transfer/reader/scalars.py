"""Dates as both editions of the export write them, to the millisecond, in the years 1 to 9999."""

import re
from datetime import UTC, datetime, timedelta

from atelier.transfer.files.layout import Column
from atelier.transfer.files.rejects import Reason
from atelier.transfer.reader.records import MalformedError

_WHOLE = re.compile(rb"[+-]?[0-9]+")
_MOST_DIGITS = 20


def whole_number(value: bytes) -> int | None:
    """Return the number, or None if the value is none; one of many digits comes back shorter.

    Python refuses to convert very long numbers. Shortened to 20 digits it is still beyond 64 bits.
    """
    text = value.strip()
    if not _WHOLE.fullmatch(text):
        return None
    digits = text.lstrip(b"+-").lstrip(b"0")[:_MOST_DIGITS]
    return int(digits or b"0") * (-1 if text.startswith(b"-") else 1)


_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST = (datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC) - _EPOCH) // _MILLISECOND


def epoch_date(column: Column, value: bytes) -> bytes:
    """Return a date as milliseconds since 1970; raise MalformedError if it is none."""
    return b"%d" % _milliseconds(column, value)


def iso_date(column: Column, value: bytes) -> bytes:
    """Return a date as ISO 8601 in UTC; raise MalformedError if it is none."""
    moment = _EPOCH + _milliseconds(column, value) * _MILLISECOND
    return moment.isoformat(timespec="milliseconds").encode()


def _milliseconds(column: Column, value: bytes) -> int:
    found = whole_number(value)
    if found is None:
        found = _from_iso(value)
    if found is None:
        raise MalformedError(Reason.DATE, f"{column.name} is not a date")
    if not _FIRST <= found <= _LAST:
        raise MalformedError(Reason.DATE, f"{column.name} is not in the years 1 to 9999")
    return found


def _from_iso(value: bytes) -> int | None:
    try:
        moment = datetime.fromisoformat(value.strip().decode("ascii"))
    except ValueError:
        return None
    # Without a zone it is UTC; what is finer than a millisecond would be lost.
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    milliseconds, finer = divmod(aware - _EPOCH, _MILLISECOND)
    return None if finer else milliseconds
