"""Diagnoses files without the expected header: what they look like, and what to do."""

import csv
import re
from pathlib import Path

from atelier.errors import AtelierError
from atelier.transfer.files.layout import FILES, ExportFile
from atelier.transfer.files.rejects import Reason
from atelier.transfer.reader.records import MalformedError
from atelier.transfer.reader.scalars import parse_integer

_SAMPLE_SIZE = 64 << 10  # bytes
_MAX_SHOWN = 120  # characters
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_FORMATS = {
    b"\x1f\x8b": "looks like gzip data compressed twice: decompress it once.",
    b"BZh": "looks like bzip2 data: decompress it, or compress it with gzip instead.",
    b"\xfd7zXZ\x00": "looks like xz data: decompress it, or compress it with gzip instead.",
    b"\x28\xb5\x2f\xfd": "looks like Zstandard data: decompress it, or use gzip instead.",
    b"\xd0\xcf\x11\xe0": "looks like an Excel workbook: save it as CSV in UTF-8.",
}
_ZIP = b"PK\x03\x04"
_SPREADSHEET_MARKERS = (b"[Content_Types].xml", b"xl/", b"opendocument.spreadsheet")
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "UTF-32-LE",
    b"\0\0\xfe\xff": "UTF-32-BE",
    b"\xff\xfe": "UTF-16-LE",
    b"\xfe\xff": "UTF-16-BE",
}
_WITHOUT_BYTE_ORDER_MARK = {
    re.compile(rb"(?:[\t -~]\0){2}"): "UTF-16-LE",
    re.compile(rb"(?:\0[\t -~]){2}"): "UTF-16-BE",
}
_HEADER_FAULTS = {
    Reason.UNTERMINATED_QUOTE: "an unterminated quote",
    Reason.MALFORMED_QUOTES: "malformed quotes",
    Reason.TOO_LONG: "no end",
}


def check_format(data: bytes, path: Path) -> None:
    """Raise AtelierError if the first bytes of a file show a format other than CSV."""
    start = data[:_SAMPLE_SIZE]
    if finding := _archive(start):
        raise AtelierError(f"{path} {finding}")
    if encoding := _utf16_or_32(start):
        text = start.decode(encoding, "replace").removeprefix("\ufeff")
        family = encoding.rpartition("-")[0]
        raise _error(path, f"looks like {family}: export it as UTF-8.", text)


def header_error(data: bytes, names: list[str], file: ExportFile, path: Path) -> AtelierError:
    """Return the error for a file whose first record, with these values, is not its header."""
    text = data[:_SAMPLE_SIZE].decode("utf-8", "replace")
    return _error(path, _header_problem(_first_line(text), names, file), text)


def malformed_header_error(
    data: bytes, error: MalformedError, file: ExportFile, path: Path
) -> AtelierError:
    """Return the error for a file whose first record cannot be split into fields."""
    text = data[:_SAMPLE_SIZE].decode("utf-8", "replace")
    return _error(path, _malformed_header_problem(text, error, file), text)


def _archive(start: bytes) -> str | None:
    if not start.startswith(_ZIP):
        return next((what for magic, what in _FORMATS.items() if start.startswith(magic)), None)
    if any(part in start for part in _SPREADSHEET_MARKERS):
        return "looks like a spreadsheet (xlsx or similar): save it as CSV in UTF-8."
    return "looks like a ZIP archive: extract the CSV file, or compress it with gzip instead."


def _utf16_or_32(start: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    return next(
        (
            encoding
            for pattern, encoding in _WITHOUT_BYTE_ORDER_MARK.items()
            if pattern.match(start)
        ),
        None,
    )


def _header_problem(line: str, names: list[str], file: ExportFile) -> str:
    if separator := _other_separator(line, len(names), file):
        return _separated_by(separator)
    if other := _file_with_columns(names):
        return f"has the header of {other.name}: check whether files were mixed up."
    if _is_data(names, file):
        header = _header_of(file)
        return f"has no header line: the first line looks like data. Insert the header {header}."
    missing = [column.name for column in file.columns if column.name not in names]
    noun = "column" if len(missing) == 1 else "columns"
    return f"has no {noun} {', '.join(missing)}: it must have {_header_of(file)}."


def _malformed_header_problem(text: str, error: MalformedError, file: ExportFile) -> str:
    line = _first_line(text)
    if separator := _other_separator(line, 0, file):
        return _separated_by(separator)
    if text.startswith(f"{line}\r") and not text.startswith(f"{line}\r\n"):
        return "has lines that end in a carriage return alone: export it with LF or CRLF."
    detail = f" ({error.detail})" if error.detail else ""
    return f"has a header with {_HEADER_FAULTS[error.reason]}{detail}: write {_header_of(file)}."


def _separated_by(separator: str) -> str:
    return f"is separated by {separator}: export it with commas between the columns."


def _header_of(file: ExportFile) -> str:
    return ",".join(column.name for column in file.columns)


def _other_separator(line: str, fields: int, file: ExportFile) -> str | None:
    """Return the name of the separator, if it is not a comma."""
    for separator, name in _SEPARATORS.items():
        values = _split(line, separator)
        if {column.name for column in file.columns} <= set(values):
            return name
        if fields < len(file.columns) <= len(values) and _is_data(values, file):
            return name
    return None


def _split(line: str, separator: str) -> list[str]:
    try:
        (values,) = csv.reader([line], delimiter=separator)
    except (csv.Error, ValueError):
        return []
    return [value.strip().lower() for value in values]


def _file_with_columns(names: list[str]) -> ExportFile | None:
    """Return the file whose columns these are, if any."""
    return next(
        (file for file in FILES if {column.name for column in file.columns} <= set(names)), None
    )


def _is_data(values: list[str], file: ExportFile) -> bool:
    is_number = any(parse_integer(value.encode()) is not None for value in values)
    return is_number and not {column.name for column in file.columns} & set(values)


def _error(path: Path, finding: str, text: str) -> AtelierError:
    line = _first_line(text)
    if not _names_columns(line):
        return AtelierError(f"{path} {finding}")
    shown = line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]}…"
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    return AtelierError(f"{path} {finding} The first line is: {printable}")


def _names_columns(line: str) -> bool:
    """Return whether a line is a header: a row of data would show names and e-mail addresses."""
    words = set(re.split(r"[^a-z_]+", line.lower()))
    return "@" not in line and any(
        column.name in words for file in FILES for column in file.columns
    )


def _first_line(text: str) -> str:
    return re.split(r"\r\n|\n|\r", text, maxsplit=1)[0]
