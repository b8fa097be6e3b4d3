"""Prevalidation, the fast path: one regular expression that matches only valid records.

Matching records are sent to PostgreSQL unchanged, so the pattern must not match anything that
PostgreSQL would reject or interpret differently. A valid record that does not match is only slower.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from atelier.transfer.files.layout import Column, Kind
from atelier.transfer.reader.dialect import Dialect
from atelier.transfer.reader.header import Header

# At most 64 KiB, quotes included.
_TEXT = (
    rb'(?:"[^"]{0,32768}+(?:""[^"]{0,510}+){0,64}+"'
    rb'|[^",\r\n ][^",\r\n]{0,65000}+'
    rb"|)"
)
_UNQUOTED = {
    Kind.ID: rb"[1-9][0-9]{0,14}+",
    Kind.PRODUCT: rb"[1-9][0-9]{0,17}+",
    Kind.COUNT: rb"[0-9]{1,9}+",
    Kind.BOOLEAN: rb"(?:[01]|true|false)",
}
_EPOCH_DATE = rb"[0-9]{1,14}+"
_ISO_DATE = (
    rb"[12][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    rb"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    rb"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,3}+)?)?"
    rb"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?)?"
)


class RowPattern:
    """The patterns of valid records for a header and a dialect."""

    def __init__(self, header: Header, dialect: Dialect) -> None:
        """Compile the regular expressions."""
        patterns = [_pattern(column, dialect) for column in header.columns]
        record = b",".join(patterns) + re.escape(header.line_end)
        self._valid_run = re.compile(b"(?:" + record + b")*")
        position = [column and column.name for column in header.columns].index("id")
        patterns[position] = rb'"?(' + _UNQUOTED[Kind.ID] + rb')"?'
        self._record = re.compile(b",".join(patterns) + re.escape(header.line_end))

    def end_of_valid_run(self, data: bytes, start: int, limit: int) -> int:
        """Return the offset after the run of valid records at `start`."""
        match = self._valid_run.match(data, start, limit)
        assert match  # noqa: S101 - the empty run matches, too
        return match.end()

    def find(self, run: bytes, ids: AbstractSet[int]) -> Iterator[tuple[int, int, int]]:
        """Yield id, start and end offset of the records of a run that have one of these ids."""
        for match in self._record.finditer(run):
            if (id_ := int(match[1])) in ids:
                yield id_, match.start(), match.end()


def _pattern(column: Column | None, dialect: Dialect) -> bytes:
    if column is None or column.kind is Kind.TEXT:
        return _TEXT
    date = _ISO_DATE if dialect.iso_dates else _EPOCH_DATE
    unquoted = date if column.kind is Kind.DATE else _UNQUOTED[column.kind]
    return b'"' + unquoted + b'"' if column in dialect.quoted else unquoted
