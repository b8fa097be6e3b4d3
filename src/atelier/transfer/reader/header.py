"""The header: the order of the columns, and the line terminator."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from atelier.errors import AtelierError
from atelier.transfer.files.layout import Column, ExportFile
from atelier.transfer.reader.buffer import Buffer
from atelier.transfer.reader.diagnosis import check_format, header_error, malformed_header_error
from atelier.transfer.reader.records import Field, MalformedError, Record, split


@dataclass(frozen=True, slots=True)
class Header:
    """The columns and line terminator of a file."""

    columns: tuple[Column | None, ...]
    """In the file's order; None for a column that is not loaded."""
    unknown: tuple[str, ...]
    """The names of the columns that are not loaded."""
    line_end: bytes


def read_header(buffer: Buffer, file: ExportFile, path: Path) -> Header:
    """Read the header and advance; raise AtelierError if it or a column is missing."""
    if not buffer.fill():
        raise AtelierError(f"{path} is empty: its first line must name its columns.")
    check_format(buffer.bytes, path)
    record = _first_record(buffer, file, path)
    names = [_name(field) for field in record.fields]
    known = {column.name: column for column in file.columns}
    if not known.keys() <= set(names):
        raise header_error(buffer.bytes[buffer.start :], names, file, path)
    _check_duplicates(names, known.keys(), path)
    line_end = b"\r\n" if buffer.bytes[record.text_end : record.end] == b"\r\n" else b"\n"
    buffer.advance(record.end)
    return Header(
        tuple(known.get(name) for name in names),
        tuple(name for name in names if name not in known),
        line_end,
    )


def _first_record(buffer: Buffer, file: ExportFile, path: Path) -> Record:
    try:
        return split(buffer.bytes, buffer.start, buffer.limit, at_end=buffer.at_end)
    except MalformedError as error:
        start = buffer.bytes[buffer.start :]
        raise malformed_header_error(start, error, file, path) from error


def _name(field: Field) -> str:
    return field.value.decode("utf-8", "replace").strip().lower()


def _check_duplicates(names: list[str], known: AbstractSet[str], path: Path) -> None:
    duplicates = [name for name, count in Counter(names).items() if count > 1 and name in known]
    if duplicates:
        raise AtelierError(f"{path}, line 1: the column {', '.join(duplicates)} is there twice.")
