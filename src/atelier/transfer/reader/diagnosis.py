"""Says what a file without the expected header looks like, and what to do about it."""

import csv
import re
from pathlib import Path

from atelier.errors import AtelierError
from atelier.transfer.files.layout import FILES, ExportFile
from atelier.transfer.files.rejects import Reason
from atelier.transfer.reader.records import MalformedError
from atelier.transfer.reader.scalars import whole_number

_START = 64 << 10  # bytes that are looked at
_SHOWN = 120  # characters
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_FORMATS = {
    b"\x1f\x8b": "looks like gzip data compressed twice: decompress it once.",
    b"BZh": "looks like bzip2 data: decompress it, or compress it with gzip instead.",
    b"\xfd7zXZ\x00": "looks like xz data: decompress it, or compress it with gzip instead.",
    b"\x28\xb5\x2f\xfd": "looks like Zstandard data: decompress it, or use gzip instead.",
    b"\xd0\xcf\x11\xe0": "looks like an Excel workbook: save it as CSV in UTF-8.",
}
_ZIP = b"PK\x03\x04"
_PARTS_OF_SPREADSHEETS = (b"[Content_Types].xml", b"xl/", b"opendocument.spreadsheet")
_MARKS = {
    b"\xff\xfe\0\0": "UTF-32-LE",
    b"\0\0\xfe\xff": "UTF-32-BE",
    b"\xff\xfe": "UTF-16-LE",
    b"\xfe\xff": "UTF-16-BE",
}
_UNMARKED = {
    re.compile(rb"(?:[\t -~]\0){2}"): "UTF-16-LE",
    re.compile(rb"(?:\0[\t -~]){2}"): "UTF-16-BE",
}
_IN_A_HEADER = {
    Reason.UNTERMINATED_QUOTE: "an unterminated quote",
    Reason.MALFORMED_QUOTES: "malformed quotes",
    Reason.TOO_LONG: "no end",
}


def check_format(data: bytes, path: Path) -> None:
    """Raise AtelierError if the first bytes of a file are those of another format than CSV."""
    start = data[:_START]
    if finding := _archive(start):
        raise AtelierError(f"{path} {finding}")
    if encoding := _wide_encoding(start):
        text = start.decode(encoding, "replace").removeprefix("\ufeff")
        family = encoding.rpartition("-")[0]
        raise _error(path, f"looks like {family}: export it as UTF-8.", text)


def header_error(data: bytes, names: list[str], file: ExportFile, path: Path) -> AtelierError:
    """Return the error for a file whose first record, with these values, is not its header."""
    text = data[:_START].decode("utf-8", "replace")
    return _error(path, _about_header(_first_line(text), names, file), text)


def malformed_header_error(
    data: bytes, error: MalformedError, file: ExportFile, path: Path
) -> AtelierError:
    """Return the error for a file whose first record cannot be split."""
    text = data[:_START].decode("utf-8", "replace")
    return _error(path, _about_malformed_header(text, error, file), text)


def _archive(start: bytes) -> str | None:
    if not start.startswith(_ZIP):
        return next((what for magic, what in _FORMATS.items() if start.startswith(magic)), None)
    if any(part in start for part in _PARTS_OF_SPREADSHEETS):
        return "looks like a spreadsheet (xlsx or similar): save it as CSV in UTF-8."
    return "looks like a ZIP archive: extract the CSV file, or compress it with gzip instead."


def _wide_encoding(start: bytes) -> str | None:
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return encoding
    return next(
        (encoding for start_of, encoding in _UNMARKED.items() if start_of.match(start)), None
    )


def _about_header(line: str, names: list[str], file: ExportFile) -> str:
    if separator := _other_separator(line, len(names), file):
        return _separated_by(separator)
    if other := _file_with(names):
        return f"has the header of {other.name}: check whether files were mixed up."
    if _is_data(names, file):
        header = _header_of(file)
        return f"has no header line: the first line looks like data. Insert the header {header}."
    missing = [column.name for column in file.columns if column.name not in names]
    noun = "column" if len(missing) == 1 else "columns"
    return f"has no {noun} {', '.join(missing)}: it must have {_header_of(file)}."


def _about_malformed_header(text: str, error: MalformedError, file: ExportFile) -> str:
    line = _first_line(text)
    if separator := _other_separator(line, 0, file):
        return _separated_by(separator)
    if text.startswith(f"{line}\r") and not text.startswith(f"{line}\r\n"):
        return "has lines that end in a carriage return alone: export it with LF or CRLF."
    detail = f" ({error.detail})" if error.detail else ""
    return f"has a header with {_IN_A_HEADER[error.reason]}{detail}: write {_header_of(file)}."


def _separated_by(separator: str) -> str:
    return f"is separated by {separator}: export it with commas between the columns."


def _header_of(file: ExportFile) -> str:
    return ",".join(column.name for column in file.columns)


def _other_separator(line: str, fields: int, file: ExportFile) -> str | None:
    """Return what stands between the columns, if it is not commas."""
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


def _file_with(names: list[str]) -> ExportFile | None:
    """Return the file that has these columns."""
    return next(
        (file for file in FILES if {column.name for column in file.columns} <= set(names)), None
    )


def _is_data(values: list[str], file: ExportFile) -> bool:
    is_number = any(whole_number(value.encode()) is not None for value in values)
    return is_number and not {column.name for column in file.columns} & set(values)


def _error(path: Path, finding: str, text: str) -> AtelierError:
    line = _first_line(text)
    if not _names_columns(line):
        return AtelierError(f"{path} {finding}")
    shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    return AtelierError(f"{path} {finding} The first line is: {printable}")


def _names_columns(line: str) -> bool:
    """Say whether a line is fit to be shown: a row of data holds names and e-mail addresses."""
    words = set(re.split(r"[^a-z_]+", line.lower()))
    return "@" not in line and any(
        column.name in words for file in FILES for column in file.columns
    )


def _first_line(text: str) -> str:
    return re.split(r"\r\n|\n|\r", text, maxsplit=1)[0]
