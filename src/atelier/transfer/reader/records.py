"""Splits one record into fields, as specified by RFC 4180.

Spaces around a quoted field are skipped; in an unquoted field they are part of the value.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from atelier.transfer.files.rejects import Reason

_QUOTED = re.compile(rb' *+"((?:[^"]++|"")*+)" *+')
_UNQUOTED = re.compile(rb'[^",\r\n]*+')
_OPENING_QUOTE = re.compile(rb' *+"')
_LINE_END = re.compile(rb"\r?\n")
_FINAL_LINE_ENDS = (b"", b"\r")  # instead of a line end, at the end of a file


class Field(NamedTuple):
    """A field's value, unescaped, and whether it was quoted."""

    value: bytes
    quoted: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A record with well-formed quotes."""

    fields: list[Field]
    text_end: int
    """The offset of its line end."""
    end: int
    """The offset after its line end."""

    @property
    def is_blank(self) -> bool:
        """Whether it is an empty line, which is not a data row."""
        return self.fields == [Field(b"", quoted=False)]


class MalformedError(Exception):
    """The record is malformed; the message is the detail."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Use a reason for the rejects file, and a detail to add to it."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def split(data: bytes, start: int, limit: int, *, at_end: bool) -> Record:
    """Return the record at `start`, which must end before `limit`, or at it if the file ends there.

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
        elif at_end and limit - position <= 1 and data[position:limit] in _FINAL_LINE_ENDS:
            return Record(fields, position, limit)
        else:
            raise _malformed(data, position, limit, quoted=field.quoted)


def _field(data: bytes, position: int, limit: int) -> tuple[Field, int]:
    if match := _QUOTED.match(data, position, limit):
        return Field(match[1].replace(b'""', b'"'), quoted=True), match.end()
    if _OPENING_QUOTE.match(data, position, limit):
        raise MalformedError(Reason.UNTERMINATED_QUOTE)
    match = _UNQUOTED.match(data, position, limit)
    assert match  # noqa: S101 - the empty field matches, too
    return Field(match[0], quoted=False), match.end()


def _malformed(data: bytes, position: int, limit: int, *, quoted: bool) -> MalformedError:
    if position == limit:
        return MalformedError(Reason.TOO_LONG, "the record does not end")
    if quoted:
        return MalformedError(Reason.MALFORMED_QUOTES, "text after a closing quote")
    if data[position : position + 1] == b'"':
        return MalformedError(Reason.MALFORMED_QUOTES, "a quote inside an unquoted field")
    return MalformedError(Reason.MALFORMED_QUOTES, "a line break inside an unquoted field")
