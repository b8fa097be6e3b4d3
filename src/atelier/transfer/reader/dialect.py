"""The CSV dialect of a file, detected from its first complete record."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from atelier.transfer.files.layout import Column, Kind
from atelier.transfer.reader.buffer import Buffer
from atelier.transfer.reader.header import Header
from atelier.transfer.reader.records import Field, MalformedError, split

_MAX_LINES = 100
_ISO_DATE = re.compile(rb"\s*\d{4}-")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How most records of a file are written; the others are parsed one by one."""

    iso_dates: bool = False
    """Whether dates are ISO 8601, not milliseconds since 1970."""
    quoted: frozenset[Column] = frozenset()
    """The non-text columns whose values are quoted."""


def detect_dialect(buffer: Buffer, header: Header) -> Dialect:
    """Return the dialect of the first record with the right number of fields."""
    buffer.fill()
    for fields in _records(buffer):
        if len(fields) == len(header.columns):
            return _dialect(header, fields)
    return Dialect()


def _records(buffer: Buffer) -> Iterator[list[Field]]:
    position = buffer.start
    for _ in range(_MAX_LINES):
        try:
            record = split(buffer.bytes, position, buffer.limit, at_end=buffer.at_end)
        except MalformedError:
            position = buffer.bytes.find(b"\n", position, buffer.limit) + 1
        else:
            yield record.fields
            position = record.end
        if not 0 < position < buffer.limit:
            return


def _dialect(header: Header, fields: list[Field]) -> Dialect:
    pairs = [
        (column, field)
        for column, field in zip(header.columns, fields, strict=True)
        if column is not None and column.kind is not Kind.TEXT
    ]
    return Dialect(
        iso_dates=any(
            column.kind is Kind.DATE and bool(_ISO_DATE.match(field.value))
            for column, field in pairs
        ),
        quoted=frozenset(column for column, field in pairs if field.quoted),
    )
