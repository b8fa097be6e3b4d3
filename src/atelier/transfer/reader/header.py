"""The header: which column stands where, and how the file ends its lines."""

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
    """What the first record says."""

    columns: tuple[Column | None, ...]
    """In the file's order; None for one that is not loaded."""
    unknown: tuple[str, ...]
    """The names of those that are not loaded."""
    line_end: bytes


def read_header(buffer: Buffer, file: ExportFile, path: Path) -> Header:
    """Read the header and move on; raise AtelierError if there is none or a column is missing."""
    if not buffer.fill():
        raise AtelierError(f"{path} is empty: its first line must name its columns.")
    check_format(buffer.bytes, path)
    record = _first_record(buffer, file, path)
    names = [_name(field) for field in record.fields]
    known = {column.name: column for column in file.columns}
    if not known.keys() <= set(names):
        raise header_error(buffer.bytes[buffer.start :], names, file, path)
    _check_names_are_different(names, known.keys(), path)
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


def _check_names_are_different(names: list[str], known: AbstractSet[str], path: Path) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1 and name in known]
    if twice:
        raise AtelierError(f"{path}, line 1: the column {', '.join(twice)} is there twice.")
