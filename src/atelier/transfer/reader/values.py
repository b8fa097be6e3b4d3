"""Validates values, and writes them in a canonical form that PostgreSQL accepts."""

from collections.abc import Callable

from atelier.transfer.files.layout import Column, Kind
from atelier.transfer.files.rejects import Reason
from atelier.transfer.reader.dialect import Dialect
from atelier.transfer.reader.header import Header
from atelier.transfer.reader.records import Field, MalformedError, Record
from atelier.transfer.reader.scalars import epoch_date, iso_date, parse_integer

MAX_FIELD_SIZE = 64 << 10
"""Bytes."""
MAX_ID = 2**53 - 1
"""The largest integer that JavaScript represents exactly."""
_MAX_PRODUCT_ID = 2**63 - 1
_MAX_COUNT = 2**31 - 1

_BOOLEANS = {b"0": b"0", b"1": b"1", b"false": b"0", b"true": b"1"}


class Canonicalizer:
    """Rewrites the rows of one file in canonical form."""

    def __init__(self, header: Header, dialect: Dialect) -> None:
        """Use the header's column order and the dialect's date format."""
        self._columns = header.columns
        self._line_end = header.line_end
        self._id = [column and column.name for column in header.columns].index("id")
        self._formatters = _FORMATTERS | {Kind.DATE: iso_date if dialect.iso_dates else epoch_date}

    def row(self, record: Record, text: bytes) -> tuple[int, bytes]:
        """Return the id and the CSV of a record; raise MalformedError if a value is invalid."""
        _check_bytes(text)
        _check_fields(record.fields, len(self._columns))
        values = [
            self._value(column, field.value)
            for column, field in zip(self._columns, record.fields, strict=True)
        ]
        return int(values[self._id]), b",".join(values) + self._line_end

    def _value(self, column: Column | None, value: bytes) -> bytes:
        return b"" if column is None else self._formatters[column.kind](column, value)


def _check_bytes(text: bytes) -> None:
    if b"\0" in text:
        raise MalformedError(Reason.NUL)
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(Reason.UTF8) from error


def _check_fields(fields: list[Field], expected: int) -> None:
    if len(fields) != expected:
        raise MalformedError(Reason.FIELDS, f"{len(fields)} instead of {expected}")
    if any(len(field.value) > MAX_FIELD_SIZE for field in fields):
        raise MalformedError(Reason.TOO_LONG)


def _identifier(column: Column, value: bytes) -> bytes:
    maximum = _MAX_PRODUCT_ID if column.kind is Kind.PRODUCT else MAX_ID
    number = parse_integer(value)
    if number is None:
        raise MalformedError(Reason.ID, f"{column.name} is not a whole number")
    if not 1 <= number <= maximum:
        raise MalformedError(Reason.ID, f"{column.name} is not from 1 to {maximum}")
    return b"%d" % number


def _count(column: Column, value: bytes) -> bytes:
    number = parse_integer(value)
    if number is None:
        raise MalformedError(Reason.HELPFULNESS, f"{column.name} is not a whole number")
    if number < 0:
        raise MalformedError(Reason.NEGATIVE)
    if number > _MAX_COUNT:
        raise MalformedError(Reason.HELPFULNESS, f"{column.name} is above {_MAX_COUNT}")
    return b"%d" % number


def _boolean(column: Column, value: bytes) -> bytes:
    try:
        return _BOOLEANS[value.strip().lower()]
    except KeyError:
        raise MalformedError(Reason.BOOLEAN, f"{column.name} is not 0, 1, true or false") from None


def _text(_: Column, value: bytes) -> bytes:
    return b'"' + value.replace(b'"', b'""') + b'"'


_FORMATTERS: dict[Kind, Callable[[Column, bytes], bytes]] = {
    Kind.ID: _identifier,
    Kind.PRODUCT: _identifier,
    Kind.COUNT: _count,
    Kind.BOOLEAN: _boolean,
    Kind.TEXT: _text,
}
