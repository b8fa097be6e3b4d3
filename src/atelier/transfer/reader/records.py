"""Splits one record, exactly as RFC 4180 has it.

Spaces around a quoted field are skipped; in an unquoted one they belong to it.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from atelier.transfer.files.rejects import Reason

_QUOTED = re.compile(rb' *+"((?:[^"]++|"")*+)" *+')
_UNQUOTED = re.compile(rb'[^",\r\n]*+')
_OPENING_QUOTE = re.compile(rb' *+"')
_LINE_END = re.compile(rb"\r?\n")
_CUT_LINE_ENDS = (b"", b"\r")  # what a file may end in


class Field(NamedTuple):
    """A field's bytes without its quotes, and whether it had any."""

    value: bytes
    quoted: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A record whose quotes are well formed."""

    fields: list[Field]
    text_end: int
    """The offset at which its line end starts."""
    end: int
    """The offset after its line end."""

    @property
    def is_blank(self) -> bool:
        """Whether it is an empty line, which is no data row."""
        return self.fields == [Field(b"", quoted=False)]


class MalformedError(Exception):
    """The bytes are no record; the message says why."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Take the reason for the rejects file, and what to add to it."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def split(data: bytes, start: int, limit: int, *, at_end: bool) -> Record:
    """Return the record at `start`; it must end before `limit`, or there if the file does.

    Raises MalformedError.
    """
    fields = []
    position = start
    while True:
        field, position = _field(data, position, limit)
        fields.append(field)
        if data[position : position + 1] == b",":
            position += 1
        elif line_end := _LINE_END.match(data, position):
            return Record(fields, position, line_end.end())
        elif at_end and limit - position <= 1 and data[position:limit] in _CUT_LINE_ENDS:
            return Record(fields, position, limit)
        else:
            raise _misplaced(data, position, limit, quoted=field.quoted)


def _field(data: bytes, position: int, limit: int) -> tuple[Field, int]:
    if found := _QUOTED.match(data, position, limit):
        return Field(found[1].replace(b'""', b'"'), quoted=True), found.end()
    if _OPENING_QUOTE.match(data, position, limit):
        raise MalformedError(Reason.UNTERMINATED_QUOTE)
    found = _UNQUOTED.match(data, position, limit)
    assert found  # noqa: S101 - it matches nothing at all, too
    return Field(found[0], quoted=False), found.end()


def _misplaced(data: bytes, position: int, limit: int, *, quoted: bool) -> MalformedError:
    if position == limit:
        return MalformedError(Reason.TOO_LONG, "the record does not end")
    if quoted:
        return MalformedError(Reason.MALFORMED_QUOTES, "text after a closing quote")
    if data[position : position + 1] == b'"':
        return MalformedError(Reason.MALFORMED_QUOTES, "a quote inside an unquoted field")
    return MalformedError(Reason.MALFORMED_QUOTES, "a line break inside an unquoted field")
