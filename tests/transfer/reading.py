"""Runs bytes through the reader, for tests without a database."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from atelier.transfer.files.layout import QUESTIONS, ExportFile
from atelier.transfer.files.rejects import Reject
from atelier.transfer.reader.buffer import BLOCK, LOOK_AHEAD
from atelier.transfer.reader.reader import Reader, Row

HEADER = b"id,product_id,body,date_written,asker_name,asker_email,reported,helpful\n"
ROW = b'1,1,"What fabric is the top made of?",1595884714409,"yankeelover","a@example.com",0,1\n'


class _Everything(set[int]):
    def __contains__(self, _: object) -> bool:
        return True


@dataclass(frozen=True)
class Result:
    """The result of reading a file."""

    csv: bytes
    """The accepted rows, as sent to PostgreSQL."""
    rows: list[Row]
    rejects: list[Reject]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(reject.line, reject.reason.value) for reject in self.rejects]

    @property
    def in_order(self) -> list[tuple[int, bytes]]:
        """The line and text of every data row, accepted or rejected."""
        found = [(row.line, row.text) for row in self.rows]
        return sorted(found + [(reject.line, reject.text) for reject in self.rejects])


def read(
    folder: Path,
    data: bytes,
    file: ExportFile = QUESTIONS,
    *,
    block: int = BLOCK,
    look_ahead: int = LOOK_AHEAD,
) -> Result:
    """Read a file with these bytes."""
    path = folder / file.name
    path.write_bytes(data)
    rejects: list[Reject] = []
    with closing(Reader(path, file, block=block, look_ahead=look_ahead)) as reader:
        return _result(reader, rejects)


def _result(reader: Reader, rejects: list[Reject]) -> Result:
    csv = b""
    rows: list[Row] = []
    for chunk in reader.chunks(rejects.append):
        csv += chunk.csv
        rows += reader.find(chunk, _Everything())
    return Result(csv, rows, rejects)


def questions(*lines: bytes) -> bytes:
    """Return a questions file with these lines."""
    return HEADER + b"".join(line + b"\n" for line in lines)


def photos(*lines: bytes) -> bytes:
    """Return a photos file with these lines."""
    return b"id,answer_id,url\n" + b"".join(line + b"\n" for line in lines)
