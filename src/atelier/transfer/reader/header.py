"""The header: which column stands where, and how the file ends its lines."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from atelier.errors import AtelierError
from atelier.transfer.layout import Column, ExportFile
from atelier.transfer.reader.records import Field, MalformedError, split
from atelier.transfer.reader.window import Window


@dataclass(frozen=True, slots=True)
class Header:
    """What the first record says."""

    columns: tuple[Column | None, ...]
    """In the file's order; None for one that is not loaded."""
    unknown: tuple[str, ...]
    """The names of those that are not loaded."""
    line_end: bytes


def read_header(window: Window, file: ExportFile, path: Path) -> Header:
    """Read the header and move on; raise AtelierError if it lacks a column or is none."""
    if not window.fill():
        raise AtelierError(f"{path} is empty: its first line must name its columns.")
    try:
        record = split(window.bytes, window.start, window.limit, at_end=window.at_end)
    except MalformedError as error:
        raise AtelierError(f"{path}, line 1: the header has an {error.reason}.") from error
    names = [_name(field) for field in record.fields]
    _check(names, file, path)
    line_end = b"\r\n" if window.bytes[record.text_end : record.end] == b"\r\n" else b"\n"
    window.advance(record.end)
    known = {column.name: column for column in file.columns}
    return Header(
        tuple(known.get(name) for name in names),
        tuple(name for name in names if name not in known),
        line_end,
    )


def _name(field: Field) -> str:
    return field.value.decode("utf-8", "replace").strip().lower()


def _check(names: list[str], file: ExportFile, path: Path) -> None:
    missing = [column.name for column in file.columns if column.name not in names]
    if missing:
        raise AtelierError(f"{path}, line 1: there is no column {', '.join(missing)}.")
    known = {column.name for column in file.columns}
    twice = [name for name, times in Counter(names).items() if times > 1 and name in known]
    if twice:
        raise AtelierError(f"{path}, line 1: the column {', '.join(twice)} is there twice.")
