"""How a file writes its values, learned from its first good record."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from atelier.transfer.layout import Column, Kind
from atelier.transfer.reader.header import Header
from atelier.transfer.reader.records import Field, MalformedError, split
from atelier.transfer.reader.window import Window

_LINES_TO_LEARN_FROM = 100
_ISO_DATE = re.compile(rb"\s*\d{4}-")


@dataclass(frozen=True, slots=True)
class Shape:
    """What most records of a file have in common; others are read exactly."""

    iso_dates: bool = False
    """Whether dates are ISO 8601, not milliseconds since 1970."""
    quoted: frozenset[Column] = frozenset()
    """The columns other than texts whose values stand in quotes."""


def learn(window: Window, header: Header) -> Shape:
    """Return the shape of the first record with the right number of fields."""
    window.fill()
    for fields in _records(window):
        if len(fields) == len(header.columns):
            return _shape(header, fields)
    return Shape()


def _records(window: Window) -> Iterator[list[Field]]:
    position = window.start
    for _ in range(_LINES_TO_LEARN_FROM):
        try:
            record = split(window.bytes, position, window.limit, at_end=window.at_end)
        except MalformedError:
            position = window.bytes.find(b"\n", position, window.limit) + 1
        else:
            yield record.fields
            position = record.end
        if not 0 < position < window.limit:
            return


def _shape(header: Header, fields: list[Field]) -> Shape:
    pairs = [
        (column, field)
        for column, field in zip(header.columns, fields, strict=True)
        if column is not None and column.kind is not Kind.TEXT
    ]
    return Shape(
        iso_dates=any(
            column.kind is Kind.DATE and bool(_ISO_DATE.match(field.value))
            for column, field in pairs
        ),
        quoted=frozenset(column for column, field in pairs if field.quoted),
    )
