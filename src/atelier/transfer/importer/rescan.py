"""Rereads the files to find the text of rows that the database rejected."""

from collections.abc import Callable, Iterator
from contextlib import closing

import asyncpg

from atelier.store.queries import queries
from atelier.transfer.database.staging import Staging
from atelier.transfer.files.layout import ExportFile
from atelier.transfer.files.rejects import FOUND_BY_DATABASE, Reason, Reject
from atelier.transfer.progress import Progress
from atelier.transfer.reader.reader import Reader, Row

_QUERIES = queries("atelier.transfer.importer")
_PREFETCH = 50_000


async def report_rejected_rows(
    connection: asyncpg.Connection,
    staging: Staging,
    progress: Progress,
    reject: Callable[[Reject], None],
) -> None:
    """Call `reject` with each row of the files that is listed in the table rejected_rows."""
    for file, rows in staging.rows.items():
        ids = {reason: await _ids(connection, file, reason) for reason in FOUND_BY_DATABASE}
        if any(ids.values()):
            with progress.task(f"{file.name}, for its rejects", rows) as task:
                for lines in _search(staging.reopen(file), _RejectedRows(ids), reject):
                    task.advance(lines)


def _search(
    reader: Reader, rejected: "_RejectedRows", reject: Callable[[Reject], None]
) -> Iterator[int]:
    """Search a file; yield the number of lines of each chunk searched."""
    with closing(reader):
        for chunk in reader.chunks(_ignore):
            for row in reader.find(chunk, rejected.ids):
                if reason := rejected.reason(row):
                    detail = FOUND_BY_DATABASE[reason]
                    reject(Reject(reader.file.name, row.line, reason, detail, row.text))
            yield chunk.lines


def _ignore(_: Reject) -> None:
    """Ignore the rows that the reader already rejected."""


class _RejectedRows:
    """Maps rows to reasons. Of several rows with the same id, only the first can be an orphan."""

    def __init__(self, ids: dict[Reason, set[int]]) -> None:
        self._rejected = ids
        self._seen: set[int] = set()
        self.ids = set().union(*ids.values())

    def reason(self, row: Row) -> Reason | None:
        if row.id in self._seen:
            return Reason.DUPLICATE
        if row.id in self._rejected[Reason.DUPLICATE]:
            self._seen.add(row.id)
        reasons = (Reason.ORPHAN, Reason.CONFLICT)
        return next((reason for reason in reasons if row.id in self._rejected[reason]), None)


async def _ids(connection: asyncpg.Connection, file: ExportFile, reason: Reason) -> set[int]:
    async with connection.transaction():
        rows = connection.cursor(_QUERIES["rejected_ids"], file.table, reason, prefetch=_PREFETCH)
        return {row[0] async for row in rows}
