r"""Rejected rows, and the rejects file.

The rejects file is CSV in UTF-8 with the header `file,line,reason,text`. `line` is the line on
which the row starts (the header is line 1); `text` is the row as it is in its file, without its
line terminator. Because a row may contain any bytes, a backslash is written as `\\`, and a NUL
or a byte that is not part of valid UTF-8 as `\xNN`; `original` reverses this.
"""

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from atelier.errors import AtelierError

_HEADER = "file,line,reason,text\n"
_FIRST_LINES = 5


class Reason(StrEnum):
    """Why a row was rejected: the first words of its reason in the rejects file."""

    UNTERMINATED_QUOTE = "unterminated quote"
    MALFORMED_QUOTES = "malformed quotes"
    FIELDS = "wrong number of fields"
    UTF8 = "invalid UTF-8"
    NUL = "NUL byte"
    TOO_LONG = "field over 64 KiB"
    ID = "invalid id"
    DATE = "unparseable date"
    BOOLEAN = "unknown boolean"
    NEGATIVE = "negative helpfulness"
    HELPFULNESS = "invalid helpfulness"
    DUPLICATE = "duplicate id"
    ORPHAN = "orphan"
    CONFLICT = "conflict"


FOUND_BY_DATABASE = {
    Reason.DUPLICATE: "an earlier row has this id",
    Reason.ORPHAN: "the row it belongs to does not exist",
    Reason.CONFLICT: "the database has another row with this id",
}
"""The reasons that only the database can find, and their details."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A rejected row."""

    file: str
    line: int
    reason: Reason
    detail: str
    text: bytes


class RejectsFile:
    """The rejects of one import, moved into place by `publish`.

    It replaces an earlier import's file; without rejects there is no file.
    """

    def __init__(self, path: Path) -> None:
        """Create the file as PATH.partial.

        Raises AtelierError if it cannot be written, or if PATH is a file that holds something else
        than the rejects of an earlier import.
        """
        self.path = path
        self.counts: Counter[tuple[str, Reason]] = Counter()
        self._first_lines: dict[tuple[str, Reason], list[int]] = {}
        self._partial = path.with_name(path.name + ".partial")
        try:
            self.has_earlier = _has_earlier(path)
            self._file = self._partial.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise AtelierError(f"The rejects file {path} cannot be written: {error}.") from error
        self._file.write(_HEADER)
        self._rows = csv.writer(self._file, lineterminator="\n")

    def add(self, reject: Reject) -> None:
        """Write one reject."""
        reason = f"{reject.reason}: {reject.detail}" if reject.detail else reject.reason.value
        self._rows.writerow((reject.file, reject.line, reason, _printable(reject.text)))
        kind = (reject.file, reject.reason)
        self.counts[kind] += 1
        if self.counts[kind] <= _FIRST_LINES:
            self._first_lines.setdefault(kind, []).append(reject.line)

    def reasons(self, file: str) -> Counter[Reason]:
        """Return the number of rejected rows of a file by reason."""
        return Counter({r: number for (name, r), number in self.counts.items() if name == file})

    def found(self) -> list[dict[str, object]]:
        """Return file, reason, count and first lines of all rejects so far, without their texts."""
        return [
            {
                "file": file,
                "reason": reason.value,
                "count": number,
                "first_lines": self._first_lines[file, reason],
            }
            for (file, reason), number in self.counts.items()
        ]

    def publish(self) -> None:
        """Move the file into place, or remove an earlier one if nothing was rejected."""
        self._file.close()
        if self.counts:
            self._partial.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, and delete it unless it was published."""
        self._file.close()
        self._partial.unlink(missing_ok=True)


def _has_earlier(path: Path) -> bool:
    """Return whether there is the file of an earlier import, which may be lost."""
    if not path.exists():
        return False
    if not path.is_file() or _start(path) not in ("", _HEADER):
        raise AtelierError(
            f"{path} is something else than rejected rows: name another rejects file (--rejects)."
        )
    return True


def _start(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(len(_HEADER))


def strict_error(number: int, path: Path) -> str:
    """Return the error message for rejected rows under `--strict`."""
    rows = "1 row was" if number == 1 else f"{number:,} rows were"
    return f"{rows} rejected, see {path}: because of --strict, nothing was imported."


def original(text: str) -> bytes:
    """Return the bytes of a row from the `text` of a rejects file."""
    return re.sub(
        rb"\\(?:\\|x([0-9a-f]{2}))",
        lambda match: bytes.fromhex(match[1].decode()) if match[1] else b"\\",
        text.encode(),
    )


def _printable(text: bytes) -> str:
    escaped = text.replace(b"\\", rb"\\").replace(b"\0", rb"\x00")
    return codecs.decode(escaped, errors="backslashreplace")
